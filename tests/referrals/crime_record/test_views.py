"""The flag list."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape, strip_tags

from outcomes.case.readers import records_of
from outcomes.case.timeline import timeline
from referrals.crime_record import views
from referrals.crime_record.readers import flags_to_confirm, flags_to_remove
from referrals.models import Case, Referral
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.downloads import csv_rows, workbook_rows
from tests.factories import NOW

ClientOf = Callable[[User], Client]
MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def make_wrong(make_referral: MakeReferral, hcop: User, now: datetime) -> MakeReferral:
    """Makes a referral whose flag was set and has to go."""

    def make(**fields: Any) -> Referral:
        set_by = {"flag_confirmed_at": now, "flag_confirmed_by": hcop, "ruled_out_since": now}
        return make_referral(**{**set_by, **fields})

    return make


def test_cases_to_flag_are_listed_to_copy_and_confirmed_together(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral
) -> None:
    browser = client_of(hcop)
    one, two = make_referral(), make_referral()
    html = browser.get(reverse("flag_list")).content.decode()
    assert "2 cases" in html
    assert f"{one.case.crime_reference}\n{two.case.crime_reference}" in html
    response = browser.post(reverse("confirm_flags"), {"referral": [one.pk]}, follow=True)
    html = response.content.decode()
    assert "Confirmed for 1 case" in html
    assert one.case.crime_reference not in html
    assert two.case.crime_reference in html


def test_what_was_confirmed_by_mistake_is_undone_by_the_same_person_within_the_hour(
    client_of: ClientOf,
    hcop: User,
    other_hcop: User,
    make_referral: MakeReferral,
    clock: time_machine.Traveller,
) -> None:
    browser = client_of(hcop)
    one, two, other = make_referral(), make_referral(), make_referral()
    browser.post(reverse("confirm_flags"), {"referral": [other.pk]})
    browser.post(reverse("confirm_flags"), {"referral": [one.pk, two.pk]})
    html = browser.get(reverse("flag_list")).text
    assert "You confirmed the flag of 2 cases." in " ".join(html.split())
    undo = {"of": "confirmed", "referral": re.findall(r'name="referral" value="([\d,]+)"', html)}
    assert undo["referral"] == [f"{one.pk},{two.pk}"]
    client_of(other_hcop).post(reverse("undo_flags"), undo)
    assert flags_to_confirm(hcop).count() == 0
    html = browser.post(reverse("undo_flags"), undo, follow=True).text
    assert "Undone for 2 cases." in html
    assert "Undo</button>" not in html
    assert list(flags_to_confirm(hcop)) == [one, two]
    entry = AuditEntry.objects.get(action=Action.FLAGS_UNDONE)
    assert (entry.actor, sorted(entry.references)) == (hcop, [one.number, two.number])
    browser.post(reverse("confirm_flags"), {"referral": [one.pk]})
    clock.shift(timedelta(hours=1))
    # The session has ended by then.
    browser = client_of(hcop)
    page = browser.get(reverse("flag_list")).text
    assert two.case.crime_reference in page
    assert "Undo</button>" not in page
    browser.post(reverse("undo_flags"), {"of": "confirmed", "referral": [one.pk]})
    assert list(flags_to_confirm(hcop)) == [two]


def test_a_flag_said_to_be_off_by_mistake_has_to_go_again(
    client_of: ClientOf, hcop: User, make_wrong: MakeReferral
) -> None:
    browser, wrong = client_of(hcop), make_wrong()
    html = browser.post(reverse("confirm_flags_removed"), {"referral": [wrong.pk]}, follow=True).text
    assert "You said that the flag is off 1 case." in " ".join(html.split())
    browser.post(reverse("undo_flags"), {"of": "removed", "referral": [wrong.pk]})
    assert list(flags_to_remove(hcop)) == [wrong]


def test_a_confirmed_flag_that_has_to_go_since_is_not_unconfirmed(
    client_of: ClientOf, hcop: User, make_wrong: MakeReferral
) -> None:
    wrong = make_wrong()
    client_of(hcop).post(reverse("undo_flags"), {"of": "confirmed", "referral": [wrong.pk]})
    assert list(flags_to_remove(hcop)) == [wrong]


def test_a_flag_that_was_never_confirmed_here_is_looked_for_and_settled_once(
    client_of: ClientOf, hcop: User, make_wrong: MakeReferral, now: datetime
) -> None:
    """It may have been set on the crime record all the same, before the case was found not suitable."""
    browser, never = client_of(hcop), make_wrong(flag_confirmed_at=None, flag_confirmed_by=None)
    make_wrong()
    html = browser.get(reverse("flag_list")).text
    assert html.count("No: look whether it is set") == 1
    html = browser.post(reverse("confirm_flags_removed"), {"referral": [never.pk]}, follow=True).text
    assert never.case.crime_reference not in html
    never.refresh_from_db()
    assert (never.flag_removed_at, never.flag_removed_by, never.flag_confirmed_at) == (now, hcop, None)
    case = Case.objects.get(pk=never.case_id)
    assert "Flag looked for: it is off" in [event.title for event in timeline(case, records_of(case))]
    browser.post(reverse("undo_flags"), {"of": "removed", "referral": [never.pk]})
    assert never in flags_to_remove(hcop)


def test_the_navigation_counts_the_flags_to_see_to(
    client_of: ClientOf, hcop: User, officer: User, make_wrong: MakeReferral, make_referral: MakeReferral
) -> None:
    def told(user: User) -> str:
        page = client_of(user).get(reverse("home"), follow=True).text
        return " ".join(strip_tags(page).split())

    assert "Flag 49 (" not in told(hcop)
    make_referral()
    make_wrong()
    make_referral(ruled_out_since=NOW)
    assert "Flag 49 (3 waiting)" in told(hcop)
    assert "Flag 49" not in told(officer)


@pytest.mark.parametrize("name", ["confirm_flags", "confirm_flags_removed"])
def test_ticking_nothing_says_so(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral, name: str
) -> None:
    make_referral()
    response = client_of(hcop).post(reverse(name), {"referral": ["x"]}, follow=True)
    assert "Nothing is ticked" in response.content.decode()


def test_flags_that_have_to_go_stand_first_and_are_ticked_off(
    client_of: ClientOf, make_wrong: MakeReferral, hcop: User, make_referral: MakeReferral, now: datetime
) -> None:
    browser = client_of(hcop)
    to_set, later, first = make_referral(), make_wrong(), make_wrong(ruled_out_since=now - timedelta(days=1))
    html = browser.get(reverse("flag_list")).content.decode()
    order = [
        "Remove",
        first.case.crime_reference,
        later.case.crime_reference,
        "Confirm the ticked flags are off",
        to_set.case.crime_reference,
    ]
    assert [html.index(words) for words in order] == sorted(html.index(words) for words in order)
    assert AuditEntry.objects.get(action=Action.LIST_SHOWN).references == [
        first.number,
        first.case.crime_reference,
        later.number,
        later.case.crime_reference,
        to_set.number,
        to_set.case.crime_reference,
    ]
    ids = {"referral": [first.pk, to_set.pk]}
    for confirmed in ("1 case", "0 cases"):
        response = browser.post(reverse("confirm_flags_removed"), ids, follow=True)
        assert f"Removed from {confirmed}" in response.content.decode()
    assert first.case.crime_reference not in response.content.decode()
    first.refresh_from_db()
    to_set.refresh_from_db()
    assert (first.flag_removed_at, first.flag_removed_by, to_set.flag_removed_at) == (now, hcop, None)
    entry = AuditEntry.objects.get(action=Action.FLAGS_REMOVED)
    assert (entry.references, entry.fields) == ([first.number], ["flag_removed_at", "flag_removed_by"])


def test_a_flag_that_has_to_go_cannot_be_confirmed(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral, now: datetime
) -> None:
    never_set = make_referral(ruled_out_since=now)
    client_of(hcop).post(reverse("confirm_flags"), {"referral": [never_set.pk]})
    never_set.refresh_from_db()
    assert never_set.flag_confirmed_at is None


def test_more_than_a_page_of_them_goes_on_upon_another(
    client_of: ClientOf, hcop: User, make_wrong: MakeReferral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "TO_REMOVE", replace(views.TO_REMOVE, per_page=2))
    wrong, browser = [make_wrong() for _ in range(3)], client_of(hcop)
    first = browser.get(reverse("flag_list"))
    assert "2 cases on this page" in " ".join(strip_tags(first.content.decode()).split())
    second = browser.get(first.context["to_remove"].paged.next_url)
    shown = first.context["to_remove"].paged.rows + second.context["to_remove"].paged.rows
    assert shown == wrong


def test_an_empty_list_says_when_there_will_be_more(client_of: ClientOf, hcop: User) -> None:
    assert "Every flag is confirmed" in client_of(hcop).get(reverse("flag_list")).content.decode()


def test_a_borough_narrows_what_is_to_be_confirmed_alone(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral, make_wrong: MakeReferral, world: World
) -> None:
    merton, wandsworth, wrong = make_referral(), make_referral(ward=world.wards[3]), make_wrong()
    asked: dict[str, Any] = {"borough": world.wards[3].borough_id, "remove-order": "latest"}
    response = client_of(hcop).get(reverse("flag_list"), asked)
    assert response.context["to_confirm"].paged.rows == [wandsworth]
    assert response.context["to_remove"].paged.rows == [wrong]
    assert merton.number not in response.content.decode()
    # Each form sends on what the other one has said.
    assert response.context["to_confirm"].kept == [("remove-order", "latest")]
    assert response.context["to_remove"].kept == [("borough", str(asked["borough"]))]


@pytest.mark.parametrize("asked", [{"remove-order": "x"}, {"borough": "x"}, {"order": "x"}])
def test_a_list_stands_on_the_page_also_where_its_filter_makes_no_sense(
    client_of: ClientOf,
    hcop: User,
    make_referral: MakeReferral,
    make_wrong: MakeReferral,
    asked: dict[str, str],
) -> None:
    make_referral(), make_wrong()
    [name] = asked
    html = client_of(hcop).get(reverse("flag_list"), asked).content.decode()
    assert f'id="id_{name}"' in html
    assert "Nothing fits" in html
    assert "Every flag is confirmed" not in html


@pytest.mark.parametrize("act", ["confirm_flags", "confirm_flags_removed"])
def test_after_ticking_the_page_is_at_the_same_filters(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral, make_wrong: MakeReferral, act: str
) -> None:
    to_set, wrong = make_referral(), make_wrong()
    browser = client_of(hcop)
    query = f"borough={to_set.ward.borough_id}&remove-order=latest"
    html = browser.get(f"{reverse('flag_list')}?{query}").content.decode()
    assert html.count(f'name="asked" value="{escape(query)}"') == 2
    for ticked in ([], [to_set.pk, wrong.pk]):
        response = browser.post(reverse(act), {"referral": ticked, "asked": query})
        assert response["Location"] == f"{reverse('flag_list')}?{query}"


def test_an_entry_names_the_filters_of_both_lists(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral, make_wrong: MakeReferral
) -> None:
    to_set, wrong = make_referral(), make_wrong()
    asked: dict[str, str] = {"borough": str(to_set.ward.borough_id), "remove-order": "latest"}
    client_of(hcop).get(reverse("flag_list"), asked)
    entry = AuditEntry.objects.latest("pk")
    assert entry.fields == ["borough", "order"]
    assert {to_set.number, wrong.number} <= {*entry.references}


def test_both_lists_come_in_the_other_order_where_that_is_asked_for(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral, make_wrong: MakeReferral, now: datetime
) -> None:
    early, late = make_referral(made_at=now - timedelta(days=2)), make_referral(made_at=now)
    first, last = make_wrong(ruled_out_since=now - timedelta(days=1)), make_wrong()
    browser = client_of(hcop)
    usual = browser.get(reverse("flag_list")).context
    turned = browser.get(reverse("flag_list"), {"order": "latest", "remove-order": "latest"}).context
    assert usual["to_confirm"].paged.rows == turned["to_confirm"].paged.rows[::-1] == [early, late]
    assert usual["to_remove"].paged.rows == turned["to_remove"].paged.rows[::-1] == [first, last]


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_each_of_the_lists_is_a_file_of_its_own(
    client_of: ClientOf,
    hcop: User,
    make_referral: MakeReferral,
    make_wrong: MakeReferral,
    world: World,
    rows: Callable[..., list[dict[str, Any]]],
) -> None:
    to_set, wrong = make_referral(), make_wrong()
    make_referral(ward=world.north_ward)
    browser = client_of(hcop)
    [row] = rows(browser, reverse("flag_list"))
    assert (row["Flag is set"], row["Referral"]) == (to_set.case.crime_reference, to_set.number)
    assert AuditEntry.objects.latest("pk").references == [to_set.number, to_set.case.crime_reference]
    [row] = rows(browser, reverse("flag_list"), "remove-")
    assert (row["Flag is off"], row["Team"]) == (wrong.case.crime_reference, "Abbey team")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.rows) == (Action.DOWNLOADED, 1)
    assert entry.references == [wrong.number, wrong.case.crime_reference]


def test_the_number_of_queries_does_not_grow_with_rows(
    client_of: ClientOf, hcop: User, make_referral: MakeReferral, make_wrong: MakeReferral
) -> None:
    browser = client_of(hcop)

    def add(count: int) -> int:
        for _ in range(count):
            make_referral()
            make_wrong()
        with CaptureQueriesContext(connection) as queries:
            browser.get(reverse("flag_list"))
        return len(queries)

    assert add(3) == add(27)
