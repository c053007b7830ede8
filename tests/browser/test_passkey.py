"""A passkey in place of the code: set up, used to sign in, and removed, by a device that Chromium plays."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WAIT, Look, System, _no_complaint

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser with a device that keeps passkeys, and knows its owner."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.on("console", lambda message: _no_complaint(message.text, message.type))
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    yield page
    context.close()


def _give_password(page: Page, system: System) -> None:
    # A passkey belongs to a name, and an address of numbers is none.
    page.goto(f"{system.address.replace('127.0.0.1', 'localhost')}/account/login/?next=/account/2fa/")
    page.get_by_label("Username").fill("auditor")
    page.get_by_label("Password").fill(system.passwords["auditor"])
    page.get_by_role("button", name="Sign in").click()


def test_a_passkey_takes_the_place_of_the_code(page: Page, system: System, look: Look) -> None:
    _give_password(page, system)
    page.get_by_role("button", name="Set up a passkey").click()
    page.get_by_label("Password").fill(system.passwords["auditor"])
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Set up a passkey")).to_be_visible()
    expect(page.get_by_text("This browser cannot")).to_be_hidden()
    look(page, "passkey-set-up")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    _give_password(page, system)
    expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    look(page, "passkey-sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text(re.compile("Last used"))).to_be_visible()
    look(page, "passkey-list")

    page.get_by_role("link", name=re.compile("^Remove")).click()
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Remove a passkey")).to_be_visible()
    look(page, "passkey-remove")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    expect(page.get_by_text(re.compile("Last used"))).to_have_count(0)
