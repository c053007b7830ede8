"""The page on which a trial is drafted."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from redis import Redis

from referrals.models import ApprovalKind, Trial, TrialStatus
from referrals.rules.trial.allocation import Scheme
from referrals.rules.trial.analysis import PlannedLook
from referrals.tasks import work_out_power
from referrals.trial.forms.design import initial_of
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.celery import app as celery_app
from src_app.task_queue import _BROKER
from tests.away import refused
from tests.conftest import World
from tests.factories import BcuMembershipFactory, TrialFactory, UserFactory

NEW = reverse("new_trial")


@pytest.fixture
def browser(client_of: Callable[[User], Client], trial_lead: User, clock: time_machine.Traveller) -> Client:
    return client_of(trial_lead)


@pytest.fixture
def draft(world: World) -> Trial:
    return TrialFactory.create(bcu=world.south_west, status=TrialStatus.DRAFT)


@pytest.fixture
def filled_in(draft: Trial) -> dict[str, Any]:
    """The form of a draft as it is, but for the name."""
    return {**initial_of(draft), "name": "Pilot"}


def _problems(browser: Client, filled_in: dict[str, Any], **given: Any) -> str:
    response = browser.post(NEW, {**filled_in, **given})
    assert response.status_code == 200
    assert not Trial.objects.filter(name="Pilot").exists()
    return " ".join(error for errors in response.context["form"].errors.values() for error in errors)


def test_what_is_filled_in_becomes_a_draft(
    browser: Client, filled_in: dict[str, Any], world: World, leader: User
) -> None:
    response = browser.post(NEW, {**filled_in, "looks": "2027-03-01 leader"})
    trial = Trial.objects.get(name="Pilot")
    assert response["Location"] == reverse("trial", args=[trial.pk])
    assert (trial.status, trial.bcu, trial.stratified_by) == (
        TrialStatus.DRAFT,
        world.south_west,
        "borough",
    )
    assert trial.design.scheme is Scheme.STRATIFIED_BLOCKS
    assert set(trial.design.strata) == {ward.borough.code for ward in world.wards}
    assert [look.reader for look in trial.conduct.plan.looks] == ["leader"]
    assert isinstance(trial.conduct.plan.looks[0], PlannedLook)


def test_the_form_of_a_draft_holds_what_was_saved(
    browser: Client, draft: Trial, filled_in: dict[str, Any]
) -> None:
    before = draft.protocol
    page = reverse("design_trial", args=[draft.pk])
    assert browser.get(page).context["form"].initial == initial_of(draft)
    browser.post(page, {**filled_in, "name": draft.name})
    draft.refresh_from_db()
    assert draft.protocol == before


def test_minimisation_takes_its_factors_with_their_weights(
    browser: Client, filled_in: dict[str, Any]
) -> None:
    browser.post(
        NEW,
        {
            **filled_in,
            "scheme": "minimisation",
            "block_sizes": "",
            "strata": ["borough", "repeat_victim"],
            "weight_repeat_victim": 3,
            "coin": 85,
        },
    )
    design = Trial.objects.get(name="Pilot").design
    assert [(factor.name, factor.weight) for factor in design.factors] == [
        ("borough", 1),
        ("repeat_victim", 3),
    ]
    assert (design.coin, design.strata) == (85, ("",))


def test_stratified_blocks_are_drawn_apart_for_each_combination(
    browser: Client, filled_in: dict[str, Any], world: World
) -> None:
    browser.post(NEW, {**filled_in, "strata": ["borough", "repeat_victim"]})
    trial = Trial.objects.get(name="Pilot")
    boroughs = sorted({ward.borough.code for ward in world.wards})
    assert trial.design.strata == tuple(f"{code}+{level}" for code in boroughs for level in ("no", "yes"))
    page = browser.get(reverse("trial", args=[trial.pk])).content.decode()
    each = 250 // len(trial.design.strata)
    assert f"about {each} victims in each of {len(trial.design.strata)}" in page
    assert "Borough and Repeat victim: yes or no" in page
    assert initial_of(trial)["strata"] == ["borough", "repeat_victim"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"src_share": 0}, "Ratio: SRC: give a whole number from 1 to 9."),
        ({"src_share": 2, "control_share": 2}, "lowest terms"),
        ({"block_sizes": "4, 5"}, "multiple of 2"),
        ({"block_sizes": "four"}, "whole numbers: 4, 6, 8"),
        ({"target": 6}, "at least the largest block"),
        ({"target": 50_001}, "Target: give a whole number from 2 to 50,000."),
        ({"block_sizes": "2 4 6 8 10 12 14 16 18 20 22"}, "Give at most 10 block sizes."),
        ({"scheme": "complete", "block_sizes": "", "strata": [], "target": 251}, "multiple of 2"),
        ({"scheme": "simple", "block_sizes": "", "strata": ["borough"]}, "has no strata"),
        ({"strata": []}, "take one stratum"),
        ({"strata": ["borough", "repeat_victim"], "target": 20}, "need a target of"),
        ({"open_cases": "left_out"}, "left_out is not one of the available choices"),
        ({"scheme": "minimisation", "block_sizes": "", "strata": ["borough"], "coin": 100}, "from 51 to 99"),
        ({"recruits_until": "2020-01-01"}, "must not be before the first"),
        ({"wards": []}, "Choose at least one ward."),
        ({"looks": "next spring"}, "a day and a user name"),
        ({"looks": "2027-03-01"}, "Name who reads each look"),
        ({"looks": "2027-03-01 nobody"}, "nobody: no account of South West that may read trials"),
        ({"sides": 1, "src_percent": 40}, "looks for a fall"),
        ({"looks": "2026-01-01 trial_lead"}, "before the first day of recruitment"),
        ({"src_percent": 31}, "must differ"),
        ({"follow_up_days": 0}, "whole number from 1 to 730"),
        ({"src_percent": 101}, "Primary outcome with contact, %: give a whole number from 0 to 100."),
        ({"lost_percent": -1}, "not be known, %: give a whole number from 0 to 100."),
        ({"charge_percent": "many"}, "without contact, %: give a whole number from 0 to 100."),
        ({"recruits_from": "0001-01-01"}, "Give a date from 2000 to 2099."),
        ({"recruits_until": "9999-12-31"}, "Give a date from 2000 to 2099."),
        ({"looks": "9999-12-31 leader"}, "Give a date from 2000 to 2099."),
    ],
    ids=lambda part: "-".join(part) if isinstance(part, dict) else "says",
)
def test_a_protocol_that_cannot_be_is_refused_in_one_sentence(
    browser: Client, filled_in: dict[str, Any], given: dict[str, Any], says: str
) -> None:
    assert says in _problems(browser, filled_in, **given)


def test_a_name_that_is_taken_is_refused_and_nothing_typed_is_lost(
    browser: Client, draft: Trial, filled_in: dict[str, Any]
) -> None:
    response = browser.post(NEW, {**filled_in, "name": draft.name, "question": "Typed with care?"})
    page = response.content.decode()
    assert "choose another name" in page
    assert "Typed with care?" in page


def _the_worker_comes(asked_by: User) -> None:
    """Does what a page has asked of it, and no more."""
    queue = Redis.from_url(django_settings.REDIS_URL)
    waiting = [json.loads(message)["headers"] for message in queue.lrange("celery", 0, -1)]
    assert {task["task"] for task in waiting} == {"referrals.tasks.work_out_power"}
    queue.delete("celery")
    for _ in waiting:
        work_out_power(asked_by.pk)


def test_what_it_could_find_is_said_before_anything_is_saved(
    browser: Client, trial_lead: User, filled_in: dict[str, Any]
) -> None:
    asked = browser.post(NEW, {**filled_in, "show": "power"}).content.decode()
    assert "is being worked out" in asked
    assert "Look again</button>" in asked
    _the_worker_comes(trial_lead)
    response = browser.post(NEW, {**filled_in, "show": "power"})
    page = response.content.decode()
    assert "With 250 cases, 125 in each group, a fall from 31% to 24%" in page
    assert "Of charges, 5% without contact, only a rise to" in page
    assert not Trial.objects.filter(name="Pilot").exists()
    guessed = {row.words.split(":")[0]: row for row in response.context["power"].panel.guessed}
    assert guessed["Simple"].of_100 == 50.0
    assert guessed["Complete"].of_100 == 53.8
    assert guessed["Permuted blocks of random size, drawn apart for each part of the trial"].chosen
    assert guessed["Permuted blocks of random size"].of_100 == 68.1
    assert guessed["Minimisation"].simulated
    assert 57 < guessed["Minimisation"].of_100 < 66


def test_a_lead_of_two_bcus_drafts_for_the_one_that_is_chosen(
    browser: Client, world: World, trial_lead: User, filled_in: dict[str, Any]
) -> None:
    BcuMembershipFactory.create(user=trial_lead, bcu=world.north)
    listed = browser.get(reverse("trial_list")).content.decode()
    assert f"{NEW}?bcu=SW" in listed
    assert "New trial in North" in listed
    assert [name for name, *_ in browser.get(f"{NEW}?bcu=N").context["form"].boroughs()] == ["Barnet"]
    browser.post(NEW, {**filled_in, "bcu": "SW"})
    assert Trial.objects.get(name="Pilot").bcu == world.south_west
    assert browser.get(f"{NEW}?bcu=X").status_code == 404


def test_the_part_of_the_page_that_follows_the_typing_asks_until_it_is_there_and_saves_nothing(
    browser: Client, trial_lead: User, filled_in: dict[str, Any]
) -> None:
    part = reverse("trial_power")
    waits = browser.post(part, filled_in).content.decode()
    (again,) = re.findall(r'hx-get="([^"]+)"', waits)
    assert browser.get(again).status_code == 204
    _the_worker_comes(trial_lead)
    assert "With 250 cases" in browser.get(again).content.decode()
    assert "With 250 cases" in browser.post(part, filled_in).content.decode()
    assert "When everything above is filled in" in browser.post(part, {"name": "A"}).content.decode()
    assert not Trial.objects.filter(name="Pilot").exists()


def test_without_the_worker_that_is_said_and_the_draft_is_saved(
    browser: Client, filled_in: dict[str, Any], clock: time_machine.Traveller
) -> None:
    part = reverse("trial_power")
    before = celery_app.conf.broker_url
    celery_app.conf.update(broker_url=f"redis://{refused()}/0")
    try:
        said = browser.post(part, filled_in).content.decode()
    finally:
        celery_app.conf.update(broker_url=before)
    assert "cannot be worked out now, because the worker cannot be reached. The draft can be saved" in said
    assert "Look again</button>" in said
    _BROKER.worked()
    (again,) = re.findall(r'hx-get="([^"]+)"', browser.post(part, filled_in).content.decode())
    clock.shift(timedelta(seconds=61))
    late = browser.get(again).content.decode()
    assert "takes longer than it should" in late
    assert "hx-get" not in late
    browser.post(NEW, filled_in)
    assert Trial.objects.filter(name="Pilot").exists()


@pytest.mark.parametrize("question", ["", "0" * 64, "\n", "x" * 5_000])
def test_a_question_that_nobody_asked_leads_back_to_asking(browser: Client, question: str) -> None:
    said = browser.get(reverse("trial_power"), {"question": question}).content.decode()
    assert "asked about another design since" in said
    assert "Look again</button>" in said


def test_a_new_trial_begins_with_every_ward_ticked(browser: Client, world: World) -> None:
    form = browser.get(NEW).context["form"]
    assert [(name, ticked) for name, _, ticked in form.boroughs()] == [("Merton", 3), ("Wandsworth", 3)]


def test_a_look_is_not_read_by_an_account_of_another_bcu(
    browser: Client, filled_in: dict[str, Any], world: World
) -> None:
    reader = UserFactory.create(username="north_leader", role=Role.LEADER)
    BcuMembershipFactory.create(user=reader, bcu=world.north)
    said = _problems(browser, filled_in, looks="2027-03-01 north_leader")
    assert "north_leader: no account of South West that may read trials" in said


def test_a_sealed_trial_has_no_form(browser: Client, world: World) -> None:
    sealed = TrialFactory.create(bcu=world.south_west, status=TrialStatus.SEALED)
    for name, more in (
        ("design_trial", []),
        ("approve_trial", ["ethics"]),
        ("name_registrars", []),
    ):
        assert browser.get(reverse(name, args=[sealed.pk, *more])).status_code == 404


def test_an_approval_is_recorded_and_shown(browser: Client, draft: Trial) -> None:
    page = reverse("approve_trial", args=[draft.pk, "data_protection"])
    given = {"reference": "DPIA/7", "given_by": "DPO", "given_on": "2026-11-20", "allows_strand": "on"}
    response = browser.post(page, given, follow=True)
    assert "DPIA/7, given by DPO on 20 November 2026" in response.content.decode()
    assert draft.approvals.get(kind=ApprovalKind.DATA_PROTECTION).allows_strand
    assert (
        "allows_strand"
        not in browser.get(reverse("approve_trial", args=[draft.pk, "ethics"])).context["form"].fields
    )
    assert browser.get(reverse("approve_trial", args=[draft.pk, "other"])).status_code == 404


def test_an_approval_of_tomorrow_is_refused_beside_its_day(browser: Client, draft: Trial) -> None:
    page = reverse("approve_trial", args=[draft.pk, "ethics"])
    response = browser.post(page, {"reference": "1", "given_by": "A", "given_on": "2026-11-24"})
    assert "dated in the future" in str(response.context["form"].errors["given_on"])


def test_registrars_are_added_and_removed(browser: Client, draft: Trial) -> None:
    page = reverse("name_registrars", args=[draft.pk])
    browser.post(page, {"name": "Library", "email": "library@example.org"})
    added = draft.registrars.get(email="library@example.org")
    assert "library@example.org" in browser.get(page).content.decode()
    browser.post(reverse("remove_registrar", args=[draft.pk, added.pk]))
    assert not draft.registrars.filter(pk=added.pk).exists()
    wrong = browser.post(page, {"name": "Library", "email": "library"})
    assert "such as registry@example.org" in wrong.content.decode()


def test_an_address_longer_than_is_kept_is_refused_in_one_sentence(browser: Client, draft: Trial) -> None:
    """An e-mail address of 256 characters, as there may be."""
    sent = {"name": "Registry", "email": f"{'a' * 189}@{'b' * 58}.example"}
    response = browser.post(reverse("name_registrars", args=[draft.pk]), sent)
    assert "Ensure this value has at most 254 characters" in response.context["form"].errors["email"][0]
    assert sent["email"] in response.content.decode()
