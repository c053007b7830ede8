"""A phone that locked, a session that ended: what was typed stands there again, for who typed it alone."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Look, SignIn, System, arrive
from tests.browser.search import found_in, kept
from tests.process_tree import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

NOTE = "Quieter after half past six; the knocker sticks"
AS_LEFT = "The form on this page stands as you left it. Nothing was saved yet."
# What lies on the device, as the pages of its owner read it.
DECRYPTED = """async () => {
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const given = bytes(document.querySelector("meta[name=kept-forms]").dataset.key);
    const key = await crypto.subtle.importKey("raw", given, "AES-GCM", false, ["decrypt"]);
    const kept = Object.keys(localStorage).filter((name) => name.startsWith("kept-form:"));
    const texts = kept.map(async (name) => {
        const { iv, sealed } = JSON.parse(localStorage.getItem(name));
        const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(iv) }, key, bytes(sealed));
        return new TextDecoder().decode(text);
    });
    return (await Promise.all(texts)).join();
}"""
# A second form beside the first, such as a page may have.
BESIDE = """() => {
    const form = document.querySelector("main form:has([name=kept])").cloneNode(true);
    form.action = "/beside/";
    document.querySelector("main").append(form);
}"""


def _open_form(page: Page) -> str:
    """The form of the first referral on the officer's list; returns its address."""
    page.get_by_role("link", name=re.compile("^Log contact")).first.click()
    expect(page.get_by_role("heading", name="Log contact", level=1)).to_be_visible()
    arrive(page)
    return page.url


def _type(page: Page, note: str = NOTE) -> None:
    page.get_by_role("radio", name="Telephone").check()
    page.get_by_role("radio", name="No answer").check()
    page.get_by_role("checkbox", name="Noted on the crime record").check()
    page.get_by_text("Add a note, a time or a colleague").click()
    page.get_by_label("Short note").fill(note)


def _kept_by_script(page: Page, number: int = 1) -> list[str]:
    """What lies on the device of so many forms: writing and wiping take a moment."""
    found: list[str] = []

    def is_there() -> bool:
        stored: list[str] = page.evaluate("Object.entries(localStorage).map((each) => each.join(' '))")
        found[:] = [each for each in stored if each.startswith("kept-form:")]
        return len(found) == number

    wait_for(is_there, f"{number} forms to be kept on the device", every=0.1)
    return found


def _is_kept(page: Page, note: str = NOTE) -> None:
    """Waits until the whole of it lies on the device, with the last word typed."""
    wait_for(lambda: note in page.evaluate(DECRYPTED), "what was typed to be kept", every=0.1)


def _end_session(page: Page) -> None:
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)


def _sign_in(page: Page, system: System, username: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(system.passwords[username])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    arrive(page)


def _stands_as_it_was_left(page: Page, address: str, note: str = NOTE) -> None:
    assert page.url == address
    expect(page.get_by_role("status").get_by_text(AS_LEFT)).to_be_visible()
    expect(page.get_by_label("Short note")).to_be_visible()
    expect(page.get_by_label("Short note")).to_have_value(note)
    expect(page.get_by_role("radio", name="No answer")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Noted on the crime record")).to_be_checked()


def _is_as_new(page: Page) -> None:
    """The form is there, and nothing in it but what the page itself chooses."""
    expect(page.get_by_role("button", name="Save contact")).to_be_visible()
    page.wait_for_timeout(500)
    ways = page.locator("[name=method]")
    assert ways.evaluate_all("ways => ways.filter(way => way.checked !== way.defaultChecked)") == []
    expect(page.locator("#id_note")).to_have_value("")
    expect(page.get_by_role("radio", name="No answer")).not_to_be_checked()


def test_a_locked_phone_loses_nothing(sign_in: SignIn, system: System, look: Look) -> None:
    page = sign_in("officer", width=320)
    page.clock.install()
    address = _open_form(page)
    _type(page)
    _is_kept(page)
    [stored] = _kept_by_script(page)
    assert NOTE not in stored
    _end_session(page)
    page.clock.fast_forward("20:10")
    page.get_by_label("Username").wait_for()
    _sign_in(page, system, "officer")
    _stands_as_it_was_left(page, address)
    look(page, "kept-form")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_session_that_ended_while_typing_loses_nothing_and_saves_nothing(
    sign_in: SignIn, system: System, look: Look, javascript: bool
) -> None:
    note = f"{NOTE}, {'with' if javascript else 'without'} scripts"
    page = sign_in("officer", width=320, javascript=javascript)
    address = _open_form(page)
    _type(page, note)
    _end_session(page)
    page.get_by_role("button", name="Save contact").click()
    expect(
        page.get_by_text("Nothing was saved yet. Sign in, and the form stands as you left it.")
    ).to_be_visible()
    if javascript:
        look(page, "kept-form-sign-in")
    assert [place for place, text in kept(system) if found_in(text, [note])] == []
    _sign_in(page, system, "officer")
    _stands_as_it_was_left(page, address, note)
    page.get_by_role("button", name="Save contact").click()
    expect(page.get_by_text("attempt logged. It stays open.")).to_be_visible()
    page.goto(address)
    _is_as_new(page)
    page.goto(address.replace("/contact/", "/"))
    expect(page.get_by_text(f"Note: {note}").first).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_another_person_signing_in_on_the_device_sees_nothing_of_it_and_wipes_it(
    sign_in: SignIn, system: System, javascript: bool
) -> None:
    note = f"{NOTE}, for nobody else"
    page = sign_in("officer", javascript=javascript)
    address = _open_form(page)
    _type(page, note)
    if javascript:
        _kept_by_script(page)
    _end_session(page)
    page.get_by_role("button", name="Save contact").click()
    _sign_in(page, system, "supervisor")
    page.goto(address.replace("/contact/", "/"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert note not in page.content()
    assert "kept_form" not in {cookie.get("name") for cookie in page.context.cookies()}
    if javascript:
        _kept_by_script(page, 0)
    _end_session(page)
    page.goto(address)
    _sign_in(page, system, "officer")
    _is_as_new(page)


def test_it_is_gone_from_the_device_after_twelve_hours(sign_in: SignIn, system: System) -> None:
    page = sign_in("officer")
    page.clock.install()
    address = _open_form(page)
    _type(page)
    _kept_by_script(page)
    _end_session(page)
    page.clock.fast_forward("11:58:00")
    page.get_by_label("Username").wait_for()
    _kept_by_script(page)
    page.clock.fast_forward("02:30")
    _kept_by_script(page, 0)
    page.goto(address)
    _sign_in(page, system, "officer")
    _is_as_new(page)


def test_whoever_signs_out_leaves_nothing_on_the_device(sign_in: SignIn, system: System) -> None:
    page = sign_in("officer")
    address = _open_form(page)
    other = page.context.new_page()
    other.goto(address)
    _type(page)
    _type(other)
    _kept_by_script(page)
    page.get_by_role("button", name="Sign out").first.click()
    for each in (page, other):
        expect(each.get_by_role("heading", name="Sign in")).to_be_visible()
    _kept_by_script(page, 0)
    other.close()
    page.goto(address)
    _sign_in(page, system, "officer")
    _is_as_new(page)


def test_saved_after_signing_in_again_in_another_tab_it_asks_once_more(
    sign_in: SignIn, system: System
) -> None:
    page = sign_in("officer")
    address = _open_form(page)
    _type(page)
    _end_session(page)
    other = page.context.new_page()
    other.goto(address)
    _sign_in(other, system, "officer")
    page.get_by_role("button", name="Save contact").click()
    expect(page.get_by_text("Press its button once more.")).to_be_visible()
    _stands_as_it_was_left(page, address)
    page.get_by_role("button", name="Save contact").click()
    expect(page.get_by_text("attempt logged. It stays open.")).to_be_visible()


def test_a_page_that_was_left_open_becomes_the_next_persons_and_deletes_nothing_of_theirs(
    sign_in: SignIn, system: System
) -> None:
    left_open = sign_in("officer")
    left_open.clock.install()
    address = _open_form(left_open)
    _type(left_open)
    _end_session(left_open)
    other = left_open.context.new_page()
    other.goto(system.address)
    _sign_in(other, system, "supervisor")
    left_open.wait_for_url(other.url)
    other.goto(address)
    _type(other, f"{NOTE}, of the next one")
    _kept_by_script(other)
    # It looks once a minute for what is too old.
    left_open.clock.run_for(125_000)
    _kept_by_script(other)


@pytest.mark.parametrize("sent_too_late", [False, True])
def test_what_stands_as_it_was_left_is_cleared_with_one_press_and_nothing_else_is(
    sign_in: SignIn, system: System, sent_too_late: bool
) -> None:
    page = sign_in("officer")
    address = _open_form(page)
    _type(page)
    _is_kept(page)
    if sent_too_late:
        _end_session(page)
        page.get_by_role("button", name="Save contact").click()
        _sign_in(page, system, "officer")
    else:
        page.goto(address)
    _stands_as_it_was_left(page, address)
    page.evaluate(BESIDE)
    page.locator("form[action='/beside/'] [name=note]").fill(f"{NOTE}, beside it")
    _kept_by_script(page, 2)
    page.get_by_role("button", name="Clear the form").click()
    _is_as_new(page)
    _is_kept(page, f"{NOTE}, beside it")
    _kept_by_script(page, 1)


def test_what_was_sent_without_an_answer_is_told_as_such_and_saved_once(
    sign_in: SignIn, system: System
) -> None:
    note = f"{NOTE}, on a bad line"
    page = sign_in("officer")
    address = _open_form(page)
    _type(page, note)
    _kept_by_script(page)
    page.route(address, _lose_the_answer)
    page.get_by_role("button", name="Save contact").click()
    page.get_by_text("ERR_FAILED").wait_for()
    page.unroute(address)
    for cookie in ("saved_forms", "messages"):
        page.context.clear_cookies(name=cookie)
    page.goto(address)
    notice = page.get_by_role("status")
    expect(notice.get_by_text("It was sent and no answer came back")).to_be_visible()
    expect(page.get_by_label("Short note")).to_have_value(note)
    # Sent once more, after the session had ended: what became of the first sending is still not known.
    page.get_by_role("checkbox", name="Noted on the crime record").uncheck()
    page.get_by_role("checkbox", name="Noted on the crime record").check()
    _end_session(page)
    page.get_by_role("button", name="Save contact").click()
    _sign_in(page, system, "officer")
    expect(notice.get_by_text("It was sent and no answer came back")).to_be_visible()
    expect(notice.get_by_text("Nothing was saved yet")).to_have_count(0)
    expect(notice.get_by_role("button", name="Clear the form")).to_have_attribute("type", "submit")
    page.get_by_role("button", name="Save contact").click()
    expect(page.get_by_text("attempt logged. It stays open.")).to_be_visible()
    page.goto(address.replace("/contact/", "/"))
    expect(page.get_by_text(f"Note: {note}")).to_have_count(1)


def _lose_the_answer(route: Route) -> None:
    """The server gets what is sent, and what it answers gets lost on the way."""
    route.fetch(max_redirects=0)
    route.abort()


def test_a_part_of_a_page_sent_too_late_leads_back_to_its_form(sign_in: SignIn, system: System) -> None:
    page = sign_in("hcop")
    page.get_by_role("link", name=re.compile("^Not suitable")).first.click()
    page.get_by_label("Why not").select_option(label="A hate incident, not a crime")
    _end_session(page)
    page.get_by_role("button", name="Mark not suitable").click()
    page.get_by_label("Username").wait_for()
    _sign_in(page, system, "hcop")
    expect(page.get_by_role("status").get_by_text(AS_LEFT)).to_be_visible()
    expect(page.get_by_label("Why not")).to_have_value("no_crime")
