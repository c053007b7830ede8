"""The audit log as a file."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from src_app.accounts.models import User
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
        "Account": "hcop",
        "Action": "case opened",
        "Purpose code": "review",
        "Subject": "case",
        "References": "01/7000001/26; SRC-2026-000001; SRC-2026-000002; SRC-2026-000003",
        "Origin": entry.origin,
        "Address": "192.0.2.7",
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


def test_a_workbook_that_is_cut_says_so_in_its_name_and_in_the_log(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    AuditEntryFactory.create_batch(60, action=Action.CASE_OPENED)
    text = " ".join(browser.get(URL).content.decode().split())
    assert (
        "An Excel file holds at most the first 10,000 rows; where there are more, its name says so." in text
    )
    monkeypatch.setattr("src_app.lists.page.MOST_IN_WORKBOOK", 20)
    response = browser.get(URL, {"format": "xlsx", "action": "case opened"})
    assert response["Content-Disposition"].endswith('-first-20.xlsx"')
    entry = AuditEntry.objects.latest("pk")
    assert (entry.fields, entry.rows) == (["action", "cut"], 20)
    assert len(workbook_rows(browser, URL, action="case opened")) == 20


def test_a_file_of_just_as_many_rows_as_it_may_hold_is_not_cut(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    AuditEntryFactory.create_batch(20, action=Action.CASE_OPENED)
    monkeypatch.setattr("src_app.lists.page.MOST_IN_WORKBOOK", 20)
    response = browser.get(URL, {"format": "xlsx", "action": "case opened"})
    assert "first" not in response["Content-Disposition"]
    assert AuditEntry.objects.latest("pk").fields == ["action"]


def test_the_text_holds_the_whole_log_a_part_at_a_time(
    browser: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr("src_app.lists.page.AT_ONCE", 25)
    AuditEntryFactory.create_batch(60, action=Action.CASE_OPENED)
    response = browser.get(URL, {"format": "csv", "action": "case opened"})
    entry = AuditEntry.objects.latest("pk")
    assert (entry.fields, entry.rows) == (["action"], 60)
    # What is written meanwhile is not in it: the number of rows is on record already.
    AuditEntryFactory.create_batch(5, action=Action.CASE_OPENED)
    with django_assert_num_queries(3):
        text = response.getvalue().decode()
    assert text.count("Case opened") == 60
    assert "first" not in response["Content-Disposition"]


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
    assert rows(browser, URL, first="2099-01-01") == []
    assert browser.get(URL, {"first": "2099-01-01", "format": "csv"}).getvalue().count(b",") == 16


def test_what_only_a_file_shows_is_not_on_the_page(browser: Client) -> None:
    AuditEntryFactory.create()
    headings = [heading.label for heading in browser.get(URL).context["list"].table.headings]
    assert headings == ["When", "Who", "What", "Purpose", "About", "Fields", "From", "All of this request"]


def test_a_cell_that_a_workbook_would_cut_off_says_how_much_is_missing(browser: Client) -> None:
    references = [f"SRC-2026-{number:06}" for number in range(2_000)]
    AuditEntryFactory.create(action=Action.SEARCHED, references=references)
    whole = "; ".join(references)
    [row] = workbook_rows(browser, URL, action="searched")
    kept, _, missing = row["References"].partition("… and ")
    assert len(row["References"]) <= 32_767
    assert whole.startswith(kept)
    assert missing == f"{len(whole) - len(kept):,} characters more: see the CSV"
    [row] = csv_rows(browser, URL, action="searched")
    assert row["References"] == whole


@pytest.mark.parametrize("length", [32_766, 32_767, 32_768])
def test_a_cell_is_cut_where_it_does_not_fit_and_not_before(browser: Client, length: int) -> None:
    AuditEntryFactory.create(action=Action.CASE_OPENED, references=_of_length(length))
    [row] = workbook_rows(browser, URL, action="case opened")
    assert row["References"].endswith("see the CSV") == (length > 32_767)


def _of_length(length: int) -> list[str]:
    """References that make a cell of so many characters."""
    whole, rest = divmod(length, 62)
    return ["x" * 60] * whole + ["x" * rest]


def test_a_format_that_is_none_is_not_found(browser: Client) -> None:
    assert browser.get(URL, {"format": "pdf"}).status_code == 404


def test_a_filter_that_makes_no_sense_gives_no_file_but_the_page_that_says_so(browser: Client) -> None:
    response = browser.get(URL, {"first": "soon", "format": "csv"}, follow=True)
    assert response.redirect_chain == [(f"{URL}?first=soon", 302)]
    assert "There is a problem" in response.content.decode()
    assert not AuditEntry.objects.filter(action=Action.DOWNLOADED).exists()
