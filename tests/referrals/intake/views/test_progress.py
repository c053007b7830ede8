"""Import: a long file while it is worked on, and what became of it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from referrals.intake.held import work
from referrals.models import CaseImport, ImportStatus
from src_app.accounts.models import User
from tests.extracts import extract, row
from tests.factories import NOW
from tests.referrals.intake.views.uploading import (
    PAGE,
    page_of,
    save,
    text,
    upload,
)

CONTENT = extract(row(1), row(2), row(3, reported_at="never"))
READING, SAVING = ImportStatus.READING, ImportStatus.SAVING


@pytest.fixture
def browser(client_of: Callable[[User], Client], hcop: User, clock: time_machine.Traveller) -> Client:
    return client_of(hcop)


@pytest.fixture
def held(browser: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> CaseImport:
    """An extract that is longer than what is read at once, with no worker to read it."""
    settings.IMPORT_AT_ONCE_BYTES = 0
    monkeypatch.setattr(work, "_tell_worker", lambda *_: None)
    upload(browser, CONTENT)
    return CaseImport.objects.get()


def worked_on(held: CaseImport) -> CaseImport:
    """As the worker does."""
    work.work(import_id=held.pk, at=NOW)
    held.refresh_from_db()
    return held


def part(browser: Client, held: CaseImport, told: str = "") -> Any:
    return browser.get(
        reverse("import_progress", args=[held.pk]), {"told": told}, headers={"HX-Request": "true"}
    )


def spoken(response: Any) -> str:
    found = re.search(r'<p id="progress-spoken" hx-swap-oob="innerHTML">(.*?)</p>', text(response))
    return found[1].strip() if found else ""


@pytest.mark.parametrize(
    ("status", "attempts", "running", "rows", "share", "words", "said"),
    [
        (READING, 0, False, 0, 0.0, "Waiting for its turn", "Waiting for its turn."),
        (READING, 1, True, 0, 0.0, "0% of the file is read", "0% is read."),
        (READING, 1, True, 2_400, 0.4, "40% of the file is read", "25% is read."),
        (
            READING,
            1,
            True,
            6_000,
            1.0,
            "compared with the cases",
            "All rows are read and are being compared.",
        ),
        (SAVING, 1, True, 5_000, 0.99, "99% of the file is read", "75% is read."),
        (SAVING, 1, True, 6_000, 1.0, "They are being saved", "All rows are read and are being saved."),
        (READING, 1, False, 2_400, 0.4, "Interrupted", "Interrupted. It starts again by itself."),
        (SAVING, 0, False, 6_000, 1.0, "Waiting for its turn", "Waiting for its turn."),
    ],
)
def test_each_state_of_the_work_has_its_words(
    browser: Client,
    held: CaseImport,
    monkeypatch: pytest.MonkeyPatch,
    hcop: User,
    status: ImportStatus,
    attempts: int,
    running: bool,
    rows: int,
    share: float,
    words: str,
    said: str,
) -> None:
    CaseImport.objects.update(status=status, attempts=attempts, confirmed_by=hcop)
    monkeypatch.setattr(work, "is_running", lambda *_: running)
    monkeypatch.setattr(work, "rows_read_so_far", lambda *_: (rows, share))
    page = page_of(browser, held)
    assert words in page
    assert (
        f'<h1 class="govuk-heading-l">{"Saving" if status == SAVING else "Reading"} the import</h1>' in page
    )
    assert f'max="100" value="{int(share * 100) if running else 0}"' in page
    assert words in text(part(browser, held))
    assert spoken(part(browser, held)) == said


def test_only_a_new_step_is_said_aloud(
    browser: Client, held: CaseImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "is_running", lambda *_: True)
    monkeypatch.setattr(work, "rows_read_so_far", lambda *_: (2_400, 0.4))
    step = re.search(r"\?told=([\w-]+)", text(part(browser, held)))
    assert step
    monkeypatch.setattr(work, "rows_read_so_far", lambda *_: (2_700, 0.45))
    response = part(browser, held, step[1])
    assert "45%" in text(response)
    assert spoken(response) == ""
    monkeypatch.setattr(work, "rows_read_so_far", lambda *_: (3_000, 0.5))
    assert spoken(part(browser, held, step[1])) == "50% is read."


def test_what_was_read_before_is_not_taken_for_what_is_read_now(
    browser: Client, held: CaseImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_on(held)
    save(browser, held, page_of(browser, held))
    seen = []
    monkeypatch.setattr(work, "_save", lambda extract, *_, **__: seen.append(work.rows_read_so_far(extract)))
    worked_on(held)
    assert seen == [(0, 0.0)]


def test_when_it_is_over_the_page_is_shown_anew(browser: Client, held: CaseImport) -> None:
    worked_on(held)
    response = part(browser, held)
    assert response.headers["HX-Refresh"] == "true"
    assert "Save 2 cases" in page_of(browser, held)


def test_a_long_one_is_left_and_found_again(browser: Client, held: CaseImport) -> None:
    page = text(browser.get(PAGE))
    assert reverse("import_preview", args=[held.pk]) in page
    assert "Being read" in page
    assert "Not counted" in page


def test_a_long_one_is_saved_by_the_worker(browser: Client, held: CaseImport) -> None:
    worked_on(held)
    response = save(browser, held, page_of(browser, held))
    assert response.redirect_chain == [(reverse("import_preview", args=[held.pk]), 302)]
    assert "Saving the import" in text(response)
    worked_on(held)
    page = page_of(browser, held)
    assert "<strong>Saved</strong>" in page
    assert reverse("overnight_review") in page
    assert "Download the rejected rows" in page


def test_a_long_one_is_stopped_and_discarded(browser: Client, held: CaseImport) -> None:
    assert "Stop and discard" in page_of(browser, held)
    response = browser.post(reverse("import_discard", args=[held.pk]), follow=True)
    assert "Nothing of it was saved." in text(response)
    assert worked_on(held).status == ImportStatus.DISCARDED


def test_after_a_day_the_rejected_rows_are_gone(
    browser: Client, held: CaseImport, clock: time_machine.Traveller
) -> None:
    worked_on(held)
    save(browser, held, page_of(browser, held))
    worked_on(held)
    address = reverse("import_rejected", args=[held.pk])
    assert b"reported_at" in browser.get(address).getvalue()
    clock.shift(timedelta(hours=24))
    browser.force_login(held.uploaded_by)
    assert "There are no rejected rows to download" in text(browser.get(address, follow=True))


def test_one_that_could_not_be_read_says_why(browser: Client, settings: Any, held: CaseImport) -> None:
    upload(browser, CONTENT + b'01/7300009/26,"22/11')
    broken = worked_on(CaseImport.objects.exclude(pk=held.pk).get())
    page = page_of(browser, broken)
    assert "<strong>Could not be read</strong>" in page
    assert "is never closed" in page
    assert "0 rows" not in page


def test_one_whose_saving_was_given_up_waits_with_the_reason(
    browser: Client, held: CaseImport, system: User
) -> None:
    worked_on(held)
    save(browser, held, page_of(browser, held))
    CaseImport.objects.update(attempts=work.MOST_ATTEMPTS)
    work.resume_work(by=system, at=NOW + timedelta(minutes=5))
    page = page_of(browser, held)
    assert "Saving was interrupted three times. Nothing was saved" in page
    assert "app-banner--error" in page
    assert "Save 2 cases" in page
