"""Extracts that were found in the watched folder, and what asks for somebody."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.test import Client
from django.urls import reverse

from referrals.intake.held.holding import hold_extract
from referrals.intake.held.matching import remember_headings
from referrals.intake.held.report import keep_report
from referrals.intake.reading.rows import Warned
from referrals.intake.saving.preview import ImportPreview
from referrals.models import Case, CaseImport, ImportSource, ImportStatus
from src_app.accounts.models import User
from tests.conftest import World
from tests.extracts import extract, row
from tests.factories import NOW, CaseImportFactory, PostcodeFactory
from tests.referrals.intake.views.uploading import (
    PAGE,
    page_of,
    save,
    text,
    upload,
)


@pytest.fixture
def browser(client_of: Callable[[User], Client], hcop: User, clock: time_machine.Traveller) -> Client:
    """The HCOP's, at 7:30 in the morning."""
    return client_of(hcop)


@pytest.fixture(autouse=True)
def _postcodes(world: World) -> None:
    PostcodeFactory.create(pcds="SW19 7QP", ward=world.wards[0])


def found(world: World, system: User, now: datetime, **fields: Any) -> CaseImport:
    """An extract of the watched folder, settled a quarter of an hour ago."""
    at = now - timedelta(minutes=15)
    usual = {
        "source": ImportSource.FOLDER,
        "bcu": world.south_west,
        "file_name": "night.csv",
        "uploaded_by": system,
        "confirmed_by": system,
        "uploaded_at": at,
        "settled_at": at,
        "status": ImportStatus.SAVED,
        "report_encrypted": None,
        "parts": None,
    }
    return CaseImportFactory.create(**{**usual, **fields})


def waiting(page: str) -> str:
    """What the navigation says beside Import."""
    said = re.search(r">Import(?: \((\d+)<span[^>]*> waiting</span>\))? ?</a>", page)
    assert said
    return said[1] or ""


NIGHT = "<strong>night.csv</strong>, found in the watched folder on 23 November 2026, 7:15am for South West."


def test_a_found_extract_that_was_saved_whole_asks_for_nobody(
    browser: Client, world: World, system: User, now: datetime
) -> None:
    found(world, system, now, rows=24, new=24)
    page = text(browser.get(PAGE))
    assert waiting(page) == ""
    assert "Waiting for you" not in page
    assert "Found in the watched folder, South West" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rows": 24, "new": 22, "rejected": 2}, "2 rows of 24 rejected. <a href="),
        ({"rows": 24, "new": 24, "report_encrypted": b"kept"}, "Saved, with rows to look at. <a href="),
        (
            {"status": ImportStatus.REFUSED, "problem": "The file is not plain text."},
            "Nothing of it was saved. The file is not plain text.",
        ),
        (
            {"status": ImportStatus.MATCHING, "problem": "reported_at is not there.", "settled_at": None},
            "reported_at is not there. <a href=",
        ),
    ],
)
def test_what_was_found_and_asks_for_somebody_comes_first_and_is_counted(
    browser: Client, world: World, system: User, now: datetime, fields: dict[str, Any], words: str
) -> None:
    found(world, system, now, **fields)
    page = text(browser.get(PAGE))
    assert waiting(page) == "1"
    assert NIGHT in page
    assert words in page
    assert page.index("Waiting for you") < page.index('type="file"')
    review = text(browser.get("/overnight-review/"))
    assert waiting(review) == "1"
    assert NIGHT in review
    assert words in review


def test_it_asks_for_a_day_and_no_longer(
    client_of: Callable[[User], Client], hcop: User, world: World, system: User, now: datetime
) -> None:
    found(world, system, now, rejected=1)
    for hours, count in ((23, "1"), (24, "")):
        with time_machine.travel(now + timedelta(hours=hours), tick=False):
            assert waiting(text(client_of(hcop).get(PAGE))) == count


def test_it_asks_no_longer_once_a_file_is_saved_by_hand(
    browser: Client, world: World, system: User, now: datetime
) -> None:
    found(world, system, now, rejected=1)
    found(world, system, now, status=ImportStatus.REFUSED, source=ImportSource.PAGE)
    found(world, system, now, bcu=world.north, source=ImportSource.PAGE, settled_at=now)
    assert waiting(text(browser.get(PAGE))) == "2"
    upload(browser, extract(row()))
    held = CaseImport.objects.get(status=ImportStatus.WAITING)
    assert waiting(text(browser.get(PAGE))) == "3"
    save(browser, held, page_of(browser, held))
    assert waiting(text(browser.get(PAGE))) == ""


def test_what_nobody_looked_at_before_it_was_saved_is_on_its_page(
    browser: Client, world: World, system: User, now: datetime, settings: Any
) -> None:
    warned = [Warned(7, "victim_type", "No individual victim: Organisation.")]
    report = keep_report(ImportPreview(9, 9, 0, 0, 0, "", 0, 1, warnings=warned))
    held = found(world, system, now, rows=9, new=9, report_encrypted=report)
    html = page_of(browser, held)
    assert "To look at" in html
    assert "No individual victim: Organisation." in html
    settings.EXTRACT_KEYS = [Fernet.generate_key().decode()]
    html = page_of(browser, held)
    assert "Saved" in html
    assert "To look at" not in html


def test_a_found_extract_that_nobody_confirmed_says_to_ask_for_it_again(
    browser: Client, world: World, system: User, now: datetime
) -> None:
    found(world, system, now, status=ImportStatus.EXPIRED)
    assert "Nobody confirmed it within a day, and it is deleted." in text(browser.get(PAGE))


@pytest.mark.parametrize("status", [ImportStatus.REFUSED, ImportStatus.EXPIRED])
def test_a_found_extract_of_which_nothing_was_saved_asks_for_three_days(
    client_of: Callable[[User], Client], hcop: User, world: World, system: User, now: datetime, status: str
) -> None:
    found(world, system, now, status=status)
    found(world, system, now, source=ImportSource.PAGE, settled_at=now)
    for hours, count in ((71, "1"), (72, "")):
        with time_machine.travel(now + timedelta(hours=hours), tick=False):
            assert waiting(text(client_of(hcop).get(PAGE))) == count


def test_another_bcus_extract_asks_for_nobody_here(
    browser: Client, world: World, system: User, now: datetime
) -> None:
    found(world, system, now, rejected=1, bcu=world.north)
    assert waiting(text(browser.get(PAGE))) == ""


def test_the_page_of_a_found_extract_says_where_it_came_from_and_lies(
    browser: Client, world: World, system: User, now: datetime
) -> None:
    saved = page_of(browser, found(world, system, now, rows=3, new=3))
    assert "night.csv, 3 rows, found in the watched folder for South West." in saved
    refused = page_of(browser, found(world, system, now, status=ImportStatus.REFUSED, problem="No table."))
    assert "<p>No table.</p>" in refused
    for page in (saved, refused):
        assert "The file itself lies aside in the watched folder" in page


def test_found_headings_are_matched_and_its_fates_confirmed_by_a_person(
    browser: Client, world: World, system: User, hcop: User, now: datetime
) -> None:
    held = hold_extract(
        key=uuid.uuid4(),
        content=b"Ref,When\r\n01/7300001/26,22/11/2026 18:07\r\n",
        bcu=world.south_west,
        by=system,
        at=now,
        source=ImportSource.FOLDER,
    )
    columns = reverse("import_columns", args=[held.pk])
    assert "found in the watched folder on 23 November 2026, 7:30am" in text(browser.get(columns))
    browser.post(columns, {"heading-0": "crime_reference", "heading-1": "reported_at"})
    assert not Case.objects.exists()
    page = page_of(browser, held)
    stale = browser.post(reverse("import_save", args=[held.pk]), {"seen": "0" * 64}, follow=True)
    assert "Nothing was saved: look again." in text(stale)
    save(browser, held, page)
    held.refresh_from_db()
    assert (held.status, held.confirmed_by) == (ImportStatus.SAVED, hcop)


def test_rejected_rows_can_be_imported_once_mended_whatever_their_own_headings_are(
    browser: Client, world: World, hcop: User
) -> None:
    remember_headings(bcu=world.south_west, meanings={"Why rejected": "contact_wishes"}, by=hcop, at=NOW)
    columns = ["crime_reference", "reported_at", "Why rejected"]
    upload(browser, extract(row(1, reported_at="never", **{"Why rejected": "In person"}), columns=columns))
    held = CaseImport.objects.get()
    sent = browser.get(reverse("import_rejected", args=[held.pk])).getvalue().decode("utf-8-sig")
    assert sent.startswith("Why rejected 1,crime_reference,reported_at,Why rejected")
    upload(browser, sent.replace("never", "22/11/2026 18:07").encode())
    again = CaseImport.objects.exclude(pk=held.pk).get()
    assert (again.new, again.rejected) == (1, 0)


def test_an_extract_with_nothing_new_in_it_asks_for_nobody(browser: Client) -> None:
    upload(browser, extract(row(1)))
    first = CaseImport.objects.get()
    assert "Waiting for you" in text(browser.get(PAGE))
    save(browser, first, page_of(browser, first))
    upload(browser, extract(row(1)))
    assert "Waiting for you" not in text(browser.get(PAGE))
