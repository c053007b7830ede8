"""The overnight review as it is worked: by key, with questions open, and while a request fails."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import WIDTHS, Look, SignIn, arrive
from tests.browser.extract import bring, make_review

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

CASES = 20
MOST_KEYS = 60
# Which of the twenty are not suitable: the letters that find the reason, and who contacts the victim.
NOT_SUITABLE = {3: ("O", "The i"), 9: ("V", "The v"), 14: ("Con", "S")}
IS_IN_SIGHT = """element => {
    // Of a link over two lines the first.
    const box = element.getClientRects()[0];
    const x = box.left + box.width / 2;
    return [box.top + 1, box.bottom - 1].every(y => element.contains(document.elementFromPoint(x, y)));
}"""


def _rows(page: Page) -> Locator:
    return page.locator("tr[data-review-row]")


def _row(page: Page, nth: int) -> Locator:
    """The nth row that is not marked, also once it is."""
    found = page.locator("tr[data-review-row='']").nth(nth).get_attribute("id")
    return page.locator(f"#{found}")


def _clear(page: Page, row: Locator) -> None:
    row.get_by_role("button", name=re.compile("^Clear")).click()
    expect(row).to_have_attribute("data-review-row", "")


def test_twenty_cases_are_reviewed_and_submitted_in_sixty_keys(
    sign_in: SignIn, tmp_path: Path, look: Look
) -> None:
    page = sign_in("hcop")
    extract = make_review(CASES)
    bring(page, extract, tmp_path)
    pressed: list[str] = []

    def press(*keys: str) -> None:
        for key in keys:
            page.keyboard.press(key)
            pressed.append(key)

    press("j")
    for nth, reference in enumerate(extract.references):
        row = page.locator("tr[data-review-row]").filter(
            has=page.locator("strong", has_text=re.compile(f"^{reference}$"))
        )
        expect(row).to_be_focused()
        if nth in NOT_SUITABLE:
            why, who = NOT_SUITABLE[nth]
            press("n")
            expect(row.get_by_label("Why not")).to_be_focused()
            press(*why, "Tab", *who, "Tab", "Enter")
        else:
            press("s")
        expect(row).to_have_attribute("data-review-row", "marked")
    press("c")
    expect(page.get_by_role("heading", name="Check and submit")).to_be_visible()
    arrive(page)
    press("c")
    expect(page.get_by_role("checkbox", name=re.compile("no restriction follows"))).to_be_focused()
    press("Space", "c")
    expect(page.get_by_role("button", name=f"Submit {CASES - 3} suitable, 3 not suitable")).to_be_focused()
    press("Enter")
    expect(page.get_by_role("heading", name=f"Submitted: {CASES} decisions")).to_be_visible()
    not_suitable = page.get_by_role("heading", name="Not suitable").locator("~ ul").first
    expect(not_suitable.get_by_role("listitem")).to_have_text(
        [
            re.compile("Organisation or State as victim.\\s+Contact: The investigating officer only"),
            re.compile("Victim lives outside the BCU.\\s+Contact: The victim's home BCU"),
            re.compile("Contact would be unsafe.\\s+Contact: Safeguarding"),
        ]
    )
    assert len(pressed) <= MOST_KEYS, f"{len(pressed)} keys: {pressed}"


@pytest.mark.parametrize("width", WIDTHS)
def test_counts_and_check_stay_in_sight_and_hide_nothing_that_has_the_focus(
    sign_in: SignIn, width: int
) -> None:
    page = sign_in("hcop", width=width)
    page.keyboard.press("j")
    first = _rows(page).first
    expect(first).to_be_focused()
    page.keyboard.press("s")
    expect(_rows(page).nth(1)).to_be_focused()
    try:
        _look_while_moving(page)
    finally:
        _clear(page, first)


def test_at_four_times_the_size_the_bar_lets_go_and_the_list_is_worked_by_keys(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    # What is left of a window of 1280 by 1024 px at a zoom of 400%.
    page.set_viewport_size({"width": 320, "height": 256})
    page.keyboard.press("j")
    first = _rows(page).first
    expect(first).to_be_focused()
    assert page.locator("tr:focus strong").first.evaluate(IS_IN_SIGHT)
    page.keyboard.press("s")
    try:
        expect(_rows(page).nth(1)).to_be_focused()
        assert page.locator("tr:focus strong").first.evaluate(IS_IN_SIGHT)
        assert not page.get_by_role("link", name="Check 1 decision and submit").evaluate(IS_IN_SIGHT)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.keyboard.press("n")
        expect(_rows(page).nth(1).get_by_label("Why not")).to_be_focused()
        assert page.locator(":focus").evaluate(IS_IN_SIGHT)
        page.keyboard.press("Escape")
        page.keyboard.press("c")
        expect(page.get_by_role("heading", name="Check and submit")).to_be_visible()
        page.go_back()
    finally:
        _clear(page, first)


def _look_while_moving(page: Page) -> None:
    check = page.get_by_role("link", name="Check 1 decision and submit")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    for counted in (check, page.get_by_text(re.compile("1 suitable · .* not yet marked"))):
        assert counted.evaluate(IS_IN_SIGHT)
    last = _rows(page).last
    last.get_by_role("link", name=re.compile("^Not suitable")).focus()
    for _ in range(6):
        page.keyboard.press("k")
        assert page.locator("tr:focus strong").first.evaluate(IS_IN_SIGHT)
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        focused = page.locator(":focus")
        assert focused.evaluate(IS_IN_SIGHT), focused.evaluate("element => element.outerHTML.slice(0, 300)")


def test_a_question_opens_in_view_and_is_closed_by_escape_or_cancel(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    page.keyboard.press("k")
    row = _rows(page).last
    expect(row).to_be_focused()
    for key, link, field in (
        ("n", "Not suitable", row.get_by_label("Why not")),
        ("r", "Refer now", row.get_by_label("The victim asked for contact")),
    ):
        for close in ("Escape", "Cancel"):
            page.keyboard.press(key)
            expect(field).to_be_focused()
            button = row.get_by_role("button", name=re.compile("^Mark "))
            assert button.evaluate(IS_IN_SIGHT)
            if close == "Escape":
                page.keyboard.press("Escape")
            else:
                row.get_by_role("button", name="Cancel").click()
            expect(field).to_have_count(0)
            expect(row.get_by_role("link", name=re.compile(f"^{link}"))).to_be_focused()
    # What was chosen before it was cancelled is not kept.
    page.keyboard.press("n")
    row.get_by_label("Why not").select_option(label="Duplicate of another report")
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    page.keyboard.press("n")
    expect(row.get_by_label("Why not")).to_have_value("")
    expect(page.locator("#kept-form-notice")).to_be_empty()


def test_several_questions_are_open_and_what_is_wrong_is_told_in_each(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    first, second, third = (_row(page, nth) for nth in range(3))
    for row, link in ((first, "Not suitable"), (second, "Refer now"), (third, "Not suitable")):
        row.get_by_role("link", name=re.compile(f"^{link}")).click()
        expect(row.get_by_role("button", name=re.compile("^Mark "))).to_be_visible()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert sorted(ids) == sorted(set(ids))
    assert "case-" in "".join(ids)
    first.get_by_label("Who will contact the victim").select_option(label="Safeguarding")
    first.get_by_role("button", name=re.compile("^Mark ")).click()
    expect(first.get_by_role("alert")).to_have_text(re.compile("Choose why the case is not suitable."))
    expect(first.get_by_label("Why not")).to_be_focused()
    expect(first.get_by_label("Who will contact the victim")).to_have_value("safeguarding")
    second.get_by_role("button", name=re.compile("^Mark ")).click()
    expect(second.get_by_role("alert")).to_have_text(re.compile("Choose why the case is referred now."))
    expect(second.get_by_label("The victim asked for contact")).to_be_focused()
    # The same key again leaves what was chosen as it is.
    first.get_by_role("link", name=re.compile("^Not suitable")).click()
    expect(first.get_by_label("Why not")).to_be_focused()
    expect(first.get_by_label("Who will contact the victim")).to_have_value("safeguarding")
    look(page, "overnight-review-questions")


def test_what_was_chosen_last_stands_in_a_question_that_is_asked_again(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    row = _row(page, 0)
    row.get_by_role("link", name=re.compile("^Not suitable")).click()
    row.get_by_label("Why not").select_option(label="Duplicate of another report")
    # By now the browser has kept what was chosen so far.
    page.wait_for_timeout(2_000)
    row.locator("[data-question] form").evaluate(
        """form => {
            form.contact_by.value = "safeguarding";
            form.contact_by.dispatchEvent(new Event("change", {bubbles: true}));
            form.requestSubmit();
        }"""
    )
    expect(row.get_by_role("alert")).to_have_text(re.compile("Say of which report"))
    page.wait_for_timeout(500)
    expect(row.get_by_label("Who will contact the victim")).to_have_value("safeguarding")
    expect(page.locator("#kept-form-notice")).to_be_empty()


def test_an_incident_has_its_answer_chosen(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    row = page.locator("tr", has_text="Incident, not a crime").first
    row.get_by_role("link", name=re.compile("^Not suitable")).focus()
    page.keyboard.press("n")
    expect(row.get_by_label("Why not")).to_be_focused()
    for key in ("Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(row).to_contain_text("A hate incident, not a crime. Contact: The investigating officer only.")
    _clear(page, row)


def test_of_which_report_is_asked_once_duplicate_is_the_reason(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    row = _row(page, 0)
    row.get_by_role("link", name=re.compile("^Not suitable")).click()
    other = row.get_by_label("Crime reference of the other report")
    expect(other).to_be_hidden()
    row.get_by_label("Why not").select_option(label="Duplicate of another report")
    row.get_by_label("Who will contact the victim").select_option(label="Safeguarding")
    expect(other).to_be_visible()
    row.get_by_role("button", name=re.compile("^Mark ")).click()
    expect(row.get_by_role("alert")).to_have_text(re.compile("Say of which report it is a duplicate."))
    other.fill("01/7654321/26")
    row.get_by_role("button", name=re.compile("^Mark ")).click()
    expect(row).to_contain_text("Duplicate of another report: 01/7654321/26. Contact: Safeguarding.")
    _clear(page, row)


def test_the_key_for_suitable_says_why_an_incident_cannot_be(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    row = page.locator("tr", has_text="Incident, not a crime").first
    row.get_by_role("link", name=re.compile("^Not suitable")).focus()
    page.keyboard.press("s")
    reference = row.locator("strong").first.inner_text()
    told = page.get_by_role("main").get_by_role("status")
    expect(
        told.filter(has_text=re.compile(rf"^\s*{reference}: This is an incident, not a crime"))
    ).to_have_count(1)
    expect(row).to_have_attribute("data-review-row", "")


def test_a_mark_is_announced_and_the_focus_goes_on_to_the_next_that_has_none(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    first, second, third = (_row(page, nth) for nth in range(3))
    second.get_by_role("button", name=re.compile("^Suitable")).click()
    expect(second).to_have_attribute("data-review-row", "marked")
    expect(third).to_be_focused()
    first.get_by_role("button", name=re.compile("^Suitable")).focus()
    page.keyboard.press("s")
    expect(third).to_be_focused()
    reference = first.locator("strong").first.inner_text()
    told = page.get_by_role("main").get_by_role("status")
    expect(told.filter(has_text=re.compile(rf"{reference}: suitable\. \d+ not yet marked"))).to_have_count(1)
    _clear(page, first)
    expect(first).to_be_focused()
    expect(told.filter(has_text=f"{reference}: no mark")).to_have_count(1)
    _clear(page, second)


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        (lambda route: route.abort(), "The server cannot be reached."),
        (lambda route: route.fulfill(status=500), "The server could not do this."),
        (lambda route: route.fulfill(status=403), "Perhaps you signed in again in another tab"),
        (lambda route: route.fulfill(status=404), "somebody has submitted it"),
    ],
    ids=["no network", "500", "403", "404"],
)
def test_a_request_that_fails_says_so_in_its_row_and_loses_nothing(
    sign_in: SignIn, look: Look, fails: Callable[[Route], None], words: str
) -> None:
    page = sign_in("hcop", may_fail=True)
    row, other = _row(page, 0), _row(page, 1)
    other.get_by_role("link", name=re.compile("^Not suitable")).click()
    other.get_by_label("Why not").select_option(label="Contact would be unsafe")
    other.get_by_label("Who will contact the victim").select_option(label="Safeguarding")
    page.route(re.compile("/overnight-review/"), fails)
    row.get_by_role("button", name=re.compile("^Suitable")).click()
    other.get_by_role("button", name=re.compile("^Mark ")).click()
    for each in (row, other):
        expect(each.get_by_role("alert")).to_contain_text(words)
    expect(other.get_by_label("Why not")).to_have_value("unsafe")
    expect(other.get_by_label("Who will contact the victim")).to_have_value("safeguarding")
    look(page, "overnight-review-failed")
    page.unroute_all()
    other.get_by_role("button", name=re.compile("^Mark ")).click()
    row.get_by_role("button", name=re.compile("^Suitable")).click()
    for each in (row, other):
        expect(each).to_have_attribute("data-review-row", "marked")
        expect(each.get_by_role("alert")).to_have_count(0)
        _clear(page, each)


def test_a_mark_made_meanwhile_in_another_session_is_shown_and_stays(sign_in: SignIn) -> None:
    mine, theirs = sign_in("hcop"), sign_in("hcop")
    row = _row(mine, 0)
    row.get_by_role("link", name=re.compile("^Not suitable")).click()
    row.get_by_label("Why not").select_option(label="Contact would be unsafe")
    row.get_by_label("Who will contact the victim").select_option(label="Safeguarding")
    same = theirs.locator(f"#{row.get_attribute('id')}")
    same.get_by_role("button", name=re.compile("^Suitable")).click()
    expect(same).to_have_attribute("data-review-row", "marked")
    row.get_by_role("button", name=re.compile("^Mark ")).click()
    expect(row.get_by_role("alert")).to_contain_text("Your mark was not saved: look again.")
    expect(row.get_by_role("button", name=re.compile("^Suitable"), pressed=True)).to_be_visible()
    expect(row).to_be_focused()
    theirs.reload()
    expect(same.get_by_role("button", name=re.compile("^Suitable"), pressed=True)).to_be_visible()
    _clear(theirs, same)


def test_a_tick_of_the_check_page_stays_while_another_case_is_seen_to_and_goes_with_its_note(
    sign_in: SignIn,
) -> None:
    page = sign_in("hcop")
    row = _row(page, 0)
    reference = row.locator("strong").first.inner_text()
    tick = page.get_by_role("checkbox", name=f"{reference}: I read it")
    row.get_by_role("button", name=re.compile("^Suitable")).click()
    expect(row).to_have_attribute("data-review-row", "marked")

    def write(note: str, link: str | re.Pattern[str]) -> None:
        page.get_by_role("link", name=link).click()
        page.get_by_label(re.compile("^Safety note")).fill(note)
        page.get_by_role("button", name="Save", exact=True).click()

    try:
        write("Dog at the address.", f"Restrictions and safety of {reference}")
        page.get_by_role("link", name="Check 1 decision and submit").click()
        tick.check()
        page.reload()
        expect(tick).to_be_checked()
        tick.uncheck()
        page.reload()
        expect(tick).not_to_be_checked()
        tick.check()
        write("Two dogs at the address.", re.compile("^Set restrictions"))
        expect(page.get_by_role("heading", name="Check and submit")).to_be_visible()
        expect(tick).not_to_be_checked()
    finally:
        page.goto(page.url.split("/overnight-review/")[0] + "/overnight-review/")
        write("", f"Restrictions and safety of {reference}")
        _clear(page, row)
