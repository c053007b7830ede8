"""Opening a look by arm, and reading it again."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from outcomes.evaluation.actions import lock_outcomes
from outcomes.models import Look
from referrals.models import Arm, Case, Trial, TrialStatus
from referrals.rules.trial.analysis import Plan, PlannedLook
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import NOW, advance
from tests.outcomes.evaluation.trials import (
    allocate,
    check,
    look_of,
    planned_trial,
)

DAY = timedelta(days=1)
TODAY = NOW.date()
ClientOf = Callable[[User], Client]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def trial(world: World, make_case: Callable[..., Case]) -> Trial:
    """Three units of SRC, one withdrawn; two of control, both withdrawn."""
    trial = planned_trial(world.south_west, Plan(looks=(PlannedLook(TODAY, "leader"),)))
    allocate(trial, make_case, Arm.SRC, [16, 18, None])
    check(allocate(trial, make_case, Arm.CONTROL, [14, 16]))
    return trial


@pytest.fixture
def lead(client_of: ClientOf, trial_lead: User) -> Client:
    return client_of(trial_lead)


def _open(client: Client, trial: Trial, **given: str) -> str:
    """The words of the page that it leads to."""
    response = client.post(reverse("open_look", args=[trial.pk]), given, follow=True)
    assert response.status_code == 200
    return " ".join(strip_tags(response.content.decode().split("<main")[1]).split())


def test_the_planned_reader_opens_it_by_a_button(client_of: ClientOf, leader: User, trial: Trial) -> None:
    page = _open(client_of(leader), trial, planned_on=TODAY.isoformat())
    assert "By group, as counted 23 November 2026, 7:30am" in page
    assert "Planned in the protocol for 23 November 2026." in page
    assert "1 of 3 (33%) 2 of 2 (100%) -66.7 0.33" in page
    assert Look.objects.get().opened_by == leader


def test_the_trial_lead_opens_another_for_a_reason(lead: Client, trial: Trial) -> None:
    page = _open(lead, trial, reason="The ethics committee asks")
    assert "Not planned: The ethics committee asks" in page
    assert "1 of 3 (33%)" in page


def test_a_leader_has_no_look_that_was_not_planned(client_of: ClientOf, leader: User, trial: Trial) -> None:
    response = client_of(leader).post(reverse("open_look", args=[trial.pk]), {"reason": "I must"})
    assert response.status_code == 403
    assert not Look.objects.exists()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "Say why you have to see the arms"),
        ("Ring 07700 900123", "telephone numbers, e-mail addresses and postcodes stay"),
    ],
)
def test_a_reason_that_will_not_do_is_given_back(lead: Client, trial: Trial, reason: str, words: str) -> None:
    response = lead.post(reverse("open_look", args=[trial.pk]), {"reason": reason})
    page = response.content.decode()
    assert "There is a problem" in page
    assert words in page
    assert f">\n{reason}</textarea>" in page
    assert not Look.objects.exists()


@pytest.mark.parametrize(
    ("planned_on", "words"),
    [
        ("2026-11-23", "names somebody else as the one reader"),
        ("2026-11-24", "plans no look for 24 November 2026"),
        ("soon", "The page was incomplete. Nothing was opened"),
    ],
)
def test_a_planned_look_that_is_not_theirs_is_refused(
    lead: Client, trial: Trial, planned_on: str, words: str
) -> None:
    assert words in _open(lead, trial, planned_on=planned_on)
    assert not Look.objects.exists()


def test_a_page_that_was_open_when_outcomes_were_locked_opens_no_look(
    lead: Client, trial: Trial, trial_lead: User
) -> None:
    advance(trial, TrialStatus.CLOSED, by=trial_lead)
    lock_outcomes(trial_id=trial.pk, by=trial_lead, at=NOW + 30 * DAY)
    for reason in ("I must", ""):
        assert "Not done" in _open(lead, trial, reason=reason)
    assert not Look.objects.exists()


def test_whoever_opened_it_reads_it_again_and_nobody_else(
    lead: Client, client_of: ClientOf, leader: User, trial_lead: User, trial: Trial
) -> None:
    look = look_of(trial, trial_lead)
    address = reverse("trial_look", args=[trial.pk, look.pk])
    assert lead.get(address).status_code == 200
    assert client_of(leader).get(address).status_code == 404


def test_a_look_is_read_under_its_own_trial(
    lead: Client, trial_lead: User, trial: Trial, world: World
) -> None:
    other = look_of(planned_trial(world.north, Plan()), trial_lead)
    assert lead.get(reverse("trial_look", args=[trial.pk, other.pk])).status_code == 404
    assert lead.get(reverse("trial_look", args=[other.trial_id, other.pk])).status_code == 404


def test_it_shows_what_was_counted_then(lead: Client, trial: Trial, make_case: Callable[..., Case]) -> None:
    _open(lead, trial, reason="The ethics committee asks")
    allocate(trial, make_case, Arm.SRC, [16, 16])
    [look] = Look.objects.all()
    page = lead.get(reverse("trial_look", args=[trial.pk, look.pk])).content.decode()
    assert "1 of 3 (33%)" in page


def test_each_reading_is_recorded(lead: Client, trial: Trial, trial_lead: User) -> None:
    look = look_of(trial, trial_lead)
    for times in (1, 2):
        lead.get(reverse("trial_look", args=[trial.pk, look.pk]))
        found = AuditEntry.objects.filter(action=Action.LIST_SHOWN, fields=[f"look {look.pk}"])
        assert found.count() == times
    entry = found.latest("pk")
    assert (entry.actor, entry.references) == (trial_lead, [f"trial {trial.pk}"])
