"""The wards of one trial: what counts and is planned, and the planning by the trial's lead."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.models import Mode, Trial, TrialStatus, WardMode
from referrals.rules.trial.rollout import order_of
from referrals.rules.trial.seal import rollout_key
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.factories import NOW, SEED, TrialFactory, WardFactory, WardModeFactory

pytestmark = pytest.mark.usefixtures("clock")
TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def browser(client_of: Callable[[User], Client], trial_lead: User) -> Client:
    return client_of(trial_lead)


@pytest.fixture
def trial(world: World) -> Trial:
    """It recruits in Abbey since yesterday, and will in Colliers Wood from tomorrow."""
    trial = TrialFactory.create(bcu=world.south_west, name="Pilot")
    for ward, starts_on in ((world.wards[0], TODAY - timedelta(days=1)), (world.wards[1], TOMORROW)):
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial, starts_on=starts_on)
    return trial


@pytest.fixture
def choice(world: World) -> dict[str, Any]:
    """Balham not started from tomorrow."""
    return {"wards": [world.wards[3].code], "mode": "not_started", "starts_on": TOMORROW.isoformat()}


@pytest.fixture
def terms() -> dict[str, Any]:
    """Two wards a fortnight from the first of December."""
    return {"first_day": "2026-12-01", "wards_a_step": 2, "days_between": 14, "order": "by_name"}


def page(trial: Trial) -> str:
    return reverse("trial_wards", args=[trial.pk])


def set_wards(browser: Client, trial: Trial, choice: dict[str, Any]) -> Any:
    return browser.post(reverse("set_trial_wards", args=[trial.pk]), choice)


def roll_out(browser: Client, trial: Trial, terms: dict[str, Any]) -> Any:
    return browser.post(reverse("plan_roll_out", args=[trial.pk]), terms)


def test_each_ward_shows_the_mode_of_today_and_what_is_planned(
    browser: Client, trial: Trial, world: World
) -> None:
    WardModeFactory.create(ward=world.wards[0], starts_on=date(2027, 5, 1))
    WardModeFactory.create(ward=world.wards[0], mode=Mode.NOT_STARTED, starts_on=date(2022, 1, 1))
    plans = {plan.ward.name: plan for plan in browser.get(page(trial)).context["plans"]}
    assert len(plans) == 6
    assert plans["Abbey"].mode == "Trial: Pilot"
    assert [(change.day, change.words, change.begun) for change in plans["Abbey"].changes] == [
        (TODAY - timedelta(days=1), "This trial", True),
        (date(2027, 5, 1), "SRC for all", False),
    ]
    assert plans["Colliers Wood"].mode == "SRC for all"
    assert [(change.words, change.begun) for change in plans["Colliers Wood"].changes] == [
        ("This trial", False)
    ]
    assert plans["Balham"].changes == []
    assert "Hendon" not in plans


def test_the_page_says_in_how_many_wards_each_mode_counts(browser: Client, trial: Trial) -> None:
    response = browser.get(page(trial))
    assert response.context["by_mode"] == [("SRC for all", 5), ("Trial: Pilot", 1)]
    assert "<strong>SRC for all</strong> in 5 of 6 wards" in response.content.decode()


def test_another_trial_is_named(browser: Client, trial: Trial, world: World) -> None:
    other = TrialFactory.create(bcu=world.south_west, name="Other")
    WardModeFactory.create(ward=world.wards[2], mode=Mode.TRIAL, trial=other, starts_on=TOMORROW)
    plans = {plan.ward.name: plan for plan in browser.get(page(trial)).context["plans"]}
    assert plans["Graveney"].changes[0].words == "Trial: Other"


def test_a_leader_reads_and_is_offered_nothing_to_set(
    client_of: Callable[[User], Client], leader: User, trial: Trial
) -> None:
    response = client_of(leader).get(page(trial))
    assert response.context["wards_form"] is None
    assert response.context["roll_out_form"] is None
    assert "Check what would change" not in response.content.decode()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (leader, Action.LIST_SHOWN, Purpose.EVALUATION)


@pytest.mark.parametrize(
    ("status", "sets", "rolls_out"),
    [
        (TrialStatus.DRAFT, False, False),
        (TrialStatus.SEALED, True, True),
        (TrialStatus.RECRUITING, True, True),
        (TrialStatus.CLOSED, True, False),
        (TrialStatus.REVEALED, True, False),
    ],
)
def test_what_the_lead_is_offered_depends_on_how_far_the_trial_is(
    browser: Client, world: World, status: TrialStatus, sets: bool, rolls_out: bool
) -> None:
    trial = TrialFactory.create(bcu=world.south_west, status=status)
    context = browser.get(page(trial)).context
    assert bool(context["wards_form"]) == sets
    assert bool(context["roll_out_form"]) == rolls_out
    if sets:
        offered = [value for value, _ in context["wards_form"].fields["mode"].choices]
        assert (Mode.TRIAL in offered) == rolls_out


def test_a_choice_is_shown_before_anything_is_saved_and_saved_when_it_is_confirmed(
    browser: Client, trial: Trial, choice: dict[str, Any], world: World
) -> None:
    before = WardMode.objects.count()
    shown = set_wards(browser, trial, choice)
    html = shown.content.decode()
    assert "From <strong>24 November 2026</strong>, <strong>Not started</strong> in 1 ward" in html
    assert WardMode.objects.count() == before
    done = set_wards(browser, trial, {**choice, "confirmed": "yes"})
    assert done.headers["Location"] == page(trial)
    kept = WardMode.objects.get(ward=world.wards[3])
    assert (kept.mode, kept.starts_on) == (Mode.NOT_STARTED, TOMORROW)
    assert "1 ward: Not started from 24 November 2026." in browser.get(page(trial)).content.decode()


def test_what_the_check_page_sends_is_what_was_chosen(
    browser: Client, trial: Trial, choice: dict[str, Any], world: World
) -> None:
    html = set_wards(browser, trial, {**choice, "boroughs": ["Merton"]}).content.decode()
    form = html[html.index(f'action="{reverse("set_trial_wards", args=[trial.pk])}"') :]
    for ward in world.wards[:4]:
        assert f'name="wards" value="{ward.code}"' in form
    assert 'name="mode" value="not_started"' in form
    assert 'value="2026-11-24"' in form
    assert 'name="confirmed" value="yes"' in form


def test_a_whole_borough_moves_to_everyone_by_one_tick(
    browser: Client, trial: Trial, choice: dict[str, Any], world: World
) -> None:
    everyone = {"boroughs": ["Merton"], "mode": "src_for_all", "starts_on": "2027-05-01", "confirmed": "yes"}
    set_wards(browser, trial, everyone)
    moved = WardMode.objects.filter(mode=Mode.SRC_FOR_ALL, starts_on=date(2027, 5, 1))
    assert set(moved.values_list("ward", flat=True)) == {ward.pk for ward in world.wards[:3]}


def test_the_same_again_says_that_nothing_changed(
    browser: Client, trial: Trial, choice: dict[str, Any]
) -> None:
    for _ in range(2):
        set_wards(browser, trial, {**choice, "confirmed": "yes"})
    assert WardMode.objects.count() == 3
    assert "Nothing changed: it was planned so already." in browser.get(page(trial)).content.decode()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"starts_on": "2026-11-22"}, "This day is past: choose today or a later day."),
        ({"starts_on": ""}, "Give the day from which it counts."),
        ({"starts_on": "soon"}, "Give the day as 23/11/2026."),
        ({"starts_on": "2150-01-01"}, "Give a date from 2000 to 2099."),
        ({"mode": ""}, "Choose what happens to a suitable case."),
        ({"wards": []}, "Tick at least one ward or borough."),
        ({"wards": ["E05999999"]}, "Select a valid choice"),
    ],
)
def test_a_choice_that_is_wrong_is_sent_back_with_what_was_typed(
    browser: Client, trial: Trial, choice: dict[str, Any], wrong: dict[str, Any], says: str
) -> None:
    before = WardMode.objects.count()
    response = set_wards(browser, trial, {**choice, **wrong, "confirmed": "yes"})
    html = response.content.decode()
    assert "There is a problem" in html
    assert says in html
    assert WardMode.objects.count() == before
    if "wards" not in wrong:
        [code] = choice["wards"]
        ticked = html[html.index(f'id="ward-{code}"') :].split(">")[0]
        assert "checked" in ticked


@pytest.mark.parametrize("confirmed", [{}, {"confirmed": "yes"}])
def test_what_the_trial_does_not_allow_is_said_with_the_form(
    browser: Client, trial: Trial, world: World, confirmed: dict[str, str]
) -> None:
    WardModeFactory.create(ward=world.wards[3], mode=Mode.NOT_STARTED, starts_on=TODAY)
    rewritten = {"wards": [world.wards[3].code], "mode": "src_for_all", "starts_on": TODAY.isoformat()}
    html = set_wards(browser, trial, {**rewritten, **confirmed}).content.decode()
    assert "Balham: another mode begins there today" in html
    too_late = {"wards": [world.wards[3].code], "mode": "trial", "starts_on": "2027-06-01"}
    html = set_wards(browser, trial, {**too_late, **confirmed}).content.decode()
    assert "after the protocol&#x27;s last day" in html
    assert WardMode.objects.get(ward=world.wards[3]).mode == Mode.NOT_STARTED


def test_the_steps_of_a_roll_out_are_shown_before_anything_is_planned(
    browser: Client, trial: Trial, terms: dict[str, Any]
) -> None:
    before = WardMode.objects.count()
    response = roll_out(browser, trial, terms)
    steps = [(step.day, [plan.ward.name for plan in step.wards]) for step in response.context["steps"]]
    assert steps == [
        (date(2026, 12, 1), ["Balham", "Colliers Wood"]),
        (date(2026, 12, 15), ["Furzedown", "Graveney"]),
        (date(2026, 12, 29), ["Tooting Bec"]),
    ]
    html = response.content.decode()
    assert "Order: by name." in html
    assert "1 ward recruits already and keeps its day" in html
    assert "1 change planned before gives way" in html
    assert "Colliers Wood on 24 November 2026" in html
    assert WardMode.objects.count() == before


def test_steps_that_were_read_are_planned(
    browser: Client, trial: Trial, terms: dict[str, Any], world: World
) -> None:
    seen = roll_out(browser, trial, terms).context["proposed"].digest
    done = roll_out(browser, trial, {**terms, "seen": seen})
    assert done.headers["Location"] == page(trial)
    assert "5 wards planned in 3 steps." in browser.get(page(trial)).content.decode()
    starts = WardMode.objects.filter(mode=Mode.TRIAL).order_by("starts_on", "ward__name")
    assert list(starts.values_list("ward__name", "starts_on"))[1:] == [
        ("Balham", date(2026, 12, 1)),
        ("Colliers Wood", date(2026, 12, 1)),
        ("Furzedown", date(2026, 12, 15)),
        ("Graveney", date(2026, 12, 15)),
        ("Tooting Bec", date(2026, 12, 29)),
    ]


def test_a_drawn_order_is_shown_as_the_seed_gives_it(
    browser: Client, trial: Trial, terms: dict[str, Any], world: World
) -> None:
    response = roll_out(browser, trial, {**terms, "order": "drawn"})
    drawn = order_of(rollout_key(SEED, trial.protocol_digest), [ward.code for ward in world.wards])
    shown = [plan.ward.code for step in response.context["steps"] for plan in step.wards]
    assert shown == [code for code in drawn if code != world.wards[0].code]
    html = response.content.decode()
    assert SEED.hex() not in html
    assert rollout_key(SEED, trial.protocol_digest).hex() not in html


def test_steps_that_changed_after_they_were_read_are_not_planned(
    browser: Client, trial: Trial, terms: dict[str, Any], world: World
) -> None:
    seen = roll_out(browser, trial, terms).context["proposed"].digest
    WardModeFactory.create(ward=world.wards[3], mode=Mode.TRIAL, trial=trial, starts_on=TODAY)
    html = roll_out(browser, trial, {**terms, "seen": seen}).content.decode()
    assert "changed after these steps were shown" in html
    assert WardMode.objects.count() == 3


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"first_day": "2026-11-22"}, "This day is past"),
        ({"first_day": ""}, "Give the day of the first step."),
        ({"wards_a_step": "0"}, "greater than or equal to 1"),
        ({"wards_a_step": ""}, "Give how many wards begin in each step."),
        ({"days_between": "0"}, "greater than or equal to 1"),
        ({"order": ""}, "Choose which wards come first."),
        ({"first_day": "2027-05-10"}, "after the protocol&#x27;s last day"),
    ],
)
def test_terms_that_are_wrong_are_sent_back_with_what_was_typed(
    browser: Client, trial: Trial, terms: dict[str, Any], wrong: dict[str, Any], says: str
) -> None:
    html = roll_out(browser, trial, {**terms, **wrong}).content.decode()
    assert "There is a problem" in html
    assert says in html
    if "days_between" not in wrong:
        assert 'name="days_between" value="14"' in html


def test_another_bcus_trial_is_not_found(
    browser: Client, world: World, choice: dict[str, Any], terms: dict[str, Any]
) -> None:
    elsewhere = TrialFactory.create(bcu=world.north)
    assert browser.get(page(elsewhere)).status_code == 404
    assert set_wards(browser, elsewhere, choice).status_code == 404
    assert roll_out(browser, elsewhere, terms).status_code == 404


def test_as_many_queries_for_thirty_wards_as_for_three(browser: Client, world: World) -> None:
    counts = []
    borough = world.wards[0].borough
    for more in (0, 27):
        WardFactory.create_batch(more, borough=borough)
        trial = TrialFactory.create(bcu=world.south_west)
        for number, ward in enumerate(borough.wards.all()):
            starts_on = TODAY + timedelta(days=trial.pk % 50 + number)
            WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial, starts_on=starts_on)
        with CaptureQueriesContext(connection) as queries:
            response = browser.get(page(trial))
        assert len(response.context["plans"]) == 6 + more
        counts.append(len(queries))
    assert counts[0] == counts[1]
