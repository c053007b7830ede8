"""Import: upload, what becomes of every row, save or discard."""

import csv
import io
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.models import Bcu, Case, CaseImport, ImportStatus
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.extracts import extract, reference, row
from tests.factories import BcuMembershipFactory, CaseImportFactory, PostcodeFactory
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


def test_the_page_has_a_form_that_works_without_javascript(browser: Client) -> None:
    page = text(browser.get(PAGE))
    assert '<form method="post" enctype="multipart/form-data"' in page
    assert re.search(r'<input type="hidden" name="key" value="[0-9a-f-]{36}"', page)
    assert 'type="file"' in page
    assert 'name="bcu"' not in page
    assert "No extract yet" in page


def test_from_upload_to_the_overnight_review(browser: Client, hcop: User) -> None:
    response = upload(
        browser, extract(row(1), row(2, victim_type="State"), row(3, reported_at="31/02/2026 10:00"))
    )
    held = CaseImport.objects.get()
    assert response.headers["Location"] == reverse("import_preview", args=[held.pk])
    page = page_of(browser, held)
    assert "Save 2 cases" in page
    assert "<strong>3 rows</strong>" in page
    # The counts come first, then what is rejected, then what is to be looked at, then what is new.
    places = [
        page.index(mark) for mark in ('class="app-figures', 'id="rejected"', 'id="warnings"', 'id="new"')
    ]
    assert places == sorted(places)
    for words in ("31/02/2026 10:00", "There is no such date and time.", "No individual victim: State."):
        assert words in page
    assert not Case.objects.exists()
    response = save(browser, held, page)
    assert response.redirect_chain == [(reverse("overnight_review"), 302)]
    assert "Saved: 2 new cases, 0 changed, 0 already here, 1 rejected." in text(response)
    assert "not the ones you saw" not in text(response)
    assert Case.objects.count() == 2


def test_the_pages_of_an_extract_show_no_postcode_key_or_note(browser: Client) -> None:
    upload(browser, extract(row(1), row(2, reported_at="never"), row(3, crime_reference="SW19 7QP")))
    page = page_of(browser, CaseImport.objects.get())
    assert "Save 1 case<" in page
    for secret in ("SW19", "CAD73", "V7300", "Dog at address"):
        assert secret not in page


def test_what_changes_is_named_and_unchanged_rows_are_counted(browser: Client) -> None:
    upload(browser, extract(row(1), row(2)))
    first = CaseImport.objects.get()
    save(browser, first, page_of(browser, first))
    upload(browser, extract(row(1, safety_note="Two dogs", offence="Arson"), row(2)))
    held = CaseImport.objects.get(status=ImportStatus.WAITING)
    page = page_of(browser, held)
    assert "Save 1 case<" in page
    assert "Offence, safety note" in page
    assert "Two dogs" not in page


def test_what_many_rows_have_in_common_is_said_once(browser: Client) -> None:
    states = [row(number, victim_type="State") for number in range(2, 14)]
    content = extract(
        row(1, safety_note="x"), *states, columns=["crime_reference", "reported_at", "victim_type"]
    )
    upload(browser, content)
    page = page_of(browser, CaseImport.objects.get())
    assert page.count("No individual victim: State.") == 1
    assert "3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more" in page
    assert page.count("The file has no such column.") == 1
    assert "Time of offence, Offence, Strands" in page


def test_the_counts_lead_to_the_rows(browser: Client) -> None:
    upload(browser, extract(row(1), row(2, reported_at="never")))
    page = page_of(browser, CaseImport.objects.get())
    assert '<a href="#new">New</a>' in page
    assert '<a href="#rejected">Rejected</a>' in page
    assert "#changed" not in page


def test_with_nothing_to_save_there_is_no_button_to_save(browser: Client) -> None:
    upload(browser, extract(row(1, reported_at="never")))
    page = page_of(browser, CaseImport.objects.get())
    assert "There is nothing to save." in page
    assert "import_save" not in page
    assert "Discard" in page


def test_the_same_post_twice_makes_one_extract(browser: Client) -> None:
    key = str(uuid.uuid4())
    first, second = (upload(browser, extract(row()), key=key) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert CaseImport.objects.count() == 1


def test_saving_twice_saves_once_and_says_so(browser: Client) -> None:
    upload(browser, extract(row()))
    held = CaseImport.objects.get()
    page = page_of(browser, held)
    save(browser, held, page)
    response = save(browser, held, page)
    assert "This extract was saved already: 1 new case" in text(response)
    assert Case.objects.count() == 1


def test_a_colleague_s_save_meanwhile_shows_the_fates_again(
    browser: Client, client_of: Callable[[User], Client], other_hcop: User
) -> None:
    upload(browser, extract(row(1), row(2)))
    held = CaseImport.objects.get()
    page = page_of(browser, held)
    colleague = client_of(other_hcop)
    upload(colleague, extract(row(2)))
    other = CaseImport.objects.exclude(pk=held.pk).get()
    save(colleague, other, page_of(colleague, other))
    response = save(browser, held, page)
    assert "Nothing was saved: look again." in text(response)
    assert "app-banner--error" in text(response)
    response = save(browser, held, page_of(browser, held))
    assert "Saved: 1 new case, 0 changed, 1 already here" in text(response)


@pytest.mark.parametrize("seen", ["", "a" * 65, "a" * 64, "\0"])
def test_what_was_not_shown_is_shown_before_it_is_saved(browser: Client, seen: str) -> None:
    upload(browser, extract(row(1)))
    held = CaseImport.objects.get()
    response = browser.post(reverse("import_save", args=[held.pk]), {"seen": seen}, follow=True)
    assert "Nothing was saved: look again." in text(response)
    assert not Case.objects.exists()


@pytest.mark.parametrize("before", ["=1+1", "'=1+1"])
def test_rejected_rows_are_downloaded_mended_and_imported(browser: Client, before: str) -> None:
    """An apostrophe that made a cell harmless, in the file that came, counts for nothing."""
    faulty = [row(2, reported_at="31/02/2026 10:00"), row(3, crime_reference="", offence=before)]
    upload(browser, extract(row(1), *faulty))
    held = CaseImport.objects.get()
    address = reverse("import_rejected", args=[held.pk])
    assert address in page_of(browser, held)
    response = browser.get(address)
    assert "attachment" in response.headers["Content-Disposition"]
    sent = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert [line["Why rejected"] for line in sent] == [
        "Line 3: reported_at: There is no such date and time.",
        "Line 4: crime_reference: The crime reference is missing.",
    ]
    assert sent[1]["offence"] == "'=1+1"
    assert {**sent[0], "Why rejected": None} == {**faulty[0], "Why rejected": None}
    sent[0]["reported_at"], sent[1]["crime_reference"] = "21/11/2026 10:00", reference(3)
    mended = extract(*sent, columns=list(sent[0]))
    upload(browser, mended)
    again = CaseImport.objects.exclude(pk=held.pk).get()
    save(browser, again, page_of(browser, again))
    assert Case.objects.get(crime_reference=reference(3)).offence == "=1+1"
    assert Case.objects.count() == 2
    entry = AuditEntry.objects.get(action=Action.DOWNLOADED)
    assert (entry.subject, entry.fields) == ("extract", ["rejected rows"])


def test_rejected_rows_of_a_discarded_extract_are_gone(browser: Client) -> None:
    upload(browser, extract(row(1), row(2, reported_at="never")))
    held = CaseImport.objects.get()
    browser.post(reverse("import_discard", args=[held.pk]))
    response = browser.get(reverse("import_rejected", args=[held.pk]), follow=True)
    assert "There are no rejected rows to download" in text(response)


def test_discarding_saves_nothing(browser: Client) -> None:
    upload(browser, extract(row()))
    held = CaseImport.objects.get()
    response = browser.post(reverse("import_discard", args=[held.pk]), follow=True)
    assert "The extract was discarded. Nothing of it was saved." in text(response)
    assert CaseImport.objects.get().status == ImportStatus.DISCARDED
    assert not Case.objects.exists()
    saved = browser.post(reverse("import_save", args=[held.pk]), {"seen": ""}, follow=True)
    assert "upload it again" in text(saved)
    shown = page_of(browser, held)
    assert "Discarded" in shown
    assert "cases to review" not in shown


def test_what_is_saved_cannot_be_discarded(browser: Client) -> None:
    upload(browser, extract(row()))
    held = CaseImport.objects.get()
    save(browser, held, page_of(browser, held))
    response = browser.post(reverse("import_discard", args=[held.pk]), follow=True)
    assert "saved already" in text(response)
    assert "1 row, uploaded by HCOP South West" in page_of(browser, held)


def test_after_a_day_the_page_says_to_upload_again(browser: Client, clock: time_machine.Traveller) -> None:
    upload(browser, extract(row()))
    clock.shift(timedelta(hours=24))
    held = CaseImport.objects.get()
    browser.force_login(held.uploaded_by)
    response = browser.get(reverse("import_preview", args=[held.pk]), follow=True)
    assert "not confirmed within a day" in text(response)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"offence\nTheft\n", "crime_reference and reported_at are not there"),
        (b"crime_reference,reported_at\n\x81", "not plain text"),
    ],
)
def test_what_is_no_table_is_told_at_the_field_and_kept_nowhere(
    browser: Client, content: bytes, words: str
) -> None:
    response = upload(browser, content)
    assert response.status_code == 200
    assert words in text(response)
    assert 'href="#id_file"' in text(response)
    assert "<title>Error: Import" in text(response)
    assert not CaseImport.objects.exists()


def test_without_a_file_it_says_choose_one(browser: Client) -> None:
    response = upload(browser, b"", file=None)
    assert "Choose a file." in text(response)


def test_a_file_that_is_too_large_is_told_so(browser: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2 * 1024 * 1024
    content = extract(row()) + b"x" * settings.MAX_UPLOAD_BYTES
    response = upload(browser, content)
    assert response.status_code == 200
    assert "The file is larger than 2 MB: split it" in text(response)
    assert not CaseImport.objects.exists()


def test_a_post_without_its_key_makes_nothing(browser: Client) -> None:
    response = upload(browser, extract(row()), key="no key")
    assert response.status_code == 200
    assert not CaseImport.objects.exists()


def test_whoever_has_two_bcus_says_which(browser: Client, hcop: User, world: World) -> None:
    BcuMembershipFactory.create(user=hcop, bcu=world.north)
    assert 'name="bcu"' in text(browser.get(PAGE))
    assert "Choose the BCU" in text(upload(browser, extract(row())))
    upload(browser, extract(row()), bcu=world.north.pk)
    assert CaseImport.objects.get().bcu == world.north


def test_a_bcu_that_is_not_theirs_cannot_be_chosen(browser: Client, world: World, hcop: User) -> None:
    third = Bcu.objects.create(code="X", name="Third")
    BcuMembershipFactory.create(user=hcop, bcu=world.north)
    assert upload(browser, extract(row()), bcu=third.pk).status_code == 200
    assert not CaseImport.objects.exists()


def test_another_bcus_officer_finds_no_such_extract(
    browser: Client, client_of: Callable[[User], Client], north_hcop: User
) -> None:
    upload(browser, extract(row()))
    held = CaseImport.objects.get()
    stranger = client_of(north_hcop)
    assert stranger.get(reverse("import_preview", args=[held.pk])).status_code == 404
    assert stranger.post(reverse("import_save", args=[held.pk])).status_code == 404
    assert stranger.post(reverse("import_discard", args=[held.pk])).status_code == 404
    assert str(held.pk) not in text(stranger.get(PAGE))
    assert not Case.objects.exists()


def test_who_may_not_import_is_refused(client_of: Callable[[User], Client], officer: User) -> None:
    held = CaseImportFactory.create()
    browser = client_of(officer)
    assert browser.get(PAGE).status_code == 403
    assert browser.post(PAGE).status_code == 403
    assert browser.get(reverse("import_preview", args=[held.pk])).status_code == 403
    assert browser.post(reverse("import_save", args=[held.pk])).status_code == 403
    assert browser.post(reverse("import_discard", args=[held.pk])).status_code == 403


def test_upload_look_and_save_are_each_recorded(browser: Client, hcop: User) -> None:
    upload(browser, extract(row(1), row(2)))
    held = CaseImport.objects.get()
    save(browser, held, page_of(browser, held))
    entries = AuditEntry.objects.filter(actor=hcop, purpose=Purpose.INTAKE).order_by("pk")
    both = [reference(1), reference(2)]
    assert [(entry.action, entry.references, entry.origin) for entry in entries] == [
        (Action.EXTRACT_UPLOADED, [], "page import_cases"),
        (Action.LIST_SHOWN, both, "page import_cases"),
        (Action.LIST_SHOWN, both, "page import_preview"),
        (Action.EXTRACT_CONFIRMED, [], "page import_save"),
        (Action.CASES_IMPORTED, both, "page import_save"),
    ]


def test_a_long_extract_shows_its_first_rows_and_all_counts(browser: Client) -> None:
    upload(browser, extract(*(row(number) for number in range(250))))
    page = page_of(browser, CaseImport.objects.get())
    assert "Save 250 cases" in page
    assert "The first 200 of 250 are shown." in page
    assert page.count('data-label="Report"') == 200


def test_the_pages_take_as_many_queries_for_thirty_rows_as_for_three(browser: Client, hcop: User) -> None:
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(url).status_code == 200
        return len(captured)

    counts = []
    for number in (3, 30):
        upload(browser, extract(*(row(n) for n in range(number))), key=str(uuid.uuid4()))
        held = CaseImport.objects.get(rows=number)
        counts.append(queries(reverse("import_preview", args=[held.pk])))
    assert counts[0] == counts[1]
    few = queries(PAGE)
    bcu = CaseImport.objects.first().bcu  # type: ignore[union-attr]
    CaseImportFactory.create_batch(27, bcu=bcu)
    assert queries(PAGE) == few
