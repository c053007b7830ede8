"""The search in the header of every page: by a crime reference or an SRC number, whole or its end."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.cases.readers import MOST_FOUND, cases_found, references_of
from referrals.models import Case, Referral
from src_app.accounts.models import User
from src_app.accounts.roles import PERMISSIONS, Permission
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.database import owner_rights
from tests.factories import CaseFactory, ReferralFactory

SEARCH = reverse("search")
MakeCase = Callable[..., Case]
MakeReferral = Callable[..., Referral]
ClientOf = Callable[[User], Client]


def _search(browser: Client, typed: str) -> Any:
    return browser.post(SEARCH, {"reference": typed})


def _words(page: str) -> str:
    """The main column as it is read, without the token of its form."""
    main = page.split("<main")[1].split("</main>")[0]
    return " ".join(re.sub(r"<[^>]*>|&[a-z#0-9]+;", " ", main).split())


@pytest.mark.parametrize(
    "typed",
    ["01/7000001/26", " 01-7000001-26 ", "01 7000001 26", "01700000126"],
)
def test_a_crime_reference_opens_the_case_however_it_is_written(
    client_of: ClientOf, hcop: User, make_case: MakeCase, typed: str
) -> None:
    case = make_case(crime_reference="01/7000001/26")
    make_case(crime_reference="01/7000002/27")
    response = _search(client_of(hcop), typed)
    assert response["Location"] == reverse("case", args=[case.pk])


@pytest.mark.parametrize("typed", ["7000001/26", "0126", "00001/26", "7000001", "0001"])
def test_the_end_of_one_is_listed_with_or_without_its_year_and_never_opened_at_once(
    client_of: ClientOf, hcop: User, make_case: MakeCase, typed: str, now: datetime
) -> None:
    """The end of one reference may be that of another victim's too, whom nobody thought of."""
    case = make_case(crime_reference="01/7000001/26")
    make_case(crime_reference="01/7000002/27")
    make_case(crime_reference="01/7000001/24")
    with time_machine.travel(now, tick=False):
        response = _search(client_of(hcop), typed)
    assert response.context["found"] == [case]
    assert reverse("case", args=[case.pk]) in response.content.decode()


@pytest.mark.parametrize("typed", ["SRC-2026-000007", "src 2026 000007", "SRC2026000007", "02/8000002/26"])
def test_an_officer_is_led_to_the_referral(
    client_of: ClientOf, officer: User, make_referral: MakeReferral, typed: str
) -> None:
    make_referral(number="SRC-2026-000007", case__crime_reference="02/8000002/26")
    make_referral(number="SRC-2026-000018", case__crime_reference="02/8000003/26")
    assert _search(client_of(officer), typed)["Location"] == reverse("referral", args=["SRC-2026-000007"])


def test_an_hcop_who_gives_an_src_number_is_led_to_the_referral(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral
) -> None:
    referral = make_referral(number="SRC-2026-000007")
    browser = client_of(hcop)
    assert _search(browser, "SRC-2026-000007")["Location"] == reverse("referral", args=[referral.number])
    assert _search(browser, "000007").context["found"] == [referral.case]


def test_a_crime_reference_that_looks_like_an_src_number_opens_its_case(
    client_of: ClientOf, hcop: User, make_case: MakeCase
) -> None:
    """A force may write its crime references as it likes."""
    case = make_case(crime_reference="SRC/2026/0042")
    assert _search(client_of(hcop), "SRC/2026/0042")["Location"] == reverse("case", args=[case.pk])


def test_several_are_listed_the_latest_report_first(
    client_of: ClientOf, hcop: User, make_case: MakeCase, make_referral: MakeReferral
) -> None:
    referred = make_referral(case__crime_reference="01/7004711/26").case
    late = make_case(crime_reference="01/7104711/26")
    early = make_case(crime_reference="01/7204711/26", reported_at=referred.reported_at - timedelta(days=1))
    make_referral(number="SRC-2026-004711", case__crime_reference="01/7200001/25")
    browser = client_of(hcop)
    response = _search(browser, "4711/26")
    assert response.context["found"] == [late, referred, early]
    page = response.content.decode()
    assert all(reverse("case", args=[case.pk]) in page for case in (early, referred, late))
    assert reverse("referral", args=[referred.referral.number]) in page
    assert "01/7200001/25" not in page
    assert len(_search(browser, "4711").context["found"]) == 4, "one has such a number"


def test_an_officer_finds_no_case_and_no_address_of_one(
    client_of: ClientOf, officer: User, make_case: MakeCase, make_referral: MakeReferral
) -> None:
    make_case(crime_reference="01/7004711/26")
    for number in range(2):
        make_referral(case__crime_reference=f"01/710471{number}/26", number=f"SRC-2026-0{number}0000")
    browser = client_of(officer)
    assert "Nothing found" in _search(browser, "01/7004711/26").content.decode()
    page = _search(browser, "0000").content.decode()
    assert {"SRC-2026-000000", "SRC-2026-010000", "01/7104710/26", "01/7104711/26"} == set(
        re.findall(r"SRC-[\d-]+|\d\d/\d+/\d\d", page)
    )
    assert "/cases/" not in page


def test_a_whole_reference_is_found_before_longer_ones_that_end_so(
    client_of: ClientOf, hcop: User, make_case: MakeCase
) -> None:
    whole = make_case(crime_reference="01/1234/26")
    for number in range(MOST_FOUND + 1):
        make_case(crime_reference=f"{number:02}/011234/26")
    response = _search(client_of(hcop), "01123426")
    assert response["Location"] == reverse("case", args=[whole.pk])


def test_of_very_many_as_many_as_fit_are_shown_and_said_to_be_more(
    client_of: ClientOf, hcop: User, make_case: MakeCase
) -> None:
    for number in range(MOST_FOUND + 2):
        make_case(crime_reference=f"01/71{number:02}4711/26")
    page = _search(client_of(hcop), "4711/26").content.decode()
    shown = set(re.findall(r"01/71\d\d4711/26", page))
    assert len(shown) == MOST_FOUND
    assert f"More than {MOST_FOUND}" in page
    assert set(AuditEntry.objects.latest("pk").references) == shown


@pytest.mark.parametrize("who", ["hcop", "officer", "supervisor"])
@pytest.mark.parametrize(
    ("outside", "missing"),
    [
        ("09/9000001/26", "09/9000002/26"),
        ("9000001/26", "9000002/26"),
        ("SRC-2026-009001", "SRC-2026-009002"),
        ("9001", "9002"),
    ],
)
def test_what_lies_outside_of_the_scope_answers_as_what_does_not_exist(
    client_of: ClientOf,
    request: pytest.FixtureRequest,
    world: World,
    make_case: MakeCase,
    make_referral: MakeReferral,
    who: str,
    outside: str,
    missing: str,
) -> None:
    user: User = request.getfixturevalue(who)
    make_referral()
    ward = world.north_ward if who == "hcop" else world.wards[1]
    case = CaseFactory.create(crime_reference="09/9000001/26", ward=ward, decided_at=None)
    ReferralFactory.create(case=case, number="SRC-2026-009001", ward=ward)
    browser = client_of(user)
    _search(browser, "first of all")
    pages, counts = [], []
    for typed in (outside, missing):
        with CaptureQueriesContext(connection) as queries:
            response = _search(browser, typed)
        assert response.status_code == 200
        pages.append(_words(response.content.decode().replace(typed, "what was typed")))
        counts.append(len(queries))
    assert "Nothing found" in pages[0]
    assert pages[0] == pages[1]
    assert counts[0] == counts[1]


def test_a_shorter_one_outside_of_the_scope_does_not_hide_a_longer_one_within(
    client_of: ClientOf, hcop: User, world: World, make_case: MakeCase
) -> None:
    """Whether the whole of what was typed exists elsewhere must not show by what is found here."""
    CaseFactory.create(crime_reference="01/1234/26", ward=world.north_ward)
    within = make_case(crime_reference="99/011234/26")
    response = _search(client_of(hcop), "01/1234/26")
    assert response.context["found"] == [within]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Enter a crime reference or an SRC number"),
        ("/26", "Enter at least the last 4 digits"),
        ("Jane Example", "Nothing found"),
        ("1" * 61, "at most 60"),
        ("<script>alert(1)</script>", "Nothing found"),
    ],
)
def test_what_cannot_be_found_says_so_and_keeps_what_was_typed(
    client_of: ClientOf, hcop: User, make_case: MakeCase, typed: str, says: str
) -> None:
    make_case(crime_reference="01/7000001/26")
    response = _search(client_of(hcop), typed)
    page = response.content.decode()
    assert response.status_code == 200
    assert says in page
    assert typed not in page or "<" not in typed
    assert response.context["form"]["reference"].value() == typed


@pytest.mark.parametrize(("who", "purpose"), [("hcop", Purpose.REVIEW), ("officer", Purpose.CONTACT)])
def test_a_search_is_recorded_with_what_it_found(
    client_of: ClientOf,
    request: pytest.FixtureRequest,
    make_referral: MakeReferral,
    who: str,
    purpose: Purpose,
) -> None:
    user = request.getfixturevalue(who)
    make_referral(number="SRC-2026-000007", case__crime_reference="01/7000001/26")
    _search(client_of(user), "7000001/26")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (user, Action.SEARCHED, purpose)
    assert entry.references == ["01/7000001/26", "SRC-2026-000007"]


@pytest.mark.parametrize(
    ("typed", "recorded"),
    [
        ("09900000126", ["09/9000001/26"]),
        ("09 9000001 26", ["09/9000001/26"]),
        ("01/7000009/26", ["01/7000009/26"]),
        ("9000001/26", []),
        ("Jane Example", []),
        ("07700900123", []),
    ],
)
def test_whoever_searches_for_a_whole_reference_in_vain_is_on_record_and_other_text_is_not(
    client_of: ClientOf, hcop: User, world: World, typed: str, recorded: list[str]
) -> None:
    CaseFactory.create(crime_reference="09/9000001/26", ward=world.north_ward)
    _search(client_of(hcop), typed)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.references) == (Action.SEARCHED, recorded)


def test_no_reference_stands_in_an_address_and_the_form_is_guarded(hcop: User, make_case: MakeCase) -> None:
    make_case(crime_reference="01/7000001/26")
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(hcop)
    assert guarded.post(SEARCH, {"reference": "01/7000001/26"}).status_code == 403
    assert "Found" not in guarded.get(SEARCH, {"reference": "01/7000001/26"}).content.decode()


def test_as_many_queries_for_twenty_as_for_two(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral
) -> None:
    browser, counts = client_of(hcop), []
    for more in (range(2), range(2, 20)):
        for number in more:
            make_referral(case__crime_reference=f"01/71{number:02}4711/26")
        with CaptureQueriesContext(connection) as queries:
            assert len(_search(browser, "4711/26").context["found"]) == more.stop
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_whoever_may_open_cases_or_referrals_may_search() -> None:
    """The guard of the page asks for the one permission that all of them hold."""
    for role, held in PERMISSIONS.items():
        assert Permission.VIEW_CASES not in held or Permission.VIEW_REFERRALS in held, role


@pytest.mark.parametrize("who", ["hcop", "officer"])
def test_the_indexes_find_them_among_thousands(
    request: pytest.FixtureRequest, world: World, hcop: User, who: str
) -> None:
    user = request.getfixturevalue(who)
    _make(3_000, world, hcop)
    with CaptureQueriesContext(connection) as queries:
        assert len(cases_found(user, "0104226").cases) == 1
        assert references_of("01710104226") == ["01/7101042/26"]
    for query in queries:
        if "UPPER(" not in query["sql"]:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {query['sql']}")
            plan = json.dumps(cursor.fetchone())
        assert '"case_backwards"' in plan
        assert '"referral_backwards"' in plan
        assert not re.search(r'"Seq Scan"[^{}]*"referrals_(case|referral)"', plan)


def _make(number: int, world: World, by: User) -> None:
    """So many cases, each with its referral, and what the database knows of how they are spread."""
    ward = world.wards[0]
    cases = Case.objects.bulk_create(
        CaseFactory.build(ward=ward, bcu=world.south_west, crime_reference=f"01/{7_100_000 + each}/26")
        for each in range(number)
    )
    Referral.objects.bulk_create(
        ReferralFactory.build(case=case, ward=ward, team=ward.team, made_by=by) for case in cases
    )
    with owner_rights(), connection.cursor() as cursor:
        cursor.execute("ANALYZE referrals_case, referrals_referral")
