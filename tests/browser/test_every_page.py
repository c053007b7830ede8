"""The pages the whole path does not pass: each read at three widths, with axe finding nothing."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Look, SignIn

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

PAGES = {
    "triallead": ["/trials/", "/compliance/"],
    "leader": ["/compliance/", "/accessibility/"],
    "admin": ["/places/"],
    "auditor": ["/audit/"],
    "hcop": ["/account/password/change/", "/account/2fa/"],
}


@pytest.mark.parametrize("username", PAGES)
def test_each_role_can_read_its_pages(username: str, sign_in: SignIn, look: Look) -> None:
    page = sign_in(username)
    address = re.match(r"https?://[^/]+", page.url)
    assert address
    for path in PAGES[username]:
        response = page.goto(address[0] + path)
        assert response
        assert response.status == 200, path
        look(page, f"{username}{path.replace('/', '-').rstrip('-')}")


def test_the_forms_of_the_overnight_review_can_be_read(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    for name, picture in (
        (re.compile("^Choose a team"), "choose-team"),
        (re.compile("^Restrictions and safety"), "restrictions"),
    ):
        page.get_by_role("link", name=name).first.click()
        look(page, picture)
        page.get_by_role("link", name="Back to the overnight review").click()


def test_the_overnight_review_works_without_javascript(sign_in: SignIn) -> None:
    page = sign_in("hcop", javascript=False)
    first = page.locator("tr[data-review-row]").first
    first.get_by_role("button", name=re.compile("^Suitable")).click()
    expect(page.locator("button[aria-pressed=true]")).to_have_count(1)
    page.locator("tr[data-review-row]").first.get_by_role("link", name=re.compile("^Not suitable")).click()
    page.get_by_role("button", name="Mark not suitable").click()
    expect(page.get_by_text("Choose why the case is not suitable.").first).to_be_visible()
    page.get_by_label("Why not").select_option(label="Duplicate of another report")
    page.get_by_label("Who will contact the victim").select_option(label="The investigating officer only")
    page.get_by_role("button", name="Mark not suitable").click()
    expect(page.get_by_text("Duplicate of another report").first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Clear")).first.click()
    expect(page.get_by_role("link", name=re.compile("and submit"))).to_have_count(0)
