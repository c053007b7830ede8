"""From an overnight extract to a compliance dashboard, as HCOP, officer and supervisor.

The real server, worker, database, Redis and mail catcher; everything is done through pages.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Look, SignIn, System, arrive
from tests.browser.extract import ROWS, Extract, make_extract, sample_secrets
from tests.browser.search import found_in, kept, mails_about
from tests.process_tree import wait_for
from tests.spellings import LONG_TRACES, MUST_GO, traces_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]


def test_the_whole_path_from_extract_to_compliance(
    system: System, sign_in: SignIn, look: Look, tmp_path: Path
) -> None:
    extract = make_extract()
    hcop = sign_in("hcop")
    _import(hcop, extract, tmp_path, look)
    _decide(hcop, extract, look)
    number = _submit(hcop, extract, look)
    _confirm_flags(hcop, look)
    _mail_arrives(system, number, 1)
    _change_restrictions(hcop, extract, look)
    _mail_arrives(system, number, 2)
    officer, supervisor = sign_in("officer", width=320), sign_in("supervisor")
    before = _in_time(supervisor)
    _read_what_changed(officer, number, look)
    _contact(officer, number, look)
    assert _in_time(supervisor) == before + 1
    _supervise(supervisor, number, look, system)
    _see_the_case(hcop, extract, number, look)
    _audit(sign_in("auditor"), number, look)
    _nothing_personal_is_left(system, extract)


def _import(page: Page, extract: Extract, folder: Path, look: Look) -> None:
    file = folder / f"overnight {MUST_GO[0]}.csv"
    file.write_bytes(extract.content)
    page.get_by_role("link", name=re.compile(r"^Import( \(|$)")).click()
    look(page, "import")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Show what would be saved").click()
    expect(page.get_by_text("Nothing is saved yet")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("14.*Crime reference.*8000-X"))).to_be_visible()
    look(page, "import-preview")
    with page.expect_download() as download:
        page.get_by_role("link", name="download them").click()
    assert "8000-X" in download.value.path().read_text()
    page.get_by_role("button", name=f"Save {ROWS} cases").click()
    expect(page.get_by_role("heading", name="Overnight review")).to_be_visible()


def _row(page: Page, reference: str) -> "Page":
    return page.locator("tr", has_text=reference).first  # type: ignore[return-value]


def _decide(page: Page, extract: Extract, look: Look) -> None:
    """By mouse, by keyboard, and with a restriction set; the last is to be referred now."""
    first, second, *others, last = extract.references
    look(page, "overnight-review-unmarked")
    _row(page, first).get_by_role("link", name=re.compile("Restrictions and safety")).click()
    page.get_by_label("No home visit").check()
    page.get_by_label("Safety note").fill("Speak to the sergeant first")
    look(page, "safety")
    page.get_by_role("button", name="Save").click()
    _row(page, first).get_by_role("button", name=re.compile("^Suitable")).click()
    expect(_row(page, first).get_by_role("button", pressed=True)).to_be_visible()
    _row(page, second).get_by_role("button", name=re.compile("^Suitable")).focus()
    page.keyboard.press("s")
    expect(_row(page, second).get_by_role("button", pressed=True)).to_be_visible()
    for reference in others:
        _row(page, reference).get_by_role("button", name=re.compile("^Suitable")).click()
        expect(_row(page, reference).get_by_role("button", pressed=True)).to_be_visible()
    _row(page, last).get_by_role("link", name=re.compile("^Refer now")).focus()
    page.keyboard.press("r")
    row = page.locator("tr", has_text=last)
    row.get_by_role("button", name="Mark to refer now").click()
    expect(row.get_by_text("Choose why the case is referred now.").first).to_be_visible()
    row.get_by_role("radio", name="High risk").check()
    row.get_by_role("button", name="Mark to refer now").click()
    expect(page.get_by_role("link", name=f"Check {ROWS} decisions and submit")).to_be_visible()
    look(page, "overnight-review")


def _submit(page: Page, extract: Extract, look: Look) -> str:
    """Returns the number of the referral of the case to be referred now."""
    page.get_by_role("link", name=f"Check {ROWS} decisions and submit").click()
    look(page, "check")
    expect(page.get_by_role("table", name="Refer now, outside any trial")).to_contain_text(
        extract.references[-1]
    )
    for tick in page.get_by_role("checkbox", name=re.compile("no restriction follows")).all():
        tick.check()
    page.get_by_role(
        "button", name=f"Submit {ROWS - 1} suitable, 1 to refer now, 0 not suitable", exact=True
    ).click()
    expect(page.get_by_role("heading", name=f"Submitted: {ROWS} decisions")).to_be_visible()
    look(page, "submitted")
    usual = page.get_by_role("heading", name="Usual service")
    expect(usual).to_be_visible()
    row = page.locator("tr", has_text=extract.references[-1])
    return row.get_by_role("link", name=re.compile("^SRC-")).inner_text()


def _confirm_flags(page: Page, look: Look) -> None:
    page.get_by_role("link", name=re.compile("^Flag 49")).click()
    look(page, "flags")
    page.get_by_role("table").get_by_role("checkbox").first.check()
    every = page.get_by_label("Tick all on this page")
    expect(every).to_have_js_property(
        "indeterminate", page.get_by_role("table").get_by_role("checkbox").count() > 1
    )
    _tick_and_confirm(page)
    look(page, "flags-confirmed")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(re.compile(r"^Undone for \d+ cases?\.$"))).to_be_visible()
    arrive(page)
    _tick_and_confirm(page)
    expect(page.get_by_role("link", name="Flag 49", exact=True)).to_be_visible()


def _tick_and_confirm(page: Page) -> None:
    page.get_by_label("Tick all on this page").check()
    boxes = page.get_by_role("table").get_by_role("checkbox")
    assert all(box.is_checked() for box in boxes.all())
    page.get_by_role("button", name="Confirm the ticked flags").click()
    expect(page.get_by_text("Every flag is confirmed")).to_be_visible()


def _change_restrictions(page: Page, extract: Extract, look: Look) -> None:
    """After the decision: the HCOP learns something the officer must know."""
    page.get_by_role("link", name="Cases", exact=True).click()
    page.get_by_label("Crime reference or SRC number").fill(extract.references[-1])
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Change restrictions and safety note").click()
    page.get_by_label("Two officers").check()
    look(page, "safety-after-the-decision")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Changed: restrictions")).to_be_visible()


def _read_what_changed(page: Page, number: str, look: Look) -> None:
    """It is on the card, before the form that logs contact, and gone once it was read."""
    changed = page.get_by_text("Changed since it was referred")
    expect(page.locator(".app-card", has_text=number)).to_contain_text("Changed since it was referred")
    look(page, "my-referrals-changed")
    page.get_by_role("link", name=re.compile(f"^Log contact.*{number}")).tap()
    look(page, "log-contact-changed")
    page.get_by_role("button", name="I have read this").tap()
    expect(page.get_by_role("heading", name="Log contact")).to_be_visible()
    expect(changed).to_have_count(0)
    page.get_by_role("link", name=f"Back to {number}").click()
    page.get_by_role("link", name="Back to my referrals").click()


def _mail_arrives(system: System, number: str, count: int) -> None:
    """The worker sends what was put in the outbox."""
    wait_for(lambda: len(mails_about(system, number)) >= count, f"{count} messages about {number}", every=0.2)


def _contact(page: Page, number: str, look: Look) -> None:
    """A call nobody answers; then one that is answered. A safety note chooses no way beforehand."""
    expect(page.get_by_role("heading", name="My referrals")).to_be_visible()
    look(page, "my-referrals")
    page.get_by_role("link", name=number, exact=True).click()
    look(page, "referral")
    page.get_by_role("link", name="Back to my referrals").click()
    page.get_by_role("link", name=re.compile(f"^Log contact.*{number}")).tap()
    look(page, "log-contact")
    page.get_by_role("radio", name="Telephone").tap()
    page.get_by_role("radio", name="No answer").tap()
    page.get_by_role("button", name="Save contact").tap()
    expect(page.get_by_text(f"{number}: attempt logged. It stays open.")).to_be_visible()
    expect(page.get_by_role("heading", name="Still to do")).to_be_visible()
    look(page, "attempt-saved")
    page.get_by_role("link", name="Back to my referrals").click()
    page.get_by_role("link", name=re.compile(f"^Log contact.*{number}")).click()
    page.get_by_role("radio", name="Telephone").check()
    page.get_by_role("radio", name=re.compile("^Contact made")).check()
    page.get_by_text("If it came up").click()
    page.get_by_role("checkbox", name="Wants to give a statement").check()
    page.get_by_role("button", name="Save contact").click()
    expect(page.get_by_text(f"{number}: contact made.")).to_be_visible()
    expect(page.get_by_text("The victim wants to give a statement")).to_be_visible()
    look(page, "contact-saved")
    page.get_by_role("link", name=number, exact=True).click()
    expect(page.get_by_role("main").locator("p").first).to_contain_text("Contact made")
    attempts = page.get_by_role("heading", level=3)
    expect(attempts).to_have_text(["No answer", re.compile("Contact made")])
    expect(page.get_by_role("link", name="Log contact")).to_have_count(0)
    look(page, "referral-completed")


def _in_time(page: Page) -> int:
    """How many referrals Compliance counts as contacted in time."""
    page.get_by_role("link", name="Compliance", exact=True).click()
    figure = page.locator(".app-figure", has_text="In time")
    return int(figure.locator(".app-figure__value").inner_text().replace(",", ""))


def _supervise(page: Page, number: str, look: Look, system: System) -> None:
    expect(page.get_by_role("heading", name="Compliance", exact=True)).to_be_visible()
    look(page, "compliance")
    overdue = page.get_by_role("table").filter(has_text="SRC-").first.get_by_role("link").first.inner_text()
    before = len(mails_about(system, overdue))
    page.get_by_role("button", name=re.compile("Send a reminder")).first.click()
    _mail_arrives(system, overdue, before + 1)
    page.get_by_role("link", name=re.compile("^Follow-ups")).click()
    expect(page.get_by_text(number).first).to_be_visible()
    look(page, "follow-ups")
    row = page.locator("tr", has_text=number)
    row.get_by_role("button", name=re.compile("^I deal with it")).click()
    expect(page.get_by_role("button", name=re.compile(f"I deal with it.*{number}"))).to_have_count(0)


def _see_the_case(page: Page, extract: Extract, number: str, look: Look) -> None:
    page.get_by_role("link", name="Cases", exact=True).click()
    look(page, "cases")
    page.get_by_label("Crime reference or SRC number").fill(extract.references[-1])
    page.get_by_role("button", name="Search").click()
    assert extract.references[-1] not in page.url
    expect(page.get_by_text(number).first).to_be_visible()
    look(page, "case")


def _audit(page: Page, number: str, look: Look) -> None:
    """Everything that was done about the referral is there, under its number."""
    expect(page.get_by_role("heading", name="Audit", exact=True)).to_be_visible()
    page.get_by_label("Crime reference or referral number").fill(number)
    page.get_by_role("button", name="Search").click()
    for done in ("Referrals made", "Contact attempt logged", "Referral completed", "Follow-up acknowledged"):
        page.get_by_label("What", exact=True).select_option(label=done)
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.get_by_role("cell", name=done, exact=True).first).to_be_visible()
    look(page, "audit")


def _nothing_personal_is_left(system: System, extract: Extract) -> None:
    """Nothing that finds a victim, in whichever column and however written, in anything the system keeps."""
    secrets = extract.secrets + sample_secrets()
    places = dict(kept(system))
    assert {"table referrals_case", "log web.log"} <= set(places), sorted(places)
    assert any(name.startswith("redis") for name in places)
    assert any(name.startswith("mail") for name in places)
    # The search finds what is there: a reference is, in the one table that may have it.
    assert found_in(places["table referrals_case"], extract.references) == extract.references
    leaks = {
        name: found_in(text, secrets) + [trace for trace in traces_in(text) if trace in LONG_TRACES]
        for name, text in places.items()
    }
    assert {name: leak for name, leak in leaks.items() if leak} == {}
