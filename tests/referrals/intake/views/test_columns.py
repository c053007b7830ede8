"""Import: headings matched by hand, and a sheet chosen."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.intake.reading.columns import Column
from referrals.models import CaseImport, HeadingMeaning, HeldPart, ImportStatus
from src_app.accounts.models import User
from tests.extracts import FOURTEEN, extract, fourteen_strange, row
from tests.referrals.intake.views.uploading import page_of, text, upload
from tests.workbooks import Cell, xlsx

STRANGE = b"Postcode,Ref,When,<b>Story</b>\r\nx,01/7300001/26,22/11/2026 18:07,Harassment\r\n"
SHEET: list[list[Cell]] = [["Crime No", "Reported"], ["01/7300001/26", "22/11/2026 18:07"]]
MATCHED = {
    "heading-0": "",
    "heading-1": "crime_reference",
    "heading-2": "reported_at",
    "heading-3": "offence",
}


@pytest.fixture
def browser(client_of: Callable[[User], Client], hcop: User) -> Client:
    return client_of(hcop)


def uploaded(browser: Client, content: bytes = STRANGE) -> CaseImport:
    upload(browser, content)
    return CaseImport.objects.latest("uploaded_at")


def columns(held: CaseImport) -> str:
    return reverse("import_columns", args=[held.pk])


def labels(page: str) -> list[str]:
    return re.findall(r'<label class="app-match__heading" for="id_heading-\d+">(.*?)</label>', page)


def test_what_is_not_recognised_comes_first_and_what_must_be_there_is_said(browser: Client) -> None:
    held = uploaded(browser)
    response = browser.get(reverse("import_preview", args=[held.pk]), follow=True)
    assert response.redirect_chain == [(columns(held), 302)]
    page = text(response)
    assert "Say which heading is the time of report<" in page, "the crime reference is told by its cells"
    assert "3 headings not recognised" in page
    assert "1 heading recognised" in page
    assert labels(page)[0] == "Ref"
    assert labels(page)[-1] == "Postcode"
    assert "Time of report (must be there)" in page
    assert '<option value="victim_postcode" selected>Victim&#x27;s postcode</option>' in page


def test_a_heading_is_text_and_never_markup(browser: Client) -> None:
    page = text(browser.get(columns(uploaded(browser))))
    assert "&lt;b&gt;Story&lt;/b&gt;" in labels(page)
    assert "<b>Story" not in page


def test_once_matched_the_next_file_goes_straight_to_its_fates(browser: Client) -> None:
    held = uploaded(browser)
    response = browser.post(columns(held), MATCHED)
    assert response.headers["Location"] == reverse("import_preview", args=[held.pk])
    assert "Save 1 case<" in page_of(browser, held)
    assert uploaded(browser).status == ImportStatus.WAITING


def test_what_is_missing_is_told_and_leads_to_the_first_heading(browser: Client) -> None:
    held = uploaded(browser)
    page = text(browser.post(columns(held), MATCHED | {"heading-2": ""}))
    assert "<title> Error: Match the columns" in page
    assert '<a href="#id_heading-1">Choose the heading that is the time of report.</a>' in page
    assert '<option value="offence" selected>Offence</option>' in page
    assert not HeadingMeaning.objects.exists()


def test_of_two_headings_for_one_column_the_second_is_told(browser: Client) -> None:
    held = uploaded(browser)
    page = text(browser.post(columns(held), MATCHED | {"heading-3": "crime_reference"}))
    assert 'href="#id_heading-3"' in page
    assert 'id="id_heading-3_error"' in page
    assert re.search(
        r'<select name="heading-3"[^>]*aria-describedby="id_heading-3_helptext id_heading-3_error"', page
    )
    assert page.count("Ref is the crime reference already: choose one of the two.") == 2
    assert not HeadingMeaning.objects.exists()


def test_two_headings_that_were_taken_for_one_column_are_named(browser: Client) -> None:
    held = uploaded(browser, b"Crime No,Crime Ref,Reported\r\n1,01/7300001/26,22/11/2026 18:07\r\n")
    assert "Crime No and Crime Ref both mean crime_reference" in text(browser.get(columns(held)))


def test_what_was_recognised_can_be_matched_otherwise_before_it_is_saved(browser: Client) -> None:
    held = uploaded(browser, extract(row(), columns=["crime_reference", "reported_at", "officer_in_case"]))
    assert columns(held) in page_of(browser, held)
    page = text(browser.get(columns(held)))
    assert "not recognised" not in page
    assert f'<a href="{reverse("import_preview", args=[held.pk])}" class="govuk-back-link">' in page
    said = {"heading-0": "crime_reference", "heading-1": "reported_at", "heading-2": "offence"}
    browser.post(columns(held), said)
    assert "PC 9001" in page_of(browser, held)


def test_of_several_sheets_one_is_chosen(browser: Client) -> None:
    held = uploaded(browser, xlsx(May=SHEET, June=SHEET))
    page = text(browser.get(columns(held)))
    assert "Choose the sheet" in page
    assert re.findall(r'type="radio" name="sheet" value="(\w+)"[^>]* id="id_sheet_(\d)"', page) == [
        ("May", "0"),
        ("June", "1"),
    ]
    page = text(browser.post(columns(held)))
    assert '<a href="#id_sheet_0"> Choose the sheet to import. </a>' in page
    browser.post(columns(held), {"sheet": "June"})
    held.refresh_from_db()
    assert (held.status, held.sheet, held.new) == (ImportStatus.WAITING, "June", 1)


def test_a_sheets_name_is_text_and_never_markup(browser: Client) -> None:
    held = uploaded(browser, xlsx(**{"May": SHEET, "&lt;b>June": SHEET}))
    page = text(browser.get(columns(held)))
    assert "&lt;b&gt;June</label>" in page
    assert "<b>June" not in page


@pytest.mark.parametrize("status", [ImportStatus.READING, ImportStatus.DISCARDED])
def test_what_is_at_work_or_settled_has_no_columns_to_match(
    browser: Client, status: ImportStatus, hcop: User
) -> None:
    held = uploaded(browser)
    if status == ImportStatus.DISCARDED:
        browser.post(reverse("import_discard", args=[held.pk]))
    else:
        CaseImport.objects.update(status=status)
    response: Any = browser.get(columns(held))
    assert response.headers["Location"] == reverse("import_preview", args=[held.pk])


def test_a_file_whose_key_is_lost_is_to_be_uploaded_again(browser: Client) -> None:
    held = uploaded(browser)
    HeldPart.objects.update(body_encrypted=b"of another key")
    assert "upload it again" in text(browser.get(columns(held), follow=True))


def test_the_page_takes_as_many_queries_for_seventeen_headings_as_for_two(browser: Client) -> None:
    def queries(names: list[str]) -> int:
        held = uploaded(browser, ",".join(names).encode() + b"\r\n" + b"x," * len(names))
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(columns(held)).status_code == 200
        return len(captured)

    assert queries(["Ref", "When"]) == queries(["Ref", "When", *list(Column)[2:], "Ward code"])


def test_cells_stand_beside_each_heading_and_none_finds_a_person(browser: Client) -> None:
    page = text(browser.get(columns(uploaded(browser, fourteen_strange()))))
    assert "For example: &lt;b&gt;Arson&lt;/b&gt;." in page
    assert "For example: Phone after six." in page
    assert "For example: a postcode." in page
    assert page.count("For example: not shown here.") == 2, "the incident's number and the victim's key"
    for cell in ("SW19", "CAD7301", "V730001", "<b>"):
        assert cell not in page


def test_fourteen_strange_headings_are_guessed_but_for_a_few(browser: Client) -> None:
    page = text(browser.get(columns(uploaded(browser, fourteen_strange()))))
    chosen = [
        (re.search(r'<option value="(\w*)" selected>', select) or [None, ""])[1]
        for select in re.findall(r"<select name=.*?</select>", page)
    ]
    wrong = [
        (heading, found)
        for heading, found, meant in zip(FOURTEEN, chosen, FOURTEEN.values(), strict=True)
        if found != meant
    ]
    assert all(found == "" for _, found in wrong), wrong
    assert len(wrong) <= 4, wrong


def test_what_is_missing_stands_above_the_button(browser: Client) -> None:
    page = text(browser.get(columns(uploaded(browser, b"Foo,Bar\r\nx,y\r\n"))))
    bar = page[page.index('class="app-submit-bar"') :]
    assert "Still missing: which heading is the crime reference and the time of report." in bar
    assert "Still missing" not in text(browser.get(columns(uploaded(browser, fourteen_strange()))))
