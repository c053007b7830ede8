"""The list of cases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.cases import views
from referrals.models import Arm, Case, ContactBy, Reason, Referral
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.downloads import csv_rows, workbook_rows
from tests.factories import AllocationFactory, CaseFactory, DecisionFactory

LIST = reverse("case_list")
MakeCase = Callable[..., Case]


@pytest.fixture
def browser(client_of: Callable[[User], Client], hcop: User) -> Client:
    return client_of(hcop)


def _shown(browser: Client, **query: Any) -> set[str]:
    return {case.crime_reference for case in browser.get(LIST, query).context["list"].paged.rows}


def test_it_shows_what_became_of_each(
    browser: Client, now: datetime, make_case: MakeCase, make_referral: Callable[..., Referral]
) -> None:
    make_case(crime_reference="01/7000001/26")
    make_referral(number="SRC-2026-000007", case__crime_reference="01/7000002/26")
    control = make_case(crime_reference="01/7000003/26", decided_at=now)
    DecisionFactory.create(case=control)
    AllocationFactory.create(case=control, arm=Arm.CONTROL)
    DecisionFactory.create(
        case=make_case(crime_reference="01/7000004/26", decided_at=now),
        suitable=False,
        reason=Reason.DUPLICATE,
        contact_by=ContactBy.INVESTIGATOR,
    )
    table = browser.get(LIST).context["list"].table
    assert {
        row.get_cell("crime_reference").split(">")[1].split("<")[0]: row.get_cell("state")
        for row in table.rows
    } == {
        "01/7000001/26": "Awaiting decision",
        "01/7000002/26": 'SRC: <a href="/referrals/SRC-2026-000007/">SRC-2026-000007</a>, open',
        "01/7000003/26": "Usual service",
        "01/7000004/26": "Not suitable: Duplicate of another report",
    }


def test_a_control_case_looks_like_one_of_a_ward_not_started(
    browser: Client, now: datetime, make_case: MakeCase
) -> None:
    control, not_started = (make_case(decided_at=now) for _ in range(2))
    for case in (control, not_started):
        DecisionFactory.create(case=case)
    AllocationFactory.create(case=control, arm=Arm.CONTROL)
    response = browser.get(LIST)
    assert [row.get_cell("state") for row in response.context["list"].table.rows] == ["Usual service"] * 2
    assert "control" not in response.content.decode().lower()


def test_strand_and_offence_wait_until_a_case_is_opened(browser: Client, make_case: MakeCase) -> None:
    make_case(crime_reference="01/7000001/26", offence="Criminal damage")
    page = browser.get(LIST).content.decode()
    assert "01/7000001/26" in page
    assert "Criminal damage" not in page
    assert "Race" not in page


def test_cases_of_another_bcu_are_not_shown(browser: Client, world: World, make_case: MakeCase) -> None:
    make_case(crime_reference="01/7000001/26")
    CaseFactory.create(ward=world.north_ward)
    assert _shown(browser) == {"01/7000001/26"}


def test_a_case_without_a_ward_is_shown(browser: Client, make_case: MakeCase) -> None:
    make_case(ward=None)
    assert "Unknown" in browser.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("state", "found"),
    [("waiting", "w"), ("referred", "r"), ("usual_service", "u"), ("not_suitable", "n"), ("", "wrun")],
)
def test_filter_by_state(
    browser: Client,
    now: datetime,
    make_case: MakeCase,
    make_referral: Callable[..., Referral],
    state: str,
    found: str,
) -> None:
    """High risk is not suitable for the trial and referred all the same: it shows as referred."""
    make_case(crime_reference="w")
    referred = make_case(crime_reference="r", decided_at=now)
    DecisionFactory.create(
        case=referred, suitable=False, reason=Reason.HIGH_RISK, contact_by=ContactBy.NEIGHBOURHOOD_TEAM
    )
    make_referral(case=referred)
    DecisionFactory.create(case=make_case(crime_reference="u", decided_at=now))
    DecisionFactory.create(
        case=make_case(crime_reference="n", decided_at=now),
        suitable=False,
        reason=Reason.CLOSED,
        contact_by=ContactBy.INVESTIGATOR,
    )
    assert _shown(browser, state=state) == set(found)


def test_filter_by_borough_and_ward(browser: Client, world: World, make_case: MakeCase) -> None:
    make_case(crime_reference="a", ward=world.wards[0])
    make_case(crime_reference="b", ward=world.wards[1])
    make_case(crime_reference="c", ward=world.wards[3])
    assert _shown(browser, borough=world.wards[0].borough_id) == {"a", "b"}
    assert _shown(browser, ward=world.wards[1].pk) == {"b"}


def test_a_ward_of_another_bcu_is_no_choice(browser: Client, world: World) -> None:
    response = browser.get(LIST, {"ward": world.north_ward.pk})
    assert "There is a problem" in response.content.decode()
    assert "Hendon" not in response.content.decode()


def test_filter_by_day_of_the_report(browser: Client, now: datetime, make_case: MakeCase) -> None:
    midnight = now.replace(hour=0, minute=0)
    make_case(crime_reference="before", reported_at=midnight - timedelta(minutes=1))
    make_case(crime_reference="after", reported_at=midnight)
    assert _shown(browser, first="2026-11-23") == {"after"}
    assert _shown(browser, last="2026-11-22") == {"before"}


def test_the_list_is_a_consultation_of_what_it_shows(
    browser: Client, hcop: User, make_case: MakeCase
) -> None:
    make_case(crime_reference="01/7000001/26")
    make_case(crime_reference="01/7000002/26")
    browser.get(LIST)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (hcop, Action.LIST_SHOWN, Purpose.REVIEW)
    assert set(entry.references) == {"01/7000001/26", "01/7000002/26"}


def test_as_many_queries_for_thirty_rows_as_for_three(
    browser: Client, make_case: MakeCase, make_referral: Callable[..., Referral]
) -> None:
    counts = []
    for more in (1, 9):
        for _ in range(more):
            make_case()
            make_referral()
            DecisionFactory.create(case=make_case())
        with CaptureQueriesContext(connection) as queries:
            browser.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_pages_follow_each_other(browser: Client, make_case: MakeCase) -> None:
    references = {make_case().crime_reference for _ in range(60)}
    first = browser.get(LIST).context["list"].paged
    second = browser.get(first.next_url).context["list"].paged
    assert len(first.rows) == 50
    assert {case.crime_reference for case in first.rows + second.rows} == references
    assert not second.next_url


def test_the_earliest_come_first_where_that_is_asked_for(
    browser: Client, now: datetime, make_case: MakeCase
) -> None:
    late, early = make_case(reported_at=now), make_case(reported_at=now - timedelta(days=1))
    assert browser.get(LIST).context["list"].paged.rows == [late, early]
    assert browser.get(LIST, {"order": "earliest"}).context["list"].paged.rows == [early, late]


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_a_file_holds_what_the_filters_leave_of_the_own_bcu(
    browser: Client,
    hcop: User,
    world: World,
    now: datetime,
    make_case: MakeCase,
    make_referral: Callable[..., Referral],
    rows: Callable[..., list[dict[str, Any]]],
) -> None:
    make_case(crime_reference="01/7000001/26", reported_at=now)
    make_referral(number="SRC-2026-000007", case__crime_reference="01/7000002/26", case__reported_at=now)
    make_case(crime_reference="01/7000003/26", ward=world.wards[1])
    CaseFactory.create(ward=world.north_ward)
    found = rows(browser, LIST, ward=world.wards[0].pk, order="earliest")
    assert [(row["Report"], row["Ward"], row["State"]) for row in found] == [
        ("01/7000001/26", "Abbey, Merton", "Awaiting decision"),
        ("01/7000002/26", "Abbey, Merton", "SRC: SRC-2026-000007, open"),
    ]
    assert str(found[0]["Reported"])[:10] == "2026-11-23"
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (hcop, Action.DOWNLOADED, Purpose.REVIEW)
    assert (entry.references, entry.fields, entry.rows) == (
        ["01/7000001/26", "01/7000002/26", "SRC-2026-000007"],
        ["order", "ward"],
        2,
    )


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_that_is_cut_says_so_in_its_name_and_in_the_log(
    browser: Client, make_case: MakeCase, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(views, "CASES", replace(views.CASES, most=2))
    for _ in range(3):
        make_case()
    response = browser.get(LIST, {"format": kind})
    assert response["Content-Disposition"].endswith(f'-first-2.{kind}"')
    entry = AuditEntry.objects.latest("pk")
    assert (entry.fields, entry.rows, len(entry.references)) == (["cut"], 2, 2)


def test_a_file_takes_as_many_queries_for_thirty_rows_as_for_three(
    browser: Client, make_case: MakeCase
) -> None:
    counts = []
    for more in (3, 27):
        for _ in range(more):
            make_case()
        with CaptureQueriesContext(connection) as queries:
            csv_rows(browser, LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]
