"""The page Outcomes and its chart."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from outcomes.rates.actions import compute_rates
from referrals.models import Case
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.factories import (
    AllocationFactory,
    DecisionFactory,
    OutcomeCodeFactory,
    RecordedOutcomeFactory,
    SubmissionFactory,
)

ClientOf = Callable[[User], Client]
MakeCase = Callable[..., Case]
Text = Callable[..., str]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def text(client_of: ClientOf) -> Text:
    """The page's words as that account reads them."""

    def text(user: User, **asked: str) -> str:
        response = client_of(user).get(reverse("outcomes"), asked)
        assert response.status_code == 200
        return " ".join(strip_tags(response.content.decode().split("<main")[1]).split())

    return text


@pytest.fixture
def decided(make_case: MakeCase, now: datetime) -> MakeCase:
    """Makes a submitted case, with an outcome where a code is given."""

    def decided(code: int | None = None) -> Case:
        case = make_case(decided_at=now)
        DecisionFactory.create(case=case, submission=SubmissionFactory.create(bcu=case.bcu))
        if code:
            RecordedOutcomeFactory.create(case=case, code=OutcomeCodeFactory.create(code=code))
        return case

    return decided


def test_outcomes_are_told_over_both_denominators_and_never_by_arm(
    text: Text, leader: User, hcop: User, trial_lead: User, decided: MakeCase
) -> None:
    for code in (16, 14, 1, 18, None):
        AllocationFactory.create(case=decided(code))
    for user in (leader, hcop, trial_lead):
        with CaptureQueriesContext(connection) as queries:
            page = text(user)
        assert "5 suitable cases, 4 of them closed." in page
        assert "Victim withdrew support (attrition) 2 of 5 (40%) 2 of 4 (50%)" in page
        assert "Charge 1 of 5 (20%) 1 of 4 (25%)" in page
        assert not re.search(r"\b(arm|control|allocat\w*)\b", page, re.IGNORECASE)
        assert not [query for query in queries if "referrals_allocation" in query["sql"]]


def test_a_supervisor_is_shown_no_outcomes(client_of: ClientOf, supervisor: User) -> None:
    for name in ("outcomes", "outcomes_chart"):
        assert client_of(supervisor).get(reverse(name)).status_code == 403


def test_the_trend_names_each_counted_week_and_what_changed(
    text: Text, leader: User, system: User, decided: MakeCase, now: datetime
) -> None:
    decided(16)
    compute_rates(by=system, at=now - timedelta(weeks=1))
    decided(18)
    compute_rates(by=system, at=now)
    page = text(leader)
    assert (
        "The victim withdrew support in 1 of 1 (100%) closed cases on 16 November 2026, "
        "and in 1 of 2 (50%) on 23 November 2026." in page
    )
    assert "16 November 2026 1 1 of 1 (100%) 0 of 1 (0%) 0 of 1 (0%)" in page


def test_a_past_day_is_shown_as_it_was_computed_with_its_date(
    text: Text, leader: User, system: User, decided: MakeCase, now: datetime
) -> None:
    decided(16)
    compute_rates(by=system, at=now - timedelta(days=1))
    decided(18)
    page = text(leader, day="2026-11-22")
    assert "As computed on 22 November 2026" in page
    assert "1 suitable case, 1 of them closed." in page
    assert "2 suitable cases, 2 of them closed." in text(leader)


def test_a_day_that_was_not_counted_or_is_none_is_said_and_the_totals_shown(
    text: Text, leader: User, decided: MakeCase
) -> None:
    decided(16)
    page = text(leader, day="2026-11-01")
    assert "No counts of that day" in page
    assert "1 suitable case, 1 of them closed." in page
    page = text(leader, day="0001-01-01")
    assert "Give a date from 2000 to 2099." in page
    page = text(leader, day="soon")
    assert "There is a problem" in page
    assert "1 suitable case, 1 of them closed." in page


def test_before_anything_is_counted_the_page_says_what_comes(text: Text, leader: User) -> None:
    page = text(leader)
    assert "No outcomes yet" in page
    assert "No night has been counted yet" in page


def test_the_page_is_a_consultation(client_of: ClientOf, leader: User) -> None:
    client_of(leader).get(reverse("outcomes"))
    entry = AuditEntry.objects.get(action=Action.LIST_SHOWN)
    assert (entry.actor, entry.purpose, entry.origin) == (leader, Purpose.EVALUATION, "page outcomes")


def test_the_number_of_queries_does_not_grow_with_nights(
    client_of: ClientOf, leader: User, system: User, decided: MakeCase, now: datetime
) -> None:
    browser = client_of(leader)

    def queries(weeks: int) -> int:
        for week in range(weeks):
            decided(16)
            compute_rates(by=system, at=now - timedelta(weeks=week))
        with CaptureQueriesContext(connection) as captured:
            browser.get(reverse("outcomes"))
        return len(captured)

    assert queries(1) == queries(12)


def test_the_chart_is_a_picture_of_the_same_nights(
    client_of: ClientOf, leader: User, system: User, decided: MakeCase, now: datetime
) -> None:
    decided(16)
    compute_rates(by=system, at=now)
    response = client_of(leader).get(reverse("outcomes_chart"))
    assert response["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert "23 Nov" in response.content.decode()
