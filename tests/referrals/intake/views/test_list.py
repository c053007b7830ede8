"""The list of extracts under the form that uploads one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.models import ImportStatus
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.downloads import csv_rows, workbook_rows
from tests.factories import CaseImportFactory

URL = reverse("import_cases")
SAVED = {"status": ImportStatus.SAVED}


@pytest.fixture
def browser(client_of: Callable[[User], Client], hcop: User) -> Client:
    return client_of(hcop)


@pytest.fixture
def make_saved(world: World, now: datetime) -> Callable[..., Any]:
    """Makes an extract of South West that was saved: ten rows, nine of them new."""

    def make(**fields: Any) -> Any:
        usual = {
            "bcu": world.south_west,
            "uploaded_at": now,
            "settled_at": now,
            "rows": 10,
            "new": 9,
            "report_encrypted": None,
            "parts": None,
        }
        return CaseImportFactory.create(**{**SAVED, **usual, **fields})

    return make


def _shown(browser: Client, **asked: Any) -> list[Any]:
    rows: list[Any] = browser.get(URL, asked).context["list"].paged.rows
    return rows


def test_pages_follow_each_other_and_none_is_left_out(
    browser: Client, make_saved: Callable[..., Any], now: datetime
) -> None:
    # Several share a moment, so that the primary key must decide.
    made = {make_saved(uploaded_at=now - timedelta(days=number // 3)).pk for number in range(45)}
    url, seen = URL, []
    while url:
        paged = browser.get(url).context["list"].paged
        seen += [extract.pk for extract in paged.rows]
        url = paged.next_url
    assert (len(seen), set(seen)) == (45, made)
    assert len(browser.get(paged.previous_url).context["list"].paged.rows) == 20


def test_those_of_a_day_and_an_end_in_either_order(
    browser: Client, make_saved: Callable[..., Any], now: datetime
) -> None:
    old, new = make_saved(uploaded_at=now - timedelta(days=2)), make_saved()
    refused = make_saved(status=ImportStatus.REFUSED, uploaded_at=now - timedelta(hours=1))
    assert _shown(browser) == [new, refused, old]
    assert _shown(browser, order="earliest") == [old, refused, new]
    assert _shown(browser, status="refused") == [refused]
    assert _shown(browser, last="2026-11-21") == [old]


def test_looking_is_recorded(browser: Client, hcop: User) -> None:
    browser.get(URL, {"status": "saved"})
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (hcop, Action.LIST_SHOWN, Purpose.INTAKE)
    assert (entry.subject, entry.fields) == ("extract", ["status"])


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_a_file_holds_the_own_extracts_and_their_names_run_nothing(
    browser: Client,
    make_saved: Callable[..., Any],
    world: World,
    rows: Callable[..., list[dict[str, Any]]],
) -> None:
    extract = make_saved(file_name="=1+1.csv")
    make_saved(bcu=world.north)
    [row] = rows(browser, URL)
    assert (row["By"], row["What became of it"]) == (
        f"{extract.uploaded_by.display_name}, South West: =1+1.csv",
        "Saved",
    )
    assert (str(row["Rows"]), str(row["New"])) == ("10", "9")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.rows) == (Action.DOWNLOADED, 1)


def test_the_number_of_queries_does_not_grow_with_the_rows(
    browser: Client, make_saved: Callable[..., Any]
) -> None:
    def queries(more: int) -> int:
        for _ in range(more):
            make_saved()
        with CaptureQueriesContext(connection) as captured:
            browser.get(URL)
        return len(captured)

    assert queries(2) == queries(15)


def test_with_no_extract_yet_the_page_says_what_comes_here(browser: Client) -> None:
    assert "No extract yet" in browser.get(URL).content.decode()


def test_whoever_may_not_download_is_offered_no_file_and_given_none(
    browser: Client, make_saved: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_saved()
    assert "format=csv" in browser.get(URL).content.decode()
    may = User.can
    monkeypatch.setattr(User, "can", lambda self, asked: asked != "download lists" and may(self, asked))
    assert "format=csv" not in browser.get(URL).content.decode()
    assert browser.get(URL, {"format": "csv"}).status_code == 403
