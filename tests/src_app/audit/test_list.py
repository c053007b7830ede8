"""The auditor's list, its filters, and what is recorded of looking at it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.models import Referral
from src_app.accounts.models import User
from src_app.audit import searched_references
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.factories import AuditEntryFactory, UserFactory

URL = reverse("audit_list")
Browser = Callable[[User], Client]


@pytest.fixture
def browser(client_of: Browser, auditor: User) -> Client:
    return client_of(auditor)


def _latest() -> AuditEntry:
    entry = AuditEntry.objects.order_by("-pk").first()
    assert entry is not None
    return entry


def test_it_shows_who_did_what_when_and_why(browser: Client, now: datetime) -> None:
    who = UserFactory.create(username="hcop", display_name="HCOP South West")
    AuditEntryFactory.create(
        actor=who,
        action=Action.CASE_OPENED,
        at=now,
        references=["01/7000001/26"],
        fields=["ward"],
        origin="page case",
    )
    page = browser.get(URL).content.decode()
    for expected in (
        "HCOP South West (hcop)",
        "Case opened",
        "Overnight review",
        "01/7000001/26",
        "23 November 2026, 7:30am",
        "page case",
        "ward",
    ):
        assert expected in page


def test_an_act_that_has_no_name_any_more_is_shown_as_it_was_kept(browser: Client) -> None:
    AuditEntryFactory.create(action="act of long ago")
    assert "act of long ago" in browser.get(URL).content.decode()


def test_many_references_are_shown_as_a_number(browser: Client) -> None:
    AuditEntryFactory.create(references=[f"ref-{number}" for number in range(25)])
    assert "case: ref-0, ref-1, ref-2 and 22 others" in browser.get(URL).content.decode()


def test_an_act_without_an_account_is_shown(browser: Client) -> None:
    AuditEntryFactory.create(actor=None, action=Action.SIGN_IN_FAILED)
    assert "Not signed in" in browser.get(URL).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"a", "b", "c"}),
        ({"account": "hcop"}, {"a"}),
        ({"action": "case opened"}, {"b"}),
        ({"purpose": "contact"}, {"c"}),
        ({"first": "2026-11-23"}, {"b", "c"}),
        ({"last": "2026-11-22"}, {"a"}),
        ({"first": "2026-11-23", "last": "2026-11-23"}, {"b", "c"}),
        ({"first": "2026-11-24"}, set()),
    ],
)
def test_filters(browser: Client, now: datetime, query: dict[str, str], found: set[str]) -> None:
    """A day is a day in London: 11:30pm on 22 November is the 22nd, half past midnight the 23rd."""
    hcop = UserFactory.create(username="hcop")
    midnight = now.replace(hour=0, minute=0)
    AuditEntryFactory.create(actor=hcop, at=midnight - timedelta(minutes=30), references=["entry-a"])
    AuditEntryFactory.create(action=Action.CASE_OPENED, at=midnight, references=["entry-b"])
    AuditEntryFactory.create(purpose=Purpose.CONTACT, at=now, references=["entry-c"])
    if "account" in query:
        query = query | {"account": str(hcop.pk)}
    page = browser.get(URL, query).content.decode()
    assert {letter for letter in "abc" if f"entry-{letter}" in page} == found


def test_a_date_that_is_none_shows_an_error_and_no_rows(browser: Client) -> None:
    AuditEntryFactory.create(references=["entry-a"])
    page = browser.get(URL, {"first": "31/31/31"}).content.decode()
    assert "There is a problem" in page
    assert "entry-a" not in page


def test_a_search_for_a_reference_never_stands_in_an_address(browser: Client) -> None:
    AuditEntryFactory.create(references=["01/7000001/26", "01/7000002/26"], origin="page one")
    AuditEntryFactory.create(references=["01/7000003/26"], origin="page two")
    response = browser.post(URL, {"reference": " 01/7000001/26 "})
    assert response.status_code == 302
    assert "7000001" not in response["Location"]
    page = browser.get(response["Location"]).content.decode()
    assert "page one" in page
    assert "page two" not in page
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert not [link for link in links if "7000001" in link]
    entry = _latest()
    assert (entry.action, entry.references) == (Action.SEARCHED, ["01/7000001/26"])


@pytest.mark.parametrize("part", ["7000001", "01/7000001", "01/26", "src-2026-0000", "000041"])
def test_a_part_of_a_reference_finds_the_entries_about_it(
    browser: Client, make_referral: Callable[..., Referral], part: str
) -> None:
    referral = make_referral(number="SRC-2026-000041", case__crime_reference="01/7000001/26")
    make_referral(number="SRC-2025-000052", case__crime_reference="02/7000002/25")
    AuditEntryFactory.create(references=[referral.case.crime_reference, referral.number], origin="page one")
    AuditEntryFactory.create(references=["02/7000002/25", "SRC-2025-000052"], origin="page two")
    response = browser.post(URL, {"reference": part})
    assert part not in response["Location"]
    page = browser.get(response["Location"]).content.decode()
    assert "page one" in page
    assert "page two" not in page
    assert f"Entries about 1 reference with <strong>{part}</strong> in it" in page
    entry = _latest()
    assert (entry.action, entry.references) == (Action.SEARCHED, [part])
    again = browser.get(response["Location"]).content.decode()
    assert "page one" in again, "that somebody searched for a part makes it no reference"


def test_a_whole_reference_is_not_taken_for_a_part(
    browser: Client, make_referral: Callable[..., Referral]
) -> None:
    make_referral(number="SRC-2026-0000411")
    AuditEntryFactory.create(references=["SRC-2026-000041"], origin="page one")
    AuditEntryFactory.create(references=["SRC-2026-0000411"], origin="page two")
    page = browser.post(URL, {"reference": "SRC-2026-000041"}, follow=True).content.decode()
    assert "page one" in page
    assert "page two" not in page


def test_of_a_part_that_many_hold_it_is_said_that_more_is_wanted(
    browser: Client, make_referral: Callable[..., Referral], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searched_references, "MOST_FOUND", 2)
    for number in range(3):
        referral = make_referral(number=f"SRC-2026-00000{number}")
        AuditEntryFactory.create(references=[referral.number])
    response = browser.post(URL, {"reference": "SRC-2026"}, follow=True)
    assert (
        "about 2 references with <strong>SRC-2026</strong> in it, the first of more"
        in response.content.decode()
    )
    assert len(response.context["list"].paged.rows) == 2


def test_where_nothing_fits_it_is_said_what_was_searched(browser: Client, auditor: User) -> None:
    AuditEntryFactory.create(references=["01/7000001/26"], origin="page one")
    response = browser.post(URL, {"reference": "9999999"})
    asked = {"account": str(auditor.pk), "action": "opened", "first": "2026-11-01", "order": "earliest"}
    page = browser.get(response["Location"], asked | {"search": response["Location"].split("=")[1]})
    words = " ".join(strip_tags(page.content.decode()).split())
    assert "Nothing fits Looked for: a reference with “9999999” in it; Account: Auditor;" in words
    assert "What: Opened: a list, a search, a case or a referral; From: 2026-11-01." in words
    # It is nobody's reference, and may be anything that somebody typed.
    assert _latest().references == []


def test_two_characters_are_too_few_to_search_for(browser: Client) -> None:
    assert "Enter three characters" in browser.post(URL, {"reference": "26"}).content.decode()


def test_opened_is_one_choice_among_acts(browser: Client) -> None:
    for action in Action:
        AuditEntryFactory.create(action=action)
    found = browser.get(URL, {"action": "opened"}).context["list"].paged.rows
    assert {entry.action for entry in found} == {
        Action.LIST_SHOWN,
        Action.SEARCHED,
        Action.CASE_OPENED,
        Action.REFERRAL_OPENED,
        Action.LOOK_OPENED,
    }
    [alone] = browser.get(URL, {"action": "case opened"}).context["list"].paged.rows
    assert alone.action == Action.CASE_OPENED


def test_names_of_the_code_are_put_in_words(browser: Client) -> None:
    AuditEntryFactory.create(
        origin="page trial_results", fields=["proposed_at"], subject="trial", references=["trial 3"]
    )
    html = browser.get(URL).content.decode()
    words = " ".join(strip_tags(html.split("<tbody")[1]).split())
    assert "trial 3 proposed at page trial results" in words
    assert "trial: trial 3" not in words


def test_an_empty_search_says_what_to_enter(browser: Client) -> None:
    assert "Enter a crime reference" in browser.post(URL, {"reference": ""}).content.decode()


def test_a_search_of_another_session_is_not_found(browser: Client, client_of: Browser, auditor: User) -> None:
    response = browser.post(URL, {"reference": "01/7000001/26"})
    assert client_of(auditor).get(response["Location"]).status_code == 404


def test_looking_is_an_entry_too(browser: Client, auditor: User) -> None:
    AuditEntryFactory.create(references=["01/7000001/26"])
    browser.get(URL, {"action": "list shown", "purpose": ""})
    entry = _latest()
    assert (entry.actor, entry.action, entry.purpose) == (auditor, Action.LIST_SHOWN, Purpose.AUDIT)
    assert (entry.references, entry.fields, entry.origin) == ([], ["action"], "page audit_list")


def test_pages_follow_each_other_without_gap_or_repetition(browser: Client, now: datetime) -> None:
    for number in range(120):
        # Several share a moment, so that the primary key must decide.
        AuditEntryFactory.create(
            at=now - timedelta(days=1, minutes=number // 7), references=[f"entry-{number:03}"]
        )
    url, seen = URL + "?last=2026-11-22", []
    while url:
        response = browser.get(url)
        paged = response.context["list"].paged
        seen += [entry.references[0] for entry in paged.rows]
        url = paged.next_url
    assert len(seen) == 120
    assert len(set(seen)) == 120
    assert len(browser.get(response.context["list"].paged.previous_url).context["list"].paged.rows) == 25


def test_as_many_queries_for_thirty_rows_as_for_three(browser: Client) -> None:
    counts = []
    for more in (3, 27):
        AuditEntryFactory.create_batch(more)
        with CaptureQueriesContext(connection) as queries:
            browser.get(URL)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_earliest_come_first_where_that_is_asked_for(browser: Client, now: datetime) -> None:
    late = AuditEntryFactory.create(at=now)
    early = AuditEntryFactory.create(at=now - timedelta(days=1))
    asked = {"last": "2026-11-23"}
    assert browser.get(URL, asked).context["list"].paged.rows == [late, early]
    assert browser.get(URL, asked | {"order": "earliest"}).context["list"].paged.rows == [early, late]


def test_an_order_that_is_none_shows_an_error_and_no_rows(browser: Client) -> None:
    AuditEntryFactory.create(references=["entry-a"])
    page = browser.get(URL, {"order": "references"}).content.decode()
    assert "There is a problem" in page
    assert "entry-a" not in page


def test_htmx_is_given_the_rows_alone_and_they_are_recorded(browser: Client) -> None:
    AuditEntryFactory.create(action=Action.CASE_OPENED, references=["entry-a"])
    headers = {"HX-Request": "true", "HX-Target": "list-audit"}
    response = browser.get(URL, {"action": "case opened"}, headers=headers)
    page = response.content.decode()
    assert page.strip().startswith('<div id="list-audit">')
    assert "entry-a" in page
    assert "1 row shown" in page
    assert "<h1" not in page
    assert "HX-Target" in response["Vary"]
    entry = _latest()
    assert (entry.action, entry.fields) == (Action.LIST_SHOWN, ["action"])


def test_htmx_is_sent_to_the_whole_page_for_what_is_wrong_with_a_filter(browser: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "list-audit"}
    response = browser.get(URL, {"first": "31/31/31"}, headers=headers)
    assert response["HX-Redirect"].startswith(URL)
    assert "There is a problem" in browser.get(response["HX-Redirect"]).content.decode()
