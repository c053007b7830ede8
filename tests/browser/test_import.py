"""Import: files with other headings, with faulty rows, with several sheets, and long ones."""

import csv
import io
import re
import time
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from referrals.intake.reading.columns import Column
from tests.browser.conftest import Look, SignIn, System
from tests.browser.worker import AtWork, waiting_worker
from tests.extracts import MESSY, extract, fourteen_strange, row
from tests.patience import patience
from tests.workbooks import Cell, xlsx

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

# Nothing here resembles a report of another test, and all of it has happened whatever the clock says.
LONG_AGO = {
    "reported_at": "29/10/2022 18:07",
    "occurred_at": "29/10/2022 07:25",
    "victim_postcode": "SW17 8PA",
}
# Nineteen headings, of which four mean nothing to the system.
STRANGE = (
    extract(row(1, **LONG_AGO), columns=[*Column, "Ward code"])
    .replace(b"crime_reference", b"Ref", 1)
    .replace(b"reported_at", b"When", 1)
    .replace(b"offence", b"Story", 1)
)
# What has to be typed where a heading has no guess, as few letters as tell it from the other columns.
MEANT_BY_HAND = {"How to contact": "Con", "Log No": "Inc", "Vic Unique Ref": "vv"}
SHEET: list[list[Cell]] = [["Crime No", "Reported"], ["01/8100002/22", LONG_AGO["reported_at"]]]
SHOW = "Show what would be saved"
# Alone, or with how many wait: "Import (1 waiting)".
IMPORT = re.compile(r"^Import($| \()")


def upload(page: Page, name: str, content: bytes) -> None:
    page.get_by_role("link", name=IMPORT).click()
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )
    page.get_by_role("button", name=SHOW).click()


def title(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def discard(page: Page) -> None:
    page.get_by_role("button", name=re.compile("[Dd]iscard")).click()
    expect(page.get_by_text("The extract was discarded")).to_be_visible()


def wait_until_read(page: Page) -> None:
    """Looks again until a worker has read the file."""
    deadline = time.monotonic() + patience(60)
    read = page.get_by_role("heading", level=1, name="Check the import")
    while read.count() == 0 and time.monotonic() < deadline:
        page.wait_for_timeout(250)
        page.reload()
    title(page, "Check the import")


def long_file(number: int) -> bytes:
    """Six reports and a faulty row in more bytes than are read at once: a column that is not used is long."""
    rows = [row(100 * number + place, Log="x" * 100_000, **LONG_AGO) for place in range(6)]
    return extract(*rows, row(crime_reference="none"), columns=[*Column, "Log"])


def test_rejected_rows_are_mended_in_their_file(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    upload(page, MESSY.name, MESSY.read_bytes())
    expect(page.get_by_role("button", name="Save 24 cases")).to_be_visible()
    look(page, "import-messy")
    with page.expect_download() as download:
        page.get_by_role("link", name="download them").click()
    rejected = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert len(rejected) == 6
    mended = io.StringIO(newline="")
    writer = csv.DictWriter(mended, [name for name in rejected[0] if name], extrasaction="ignore")
    writer.writeheader()
    for number, cells in enumerate(rejected):
        cells |= {"Crime Ref No": f"01/83000{number:02}/22", "Date/Time Reported": LONG_AGO["reported_at"]}
        writer.writerow(cells | {"VIW Postcode": LONG_AGO["victim_postcode"]})
    discard(page)
    upload(page, "rejected.csv", mended.getvalue().encode())
    expect(page.get_by_text("Why rejected", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save 6 cases").click()
    title(page, "Overnight review")
    expect(page.get_by_text("01/8300000/22").first).to_be_visible()


def test_headings_are_matched_by_hand_once(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    upload(page, "strange.csv", STRANGE)
    title(page, "Match the columns")
    look(page, "import-columns")
    page.get_by_label("Story").select_option(label="Victim key")
    page.get_by_role("button", name=SHOW).click()
    expect(page.get_by_role("alert")).to_contain_text("Choose the heading that is the time of report.")
    look(page, "import-columns-refused")
    page.get_by_role("link", name="Choose the heading that is the time of report.").click()
    # What its cells tell is chosen already.
    expect(page.get_by_label("Ref", exact=True)).to_be_focused()
    expect(page.get_by_label("Ref", exact=True)).to_have_value("crime_reference")
    page.get_by_label("When").select_option(label="Time of report (must be there)")
    page.get_by_label("Story").select_option(label="Offence")
    page.get_by_role("button", name=SHOW).click()
    title(page, "Check the import")
    expect(page.get_by_role("table", name="New")).to_contain_text("Harassment")
    page.get_by_role("link", name="Match them by hand").click()
    expect(page.get_by_role("heading", name="18 headings recognised")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Back to the check")).click()
    discard(page)
    upload(page, "strange again.csv", STRANGE)
    title(page, "Check the import")
    discard(page)


def test_fourteen_strange_headings_cost_fewer_than_forty_keys(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    upload(page, "fourteen.csv", fourteen_strange(crime_reference="01/8100014/22", **LONG_AGO))
    title(page, "Match the columns")
    keys = 0

    def press(*pressed: str) -> None:
        nonlocal keys
        for key in pressed:
            page.keyboard.press(key)
            keys += 1

    def focused(what: str) -> str:
        found: str = page.evaluate(f"() => document.activeElement.{what} ?? ''")
        return found

    press("Tab", "Enter")  # skip to the main content
    while focused("type") != "submit" or SHOW not in focused("textContent"):
        heading = page.evaluate("() => document.activeElement.labels?.[0]?.textContent.trim() ?? ''")
        if (meant := MEANT_BY_HAND.get(heading)) and not focused("value"):
            press(*meant)
        press("Tab")
    press("Enter")
    title(page, "Check the import")
    expect(page.get_by_role("table", name="New")).to_contain_text("Arson")
    page.get_by_role("link", name="Match them by hand").click()
    expect(page.get_by_role("heading", name="14 headings recognised")).to_be_visible()
    expect(page.get_by_label("Vic Unique Ref")).to_have_value("victim_key")
    assert keys < 40
    page.get_by_role("link", name=re.compile("^Back to the check")).click()
    discard(page)


def test_of_several_sheets_one_is_chosen(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    upload(page, "months.xlsx", xlsx(May=SHEET, June=SHEET))
    title(page, "Choose the sheet")
    page.get_by_role("button", name=SHOW).click()
    page.get_by_role("link", name="Choose the sheet to import.").click()
    expect(page.get_by_role("radio", name="May")).to_be_focused()
    look(page, "import-sheets-refused")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="June")).to_be_checked()
    page.keyboard.press("Enter")
    title(page, "Check the import")
    discard(page)


def test_a_long_file_is_left_and_found_again(system: System, sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    with waiting_worker(system):
        upload(page, "long.csv", long_file(1))
        title(page, "Reading the import")
        expect(page.get_by_text("Waiting for its turn").first).to_be_visible()
        look(page, "import-queued")
        page.get_by_role("link", name=IMPORT).click()
        look(page, "import-being-read")
        row = page.get_by_role("row", name=re.compile("long.csv"))
        expect(row).to_contain_text("Being read")
        row.get_by_role("link").click()
        title(page, "Reading the import")
    # The worker goes on, and the page by itself with it.
    title(page, "Check the import")
    with waiting_worker(system):
        page.get_by_role("button", name="Save 6 cases").click()
        title(page, "Saving the import")
    expect(page.get_by_text("Saved on")).to_be_visible()
    look(page, "import-saved")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rejected rows").click()
    assert b"not the form of a crime reference" in download.value.path().read_bytes()


def test_what_changed_while_somebody_looked_is_shown_again(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    first, second = (row(number, crime_reference=f"01/840000{number}/22", **LONG_AGO) for number in (1, 2))
    upload(page, "first.csv", extract(first, second))
    title(page, "Check the import")
    colleague = page.context.new_page()
    colleague.goto(page.url)
    upload(colleague, "second.csv", extract(first | {"offence": "Arson"}))
    colleague.get_by_role("button", name="Save 1 case").click()
    title(colleague, "Overnight review")
    page.get_by_role("button", name="Save 2 cases").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved: look again.")
    look(page, "import-changed-meanwhile")
    page.get_by_role("link", name="Changed").click()
    expect(page.get_by_role("table", name="Changed")).to_be_in_viewport()
    discard(page)


def test_a_long_file_that_turns_out_to_be_no_table_is_refused(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    upload(page, "broken.csv", long_file(4) + b'01/8299999/26,"22/11/2026')
    expect(page.get_by_text("is never closed")).to_be_visible()
    look(page, "import-could-not-be-read")


def test_how_far_the_work_has_come_is_shown_and_said(system: System, sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    with waiting_worker(system):
        upload(page, "long.csv", long_file(2))
        title(page, "Reading the import")
        spoken = page.locator("#progress-spoken[role=status]")
        with AtWork(system, UUID(page.url.strip("/").rpartition("/")[2])) as work:
            work.begin()
            work.tell(2_400, 0.4)
            expect(page.get_by_text("40% of the file is read")).to_be_visible()
            expect(spoken).to_have_text("25% is read.")
            look(page, "import-reading")
            _count_what_is_said(page)
            with page.expect_request(re.compile("/progress/")) as asked:
                pass
            # The page asks by itself: that keeps nobody signed in.
            assert asked.value.headers["x-background"] == "true"
            work.tell(2_700, 0.45)
            expect(page.get_by_text("45% of the file is read")).to_be_visible()
            work.tell(6_000, 1.0)
            expect(page.get_by_text("All 6,000 rows are read")).to_be_visible()
            expect(spoken).to_have_text("All rows are read and are being compared.")
            # Once: neither five per cent more nor asking again is worth interrupting anybody for.
            assert page.evaluate("said") == 1
            work.end()
            expect(page.get_by_text("Nothing is saved. It starts again")).to_be_visible()
            look(page, "import-interrupted")
        page.get_by_role("button", name="Stop and discard").click()
        expect(page.get_by_text("The extract was discarded")).to_be_visible()


def _count_what_is_said(page: Page) -> None:
    page.evaluate(
        "window.said = 0; new MutationObserver(() => said++)"
        ".observe(document.getElementById('progress-spoken'), {childList: true, subtree: true})"
    )


def test_the_progress_is_looked_at_again_without_javascript(system: System, sign_in: SignIn) -> None:
    page = sign_in("hcop", javascript=False)
    with waiting_worker(system):
        upload(page, "long.csv", long_file(3))
        title(page, "Reading the import")
        page.get_by_role("link", name="Look again").click()
        title(page, "Reading the import")
    wait_until_read(page)
    page.get_by_role("link", name="Match them by hand").click()
    page.get_by_label("offence", exact=True).select_option(label="Not used")
    page.get_by_role("button", name=SHOW).click()
    wait_until_read(page)
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("The extract was discarded")).to_be_visible()
