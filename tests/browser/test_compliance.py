"""Compliance on a phone, on paper, and a ward's own page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Look, SignIn

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]
# 15 mm are left free on either side of A4: 210 mm less 30, at 96 dots an inch.
PRINTED_WIDTH = 680


def test_on_a_phone_the_first_reminder_is_in_sight_and_the_figures_come_after(sign_in: SignIn) -> None:
    page = sign_in("supervisor", width=320)
    page.set_viewport_size({"width": 320, "height": 640})
    first = page.get_by_role("button", name=re.compile("^Send a reminder")).first
    expect(first).to_be_in_viewport(ratio=1)
    button, figures = first.bounding_box(), page.locator(".app-figures").bounding_box()
    assert button
    assert figures
    assert button["height"] >= 44
    assert button["y"] < figures["y"]
    page.set_viewport_size({"width": 1280, "height": 800})
    button, figures = first.bounding_box(), page.locator(".app-figures").bounding_box()
    assert button
    assert figures
    assert figures["y"] < button["y"]


def test_a_ward_leads_to_its_own_page_over_time(sign_in: SignIn, look: Look) -> None:
    page = sign_in("supervisor")
    page.get_by_role("table", name="By ward").get_by_role("link", name="Tooting Broadway").click()
    expect(page.get_by_role("heading", name="Tooting Broadway")).to_be_visible()
    look(page, "compliance-ward")
    page.get_by_role("link", name="Last 12 months").click()
    expect(page.get_by_role("table", name="Month by month")).to_be_visible()
    look(page, "compliance-ward-months")
    page.get_by_role("link", name="Compliance", exact=True).first.click()
    expect(page.get_by_role("heading", name="Compliance", exact=True)).to_be_visible()


def test_the_page_works_without_javascript(sign_in: SignIn) -> None:
    page = sign_in("hcop", javascript=False)
    page.get_by_role("link", name="Compliance", exact=True).click()
    page.get_by_role("link", name="Last month").click()
    expect(page.get_by_role("link", name="Last month")).to_have_attribute("aria-current", "page")
    page.get_by_label("Borough").select_option(label="Merton")
    page.get_by_role("button", name="Show", exact=True).last.click()
    assert "period=last-month" in page.url
    expect(page.get_by_text("Referrals Merton · due")).to_be_visible()


@pytest.mark.parametrize("is_of_a_ward", [False, True])
def test_paper_holds_the_tables_and_the_moment_and_nothing_to_press(
    sign_in: SignIn, is_of_a_ward: bool
) -> None:
    page = sign_in("supervisor")
    if is_of_a_ward:
        page.get_by_role("link", name="Tooting Broadway").last.click()
    as_at = page.get_by_text(re.compile(r"^As at \d{1,2} \w+ \d{4}, \d{1,2}:\d\d(am|pm)\.$"))
    expect(as_at).to_be_hidden()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PRINTED_WIDTH, "height": 960})
    expect(as_at).to_be_visible()
    assert _shown(page, "button, nav, select, summary, input:not([type=hidden]), .govuk-back-link") == []
    assert page.locator("tbody tr").first.evaluate("row => getComputedStyle(row).display") == "table-row"
    after = "links => links.map(link => getComputedStyle(link, '::after').content)"
    assert set(page.locator("main a").evaluate_all(after)) == {"none"}
    assert page.evaluate("document.documentElement.scrollWidth") <= PRINTED_WIDTH
    assert page.pdf(format="A4").startswith(b"%PDF")


def _shown(page: Page, selector: str) -> list[str]:
    return [found.inner_text() for found in page.locator(selector).all() if found.is_visible()]
