"""The audit log as CSV."""

import csv
from collections.abc import Callable
from io import StringIO

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from src_app.accounts.models import User
from src_app.audit.download import HEADINGS
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.cells import harmless
from tests.factories import AuditEntryFactory, UserFactory

URL = reverse("audit_download")


@pytest.fixture
def browser(client_of: Callable[[User], Client], auditor: User) -> Client:
    return client_of(auditor)


def _rows(response: object) -> list[dict[str, str]]:
    assert isinstance(response, StreamingHttpResponse)
    return list(csv.DictReader(StringIO(response.getvalue().decode())))


def test_it_holds_every_entry_that_the_filters_leave(browser: Client) -> None:
    who = UserFactory.create(username="hcop", display_name="HCOP")
    entry = AuditEntryFactory.create(
        actor=who,
        action=Action.CASE_OPENED,
        references=["01/7000001/26", "SRC-2026-000001"],
        recipients=["team@example.police.uk"],
        address="192.0.2.7",
    )
    AuditEntryFactory.create_batch(60)
    assert len(_rows(browser.get(URL))) == AuditEntry.objects.count()
    [row] = _rows(browser.get(URL, {"action": "case opened"}))
    assert list(row) == list(HEADINGS)
    assert row["account"] == "hcop"
    assert row["references"] == "01/7000001/26; SRC-2026-000001"
    assert row["recipients"] == "team@example.police.uk"
    assert (row["address"], row["request_id"]) == ("192.0.2.7", str(entry.request_id))


def test_it_follows_a_search(browser: Client) -> None:
    AuditEntryFactory.create(references=["01/7000001/26"])
    AuditEntryFactory.create(references=["01/7000002/26"])
    found = browser.post(reverse("audit_list"), {"reference": "01/7000001/26"}, follow=True)
    rows = _rows(browser.get(found.context["download_url"]))
    assert {row["references"] for row in rows if row["action"] == "list shown"} == {"01/7000001/26"}


def test_the_download_is_an_entry(browser: Client, auditor: User) -> None:
    browser.get(URL, {"purpose": "contact"})
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (auditor, Action.DOWNLOADED, Purpose.AUDIT)
    assert entry.fields == ["purpose"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_formula_is_made_harmless(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_a_formula_in_the_log_is_made_harmless(browser: Client) -> None:
    AuditEntryFactory.create(actor=UserFactory.create(display_name="=HYPERLINK(1)"), action=Action.SEARCHED)
    [row] = _rows(browser.get(URL, {"action": "searched"}))
    assert row["name"] == "'=HYPERLINK(1)"


def test_what_is_no_formula_stays_as_it_is() -> None:
    assert harmless("SRC-2026-000001") == "SRC-2026-000001"
