"""What is missing of reports and outcomes."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from outcomes.quality.readers import quality
from referrals.models import Case, CaseState, ImportStatus
from src_app.accounts.models import User
from tests import factories
from tests.conftest import World

ClientOf = Callable[[User], Client]
pytestmark = pytest.mark.usefixtures("clock")
WHOLE = {"victim_hash": "f" * 64, "officer_in_case": "DC 9"}


def _case(world: World, **fields: object) -> Case:
    return factories.CaseFactory.create(ward=world.wards[0], **{**WHOLE, **fields})


def _found(user: User, now: datetime) -> dict[str, tuple[int, int]]:
    return {lack.what: (lack.number, lack.of) for lack in quality(user, now).lacks}


def test_reports_are_counted_by_what_they_lack(hcop: User, world: World, now: datetime) -> None:
    _case(world)
    _case(world, strands=[])
    _case(world, victim_hash="", officer_in_case="")
    _case(world, officer_in_case="", reported_at=now - timedelta(weeks=13))
    factories.CaseFactory.create(ward=None, bcu=world.south_west, **WHOLE)
    factories.CaseFactory.create(ward=world.north_ward, victim_hash="")
    assert _found(hcop, now) == {
        "ward": (1, 4),
        "strand": (1, 4),
        "victim": (1, 4),
        "officer": (1, 4),
        "outcome": (0, 0),
    }


def test_an_outcome_that_does_not_move_is_one_of_a_suitable_case(
    hcop: User, world: World, now: datetime
) -> None:
    def decided(days: int, *, suitable: bool = True) -> Case:
        reported_at = now - timedelta(days=days)
        case = _case(world, reported_at=reported_at, decided_at=reported_at)
        submission = factories.SubmissionFactory.create(bcu=case.bcu)
        fields = {} if suitable else {"unsuitable": True}
        factories.DecisionFactory.create(case=case, submission=submission, **fields)
        case.refresh_from_db()
        return case

    stuck = decided(100)
    assert stuck.state == CaseState.USUAL_SERVICE
    factories.RecordedOutcomeFactory.create(case=decided(100))
    decided(20)
    decided(400)
    assert _found(hcop, now)["outcome"] == (1, 2)


def test_a_number_opens_the_reports_it_counts_without_what_became_of_them(
    client_of: ClientOf, hcop: User, world: World
) -> None:
    lacks = _case(world, victim_hash="")
    other = _case(world, strands=[])
    whole = _case(world)
    browser = client_of(hcop)
    html = browser.get(reverse("data_quality")).content.decode()
    assert '<a href="?lacks=victim#list-lacking">1 of 3 (33%)</a>' in html
    assert whole.crime_reference not in html
    rows = browser.get(reverse("data_quality"), {"lacks": "victim"}).context["list"].paged.rows
    assert rows == [lacks]
    assert other.crime_reference in html
    assert "State" not in strip_tags(html)


def test_the_page_is_calm_when_all_is_well(client_of: ClientOf, hcop: User, world: World) -> None:
    _case(world)
    words = " ".join(strip_tags(client_of(hcop).get(reverse("data_quality")).content.decode()).split())
    assert "All is well." in words
    assert "Which they are" not in words


def test_a_file_that_did_not_come_is_said_of_the_own_bcu(hcop: User, world: World, now: datetime) -> None:
    for bcu in (world.south_west, world.north):
        factories.CaseImportFactory.create(
            bcu=bcu,
            uploaded_at=now - timedelta(days=3),
            parts=None,
            status=ImportStatus.SAVED,
            settled_at=now - timedelta(days=3),
            report_encrypted=None,
        )
    found = quality(hcop, now)
    assert [(file.what, file.is_late) for file in found.files] == [
        ("Extract of South West", True),
        ("Outcomes", False),
    ]
    assert not found.is_well


def test_the_queries_do_not_grow_with_rows(client_of: ClientOf, hcop: User, world: World) -> None:
    browser = client_of(hcop)

    def queries(count: int) -> int:
        for _ in range(count):
            _case(world, strands=[])
        with CaptureQueriesContext(connection) as captured:
            browser.get(reverse("data_quality"))
        return len(captured)

    assert queries(2) == queries(12)
