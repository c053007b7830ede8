"""The administrator's joiner, mover and leaver, and people from a list."""

import re
import time

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import WAIT, Look, SignIn, System

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

NAME, USERNAME, EMAIL = "PC 9901SW", "pc9901", "pc9901@example.police.uk"
OWN_PASSWORD = "four of their own words"


def _sign_in(context: BrowserContext, system: System, password: str) -> Page:
    page = context.new_page()
    page.goto(f"{system.address}/")
    page.get_by_label("Username").fill(USERNAME)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def _add(page: Page, look: Look) -> str:
    """The joiner; returns the first password."""
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("link", name="Add a person").click()
    page.get_by_role("button", name="Add this person").click()
    expect(page.get_by_role("link", name="Choose what the person does here.")).to_be_visible()
    look(page, "people-add-errors")
    page.get_by_label("Name on pages").fill(NAME)
    page.get_by_label("User name").fill(USERNAME)
    page.get_by_label("Work e-mail address").fill(EMAIL)
    page.get_by_label("Neighbourhood officer or PCSO").check()
    page.get_by_label("Team").select_option("Abbey ward team, Merton")
    page.get_by_role("button", name="Add this person").click()
    expect(page.get_by_role("heading", name="1 first password")).to_be_visible()
    look(page, "people-first-password")
    return page.locator("td code").inner_text()


def _open(page: Page) -> None:
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_label("Name or user name").fill(USERNAME)
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=NAME).click()
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()


def _choose_own_password(page: Page, password: str, look: Look) -> None:
    expect(page.get_by_text("Choose a password of your own before you go on.")).to_be_visible()
    look(page, "first-password")
    page.get_by_label("The password you were given").fill(password)
    page.get_by_label("New password", exact=True).fill(OWN_PASSWORD)
    page.get_by_label("New password once more").fill(OWN_PASSWORD)
    page.get_by_role("button", name="Change password").click()


def _move(page: Page, look: Look) -> None:
    _open(page)
    look(page, "people-person")
    page.get_by_role("link", name="Move them").click()
    page.get_by_label("Abbey ward team", exact=True).uncheck()
    page.get_by_text(re.compile("^Wandsworth: 0 of")).click()
    page.get_by_label("Balham ward team", exact=True).check()
    look(page, "people-move")
    page.get_by_label("From").fill(time.strftime("%Y-%m-%d"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Where the person belongs is saved.")).to_be_visible()
    expect(page.get_by_role("cell", name="Balham ward team, Wandsworth")).to_be_visible()


def _close(page: Page, look: Look) -> None:
    page.get_by_role("link", name="Close the account").click()
    page.get_by_label("Left the force").check()
    look(page, "people-close")
    page.get_by_role("button", name="Close the account").click()
    expect(page.get_by_text("This account is closed: Left the force.")).to_be_visible()
    look(page, "people-closed")


def test_somebody_joins_moves_and_leaves(
    system: System, sign_in: SignIn, chromium: Browser, look: Look
) -> None:
    admin = sign_in("admin")
    password = _add(admin, look)
    context = chromium.new_context(viewport={"width": 320, "height": 800}, locale="en-GB")
    context.set_default_timeout(WAIT)
    try:
        officer = _sign_in(context, system, password)
        _choose_own_password(officer, password, look)
        expect(officer.get_by_role("heading", name="My referrals")).to_be_visible()
        _move(admin, look)
        officer.reload()
        expect(officer.get_by_role("heading", name="My referrals")).to_be_visible()
        _close(admin, look)
        officer.reload()
        expect(officer.get_by_role("button", name="Sign in")).to_be_visible()
    finally:
        context.close()


def test_people_come_from_a_list_without_scripts(system: System, sign_in: SignIn) -> None:
    page = sign_in("admin", javascript=False)
    page.goto(f"{system.address}/people/import/")
    page.get_by_label("Or paste the rows here").fill(
        "User name,Name,Role,E-mail,Team\n"
        "pc9911,PC 9911SW,officer,pc9911@example.police.uk,Abbey ward team\n"
        "pc9912,PC 9912SW,constable,pc9912@example.police.uk,\n"
        "admin,System administrator,administrator,admin@example.police.uk,\n"
    )
    page.get_by_role("button", name="Show what would be saved").click()
    expect(page.get_by_text("1 new, 0 changed, 1 the same already, 1 refused.")).to_be_visible()
    with page.expect_download() as file:
        page.get_by_role("button", name="Download the refused rows").click()
    assert "Role: this is no role" in file.value.path().read_text(encoding="utf-8-sig")
    page.get_by_role("button", name="Save 1 person").click()
    expect(page.get_by_text("Saved. 1 person was added.")).to_be_visible()
    expect(page.get_by_role("cell", name="pc9911")).to_be_visible()


def test_the_check_of_a_list_can_be_read(system: System, sign_in: SignIn, look: Look) -> None:
    page = sign_in("admin")
    page.goto(f"{system.address}/people/import/")
    page.get_by_label("Or paste the rows here").fill(
        "User name,Name,Role,E-mail,Team\n"
        "pc9921,PC 9921SW,officer,pc9921@example.police.uk,Abbey ward team\n"
        "pc9922,PC 9922SW,constable,pc9922@example.police.uk,\n"
    )
    page.get_by_role("button", name="Show what would be saved").click()
    expect(page.get_by_role("button", name="Save 1 person")).to_be_visible()
    look(page, "people-check")


def test_a_supervisor_is_asked_who_still_needs_an_account(sign_in: SignIn, look: Look) -> None:
    admin = sign_in("admin")
    admin.get_by_role("link", name="People", exact=True).click()
    admin.get_by_role("link", name="Access review").click()
    # What starting one does is said before it is started.
    admin.get_by_role("link", name="Start a review").click()
    expect(admin.get_by_text("asked on the first page they see")).to_be_visible()
    look(admin, "people-start-access-review")
    admin.get_by_role("button", name="Start the review").click()
    expect(admin.get_by_text("The review began on")).to_be_visible()
    supervisor = sign_in("supervisor", width=320)
    supervisor.get_by_role("link", name="Say who still needs an account").click()
    expect(supervisor.get_by_role("heading", name="Who still needs an account?")).to_be_visible()
    look(supervisor, "people-confirm-access")
    person = supervisor.get_by_role("group", name=re.compile("^PCSO 7114SW"))
    person.get_by_label("Still needed").check()
    supervisor.get_by_role("button", name="Save").click()
    expect(supervisor.get_by_text("Your answers are saved.")).to_be_visible()
    admin.reload()
    row = admin.get_by_role("row", name=re.compile("^PCSO 7114SW"))
    expect(row.get_by_text("Still needed")).to_be_visible()
    look(admin, "people-access-review")
    admin.get_by_role("button", name="End the review").click()
    expect(admin.get_by_text("Reviews before")).to_be_visible()
