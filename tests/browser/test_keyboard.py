"""The day's work without a mouse: every step reached by Tab and done by a key, the focus seen at each."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SignIn, arrive

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

MOST_STOPS = 250
FOCUS_IS_SEEN = """element => {
    const style = getComputedStyle(element);
    const near = getComputedStyle(element.labels?.[0] ?? element, element.labels?.length ? "::before" : null);
    return [style, near].some(each => each.outlineStyle !== "none" || each.boxShadow !== "none");
}"""


def tab_to(page: Page, target: Locator) -> None:
    """Tab after Tab until it has the focus; fails where it is never reached, or its focus is not seen."""
    expect(target).to_be_attached()
    for _ in range(MOST_STOPS):
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate(FOCUS_IS_SEEN), f"the focus is not seen on {target}"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{target} is not reached by Tab")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def test_an_hcop_reviews_and_submits_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    page.reload()
    press(page, page.get_by_role("link", name="Skip to main content"))
    expect(page.get_by_role("main")).to_be_focused()
    current = page.locator("tr.is-current")
    page.keyboard.press("j")
    while current.locator("[data-suitable]").count() == 0:
        page.keyboard.press("j")
    suitable = current.get_attribute("id")
    page.keyboard.press("s")
    expect(page.locator(f"#{suitable} [aria-pressed=true]")).to_be_visible()
    page.keyboard.press("j")
    other = page.locator(f"#{current.get_attribute('id')}")
    page.keyboard.press("n")
    why = other.get_by_label("Why not")
    tab_to(page, why)
    page.keyboard.type("Victim lives")
    expect(why.locator("option:checked")).to_have_text("Victim lives outside the BCU")
    tab_to(page, other.get_by_label("Who will contact the victim"))
    page.keyboard.type("The investigating")
    press(page, other.get_by_role("button", name="Mark not suitable"))
    expect(other).to_contain_text("Victim lives outside the BCU")
    press(page, page.get_by_role("link", name="Check 2 decisions and submit"))
    expect(page.get_by_role("heading", name="Check and submit")).to_be_visible()
    arrive(page)
    for tick in page.get_by_role("checkbox").all():
        press(page, tick, "Space")
    press(page, page.get_by_role("button", name=re.compile("^Submit 1 suitable")))
    expect(page.get_by_role("heading", name="Submitted: 2 decisions")).to_be_visible()


def test_a_case_is_marked_to_be_referred_now_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    page.reload()
    page.keyboard.press("j")
    row = page.locator(f"#{page.locator('tr.is-current').get_attribute('id')}")
    page.keyboard.press("r")
    press(page, row.get_by_label("The victim asked for contact"), " ")
    press(page, row.get_by_role("button", name="Mark to refer now"))
    expect(row.locator(".app-decision__button--chosen")).to_have_text(re.compile("^Refer now"))
    press(page, row.get_by_role("button", name=re.compile("^Clear")))
    expect(row.locator(".app-decision__button--chosen")).to_have_count(0)


def test_shortcuts_explain_themselves_and_can_be_turned_off(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Shortcuts")).to_be_hidden()
    press(page, page.get_by_role("button", name="Turn off"))
    page.reload()
    page.keyboard.press("j")
    expect(page.locator("tr.is-current")).to_have_count(0)
    press(page, page.get_by_role("button", name="Turn on"))
    page.keyboard.press("j")
    expect(page.locator("tr.is-current")).to_have_count(1)


def test_a_slash_goes_to_the_search(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    field = page.get_by_label("Crime reference or SRC number")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("01 7000023 26")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="01/7000023/26")).to_be_visible()
    page.go_back()
    page.wait_for_load_state()
    page.set_viewport_size({"width": 320, "height": 640})
    page.keyboard.press("/")
    expect(page.get_by_role("link", name="Search", exact=True)).to_be_focused()


def test_an_officer_logs_a_contact_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("officer")
    card = page.get_by_role("link", name=re.compile("^Log contact.*SRC")).first
    number = card.inner_text().split(": ")[1]
    press(page, card)
    arrive(page)
    # Where the victim's wish has to be read first, no way is chosen already.
    if page.locator("[name=method]:checked").count() == 0:
        press(page, page.get_by_role("radio", name="Telephone"), "Space")
    way = page.locator(f"#{page.locator('[name=method]:checked').get_attribute('id')}")
    tab_to(page, way)
    page.keyboard.press("ArrowDown")
    expect(way).not_to_be_checked()
    page.keyboard.press("ArrowUp")
    expect(way).to_be_checked()
    press(page, page.get_by_role("radio", name=re.compile("^Contact made")), "Space")
    press(page, page.get_by_text("If it came up"))
    press(page, page.get_by_role("checkbox", name="Support referral offered", exact=True), "Space")
    press(page, page.get_by_text("Add a note, a time or a colleague"))
    tab_to(page, page.get_by_label("Short note"))
    page.keyboard.type("Prefers mornings")
    press(page, page.get_by_role("button", name="Save contact"))
    expect(page.get_by_text(f"{number}: contact made.")).to_be_visible()


def test_a_supervisor_sends_a_reminder_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("supervisor")
    press(page, page.get_by_role("button", name=re.compile("^Send a reminder")).last)
    expect(page.get_by_text("is on its way to the team's mailbox")).to_be_visible()
    expect(page.get_by_role("heading", name="Overdue now")).to_be_visible()
