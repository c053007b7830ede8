"""The warning before the session ends: in time, and without losing what was typed."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Look, SignIn

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

NOTE = "Speak to the sergeant first"


def _typing(page: Page) -> None:
    """A half-written note, on a page whose clock the test winds."""
    page.clock.install()
    page.get_by_role("link", name=re.compile("^Restrictions and safety")).first.click()
    page.get_by_label("Safety note").fill(NOTE)


def test_staying_signed_in_keeps_what_was_typed(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    _typing(page)
    warning = page.get_by_role("dialog", name="You will be signed out soon")
    for stay in ("button", "Escape"):
        page.clock.fast_forward("17:50")
        expect(warning).to_be_hidden()
        page.clock.fast_forward("00:40")
        expect(warning).to_be_visible()
        expect(warning).to_contain_text("a minute and a half")
        if stay == "button":
            look(page, "session-warning")
        with page.expect_response(re.compile("/session/stay/")) as answered:
            if stay == "button":
                warning.get_by_role("button", name="Stay signed in").click()
            else:
                page.keyboard.press("Escape")
        assert answered.value.status == 204
        page.clock.run_for(1000)
        expect(warning).to_be_hidden()
        expect(page.get_by_label("Safety note")).to_have_value(NOTE)


def test_nobody_there_the_page_about_a_victim_does_not_stay(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    _typing(page)
    # The server's clock is not wound: there the session ends so.
    page.context.clear_cookies()
    page.clock.fast_forward("20:05")
    page.wait_for_url(re.compile(r"/account/login/\?next=/overnight-review/\d+/safety/"))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_label("Safety note")).to_have_count(0)
