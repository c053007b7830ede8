"""The audit log as a file."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from src_app.accounts.models import User
from src_app.audit import views
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.lists.cells import harmless
from tests.downloads import csv_rows, workbook_rows
from tests.factories import AuditEntryFactory, UserFactory

URL = reverse("audit_list")
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def browser(client_of: Callable[[User], Client], auditor: User) -> Client:
    return client_of(auditor)


def test_it_holds_every_entry_that_the_filters_leave(browser: Client, now: datetime) -> None:
    who = UserFactory.create(username="hcop", display_name="HCOP")
    entry = AuditEntryFactory.create(
        actor=who,
        at=now,
        action=Action.CASE_OPENED,
        references=["01/7000001/26", "SRC-2026-000001", "SRC-2026-000002", "SRC-2026-000003"],
        recipients=["team@example.police.uk"],
        address="192.0.2.7",
    )
    AuditEntryFactory.create_batch(60)
    # Its own entry is not among them: it is written once the rows are known.
    assert len(csv_rows(browser, URL)) == AuditEntry.objects.count() - 1
    [row] = csv_rows(browser, URL, action="case opened")
    assert row == {
        "When": "2026-11-23T07:30:00+00:00",
        "Who": "HCOP (hcop)",
        "What": "Case opened",
        "Purpose": "Overnight review",
        "About": "case: 01/7000001/26; SRC-2026-000001; SRC-2026-000002; SRC-2026-000003",
        "Fields": "",
        "From": f"{entry.origin}, 192.0.2.7",
        "All of this request": str(entry.request_id),
        "Rows": "",
        "Recipients": "team@example.police.uk",
    }
    [row] = workbook_rows(browser, URL, action="case opened")
    assert row["When"] == datetime(2026, 11, 23, 7, 30)  # noqa: DTZ001 - as a workbook has it
    assert row["Who"] == "HCOP (hcop)"


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_it_follows_a_search_and_records_what_was_found(browser: Client, rows: Rows) -> None:
    AuditEntryFactory.create(references=["01/7000001/26"])
    AuditEntryFactory.create(references=["01/7000002/26"])
    found = browser.post(URL, {"reference": "01/7000001/26"}, follow=True)
    [query] = [value for _, value in found.context["list"].kept]
    abouts = {row["About"] for row in rows(browser, URL, search=query)}
    assert abouts == {"case: 01/7000001/26", "audit: 01/7000001/26"}
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.references, entry.rows) == (Action.DOWNLOADED, ["01/7000001/26"], 2)


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_the_download_is_an_entry_with_its_filters_and_the_number_of_its_rows(
    browser: Client, auditor: User, rows: Rows
) -> None:
    AuditEntryFactory.create_batch(3, purpose=Purpose.CONTACT)
    assert len(rows(browser, URL, purpose="contact", order="earliest")) == 3
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (auditor, Action.DOWNLOADED, Purpose.AUDIT)
    assert (entry.fields, entry.rows) == (["order", "purpose"], 3)
    assert "Downloaded: 3 rows" in browser.get(URL).content.decode()


def test_a_file_ends_where_the_page_says_that_it_does(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    AuditEntryFactory.create_batch(60)
    text = " ".join(browser.get(URL).content.decode().split())
    assert "A file holds at most the first 100,000 rows, an Excel file 10,000." in text
    monkeypatch.setattr("src_app.lists.page.MOST_IN_WORKBOOK", 20)
    assert len(workbook_rows(browser, URL)) == 20
    monkeypatch.setattr(views, "LOG", replace(views.LOG, most=30))
    assert len(csv_rows(browser, URL)) == 30


def test_parts_follow_each_other_in_the_order_asked_for(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src_app.lists.page.AT_ONCE", 7)
    for number in range(20):
        AuditEntryFactory.create(references=[f"entry-{number:02}"], action=Action.CASE_OPENED)
    earliest = [f"case: entry-{number:02}" for number in range(20)]
    for rows in (csv_rows, workbook_rows):
        for order, expected in (("earliest", earliest), ("latest", earliest[::-1])):
            found = rows(browser, URL, action="case opened", order=order)
            assert [row["About"] for row in found] == expected


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_formula_is_made_harmless(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_a_formula_in_the_log_is_made_harmless(browser: Client, rows: Rows) -> None:
    AuditEntryFactory.create(actor=UserFactory.create(display_name="=1+1"), action=Action.SEARCHED)
    [row] = rows(browser, URL, action="searched")
    assert row["Who"].startswith("'=1+1")


def test_what_a_workbook_cannot_hold_is_left_out_of_it(browser: Client) -> None:
    AuditEntryFactory.create(action=Action.SEARCHED, fields=["a\x0bb"])
    [row] = workbook_rows(browser, URL, action="searched")
    assert row["Fields"] == "ab"


def test_what_is_no_formula_stays_as_it_is() -> None:
    assert harmless("SRC-2026-000001") == "SRC-2026-000001"


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_a_file_of_nothing_has_its_headings(browser: Client, rows: Rows) -> None:
    assert rows(browser, URL, first="2199-01-01") == []
    assert browser.get(URL, {"first": "2199-01-01", "format": "csv"}).getvalue().count(b",") == 9


def test_a_format_that_is_none_is_not_found(browser: Client) -> None:
    assert browser.get(URL, {"format": "pdf"}).status_code == 404
