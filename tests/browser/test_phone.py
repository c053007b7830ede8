"""An officer's work on the narrowest phone: 320 by 640 pixels, a thumb, and perhaps no scripts."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browser.conftest import Look, SignIn, arrive, card_with_a_way
from tests.browser.extract import bring, make_one

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

PHONE: ViewportSize = {"width": 320, "height": 640}
MOST_TAPS = 3


@pytest.fixture
def phone(sign_in: SignIn, tmp_path: Path) -> Page:
    """The officer's, with an open referral in the list."""
    page = sign_in("officer", width=PHONE["width"])
    if card_with_a_way(page).count() == 0:
        _refer_one(sign_in("hcop"), tmp_path)
        page.reload()
    page.set_viewport_size(PHONE)
    return page


def _refer_one(page: Page, folder: Path) -> None:
    """Refers a case in one of the officer's wards, whatever a trial would decide."""
    extract = make_one("Balham")
    bring(page, extract, folder)
    row = page.locator("tr", has_text=extract.references[0])
    row.get_by_role("link", name=re.compile("^Refer now")).click()
    row.get_by_role("radio", name="High risk").check()
    row.get_by_role("button", name="Mark to refer now").click()
    page.get_by_role("link", name=re.compile(r"^Check \d+ decisions? and submit")).click()
    expect(page.get_by_role("heading", name="Check and submit")).to_be_visible()
    arrive(page)
    for tick in page.get_by_role("checkbox").all():
        tick.check()
    page.get_by_role("button", name=re.compile("^Submit ")).click()
    expect(page.get_by_role("heading", name=re.compile("^Submitted: "))).to_be_visible()


class Thumb:
    """Counts its taps."""

    taps = 0

    def tap(self, target: Locator) -> None:
        self.taps += 1
        target.tap()


def test_an_attempt_takes_three_taps_from_the_list(phone: Page) -> None:
    thumb = Thumb()
    card = card_with_a_way(phone)
    thumb.tap(card)
    thumb.tap(phone.get_by_role("radio", name="No answer"))
    thumb.tap(phone.get_by_role("button", name="Save contact"))
    expect(phone.get_by_text("attempt logged. It stays open.")).to_be_visible()
    assert thumb.taps <= MOST_TAPS


def test_the_button_that_saves_is_one_swipe_away(phone: Page) -> None:
    card_with_a_way(phone).tap()
    expect(phone.get_by_role("button", name="Save contact")).to_be_attached()
    arrive(phone)
    box = phone.get_by_role("button", name="Save contact").bounding_box()
    assert box
    assert phone.evaluate("scrollY") == 0
    assert box["y"] <= 2 * PHONE["height"]


def test_the_words_for_the_crime_record_can_be_copied(phone: Page, look: Look) -> None:
    card_with_a_way(phone).tap()
    phone.get_by_role("radio", name="No answer").tap()
    phone.get_by_role("button", name="Save contact").tap()
    expect(phone.get_by_role("heading", name=re.compile("^Note it on crime record"))).to_be_visible()
    look(phone, "attempt-saved")
    phone.context.grant_permissions(["clipboard-write"])
    phone.get_by_role("button", name="Copy").tap()
    expect(phone.get_by_text("Copied")).to_be_visible()


def test_the_search_folds_into_a_link_that_needs_no_script(sign_in: SignIn) -> None:
    page = sign_in("officer", width=PHONE["width"], javascript=False)
    number = page.get_by_role("link", name=re.compile("^SRC-")).first.inner_text()
    field = page.get_by_label("Crime reference or SRC number")
    expect(field).to_be_hidden()
    page.get_by_role("link", name="Search", exact=True).tap()
    field.fill(number.replace("-", " "))
    page.get_by_role("button", name="Search").tap()
    expect(page.get_by_role("heading", name=number)).to_be_visible()


def test_what_a_search_finds_can_be_read(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    for typed, heading in (("7000", "Nothing found"), ("0026", "Found for")):
        page.get_by_label("Crime reference or SRC number").fill(typed)
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("heading", name=re.compile(heading))).to_be_visible()
        look(page, f"search-{typed}")
