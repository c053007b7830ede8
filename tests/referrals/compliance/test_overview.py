"""What a senior leader is answered first."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.models import CLOSED_BY_RECORD, Case, CloseReason, Referral, Trial, TrialStatus
from src_app.accounts.models import User
from tests import factories
from tests.conftest import World

ClientOf = Callable[[User], Client]
MakeCase = Callable[..., Case]
MakeReferral = Callable[..., Referral]
Answers = Callable[..., dict[str, str]]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def answers(client_of: ClientOf) -> Answers:
    """The words under each question, by the id of its heading."""

    def answers(user: User, **asked: str) -> dict[str, str]:
        html = client_of(user).get(reverse("compliance"), asked).content.decode()
        sections = re.findall(r'<section aria-labelledby="([\w-]+)">(.*?)</section>', html, re.DOTALL)
        return {name: " ".join(strip_tags(body).split()) for name, body in sections}

    return answers


def test_how_many_are_overdue_and_where(
    answers: Answers, due: MakeReferral, leader: User, world: World
) -> None:
    for number, ward in enumerate(world.wards, start=1):
        for _ in range(number):
            due(-30, ward=ward)
    # Longer ago than the page counts: overdue all the same.
    due(-24 * 200, ward=world.wards[5])
    found = answers(leader)["where"]
    assert "Furzedown, Wandsworth: 7 of 22 Tooting Bec, Wandsworth: 5 of 22 Balham" in found
    assert found.endswith("In other wards: 1 of 22")


def test_this_month_and_last_month_with_their_denominators(
    answers: Answers, due: MakeReferral, leader: User
) -> None:
    # Now is 23 November: so many days ago is in November, October or September.
    for days, contacted in ((1, -1), (2, -1), (3, 1), (4, None), (30, -1), (31, 2), (60, -1)):
        due(-24 * days, contacted=contacted)
    due(24)
    assert answers(leader)["in-time"] == (
        "Contacted in time November 2026 so far: 2 of 4 (50%) October 2026: 1 of 2 (50%)"
    )


def test_what_waits_for_a_decision_and_for_how_long(
    answers: Answers, make_case: MakeCase, leader: User, world: World, now: datetime
) -> None:
    assert "No report waits" in answers(leader)["waiting"]
    make_case(reported_at=now - timedelta(hours=70))
    make_case(reported_at=now - timedelta(hours=3), ward=None)
    make_case(reported_at=now - timedelta(hours=200), decided_at=now)
    make_case(reported_at=now - timedelta(hours=300), ward=world.north_ward)
    found = answers(leader)["waiting"]
    assert "2 reports wait for the hate crime officer. The oldest has waited 2 days, since Friday" in found
    assert "1 report waits" in answers(leader, borough=world.wards[0].borough.code)["waiting"]


def test_a_trial_that_waits_for_the_reader(
    answers: Answers, leader: User, trial_lead: User, world: World, now: datetime
) -> None:
    def draft(name: str, **fields: object) -> None:
        trial = factories.TrialFactory.create(name=name, status=TrialStatus.DRAFT, bcu=world.south_west)
        Trial.objects.filter(pk=trial.pk).update(**fields)

    proposed = {"proposed_at": now - timedelta(hours=5), "proposed_by": trial_lead}
    draft("Not yet proposed")
    draft("Pilot two", **proposed)
    draft("Elsewhere", **proposed, bcu=world.north)
    found = answers(leader)["waiting"]
    assert found.endswith("A trial waits for your approval, for 5 hours now: Pilot two")
    assert "approval" not in answers(trial_lead)["waiting"]


def test_why_referrals_were_closed_without_contact(
    answers: Answers, due: MakeReferral, leader: User, world: World
) -> None:
    assert "None, of referrals due 31 August 2026" in answers(leader)["why"]
    for reason in (CloseReason.NO_REPLY, CloseReason.NO_REPLY, CloseReason.DECLINED):
        due(-30, closed=1, close_reason=reason)
    due(-30, closed=1, close_reason=CloseReason.WRONG_DETAILS, ward=world.north_ward)
    due(-24 * 200, closed=1, close_reason=CloseReason.WRONG_DETAILS)
    found = answers(leader)["why"]
    assert "No reply after repeated attempts: 2 of 3 (67%) Victim declined contact: 1 of 3 (33%)" in found
    assert "No working contact details" not in found
    assert "None, of" in answers(leader, borough=world.wards[3].borough.code)["why"]


def test_whoever_chases_is_shown_the_overdue_instead(
    answers: Answers, due: MakeReferral, hcop: User, supervisor: User
) -> None:
    due(-30)
    for user in (hcop, supervisor):
        assert set(answers(user)) == set()


def test_it_names_no_case_and_asks_as_often_with_more_rows(
    client_of: ClientOf, due: MakeReferral, make_case: MakeCase, leader: User, world: World
) -> None:
    browser = client_of(leader)

    def queries(count: int) -> int:
        for number in range(count):
            due(-30, ward=world.wards[number % 6])
            due(-30, closed=1, close_reason=CLOSED_BY_RECORD[number % 4])
            make_case()
        with CaptureQueriesContext(connection) as captured:
            html = browser.get(reverse("compliance")).content.decode()
        assert not any(case.crime_reference in html for case in Case.objects.all())
        assert not any(referral.number in html for referral in Referral.objects.all())
        return len(captured)

    assert queries(2) == queries(16)
