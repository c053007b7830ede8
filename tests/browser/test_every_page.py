"""The pages and states the whole path does not pass: each at three widths, with axe finding nothing."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Look, SignIn, System

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

SPREADSHEET = ROOT / "referrals" / "data" / "overnight-2026-11-04.xlsx"
PAGES = {
    "triallead": ["/trials/", "/compliance/"],
    "leader": ["/compliance/", "/outcomes/", "/accessibility/"],
    "admin": [
        "/places/",
        "/deadlines/",
        "/deadlines/set/",
        "/places/bcus/",
        "/places/mailbox/",
        "/places/teams/",
        "/places/teams/add/",
        "/people/",
        "/people/add/",
        "/people/import/",
        "/people/access-review/",
        "/system-health/",
    ],
    "supervisor": ["/compliance/", "/compliance/?period=this-month", "/compliance/attempts/"],
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
        name = re.sub("[^a-z0-9]+", "-", path).strip("-")
        look(page, f"{username}-{name}")


def test_the_ways_in_can_be_read(visitor: Page, system: System, look: Look) -> None:
    visitor.goto(f"{system.address}/")
    look(visitor, "sign-in")
    visitor.get_by_label("Username").fill("hcop")
    visitor.get_by_label("Password").fill("not the password")
    visitor.get_by_role("button", name="Sign in").click()
    expect(visitor.get_by_text("There is a problem")).to_be_visible()
    look(visitor, "sign-in-refused")
    visitor.goto(f"{system.address}/no-such-page/")
    look(visitor, "not-found")


def test_setting_up_a_second_factor_can_be_read(sign_in: SignIn, system: System, look: Look) -> None:
    page = sign_in("leader")
    page.goto(f"{system.address}/account/2fa/totp/activate/")
    look(page, "confirm-it-is-you")
    page.get_by_label("Password").fill(system.passwords["leader"])
    page.get_by_role("button").filter(has_text=re.compile("^(?!Sign out|Stay)")).last.click()
    expect(page.locator("img.app-qr")).to_be_visible()
    look(page, "second-factor")
    page.get_by_label(re.compile("code", re.IGNORECASE)).fill("000000")
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, "second-factor-refused")


def test_the_forms_of_the_overnight_review_can_be_read(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    row = page.locator("tr[data-review-row]").first
    row.get_by_role("button", name=re.compile("^Suitable")).click()
    page.get_by_role("link", name="Check 1 decision and submit").click()
    look(page, "check-one")
    page.get_by_role("link", name=re.compile("^Choose another team")).click()
    look(page, "choose-team")
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, "choose-team-refused")
    page.get_by_role("link", name="Back to the overnight review").click()
    row.get_by_role("button", name=re.compile("^Clear")).click()
    expect(page.get_by_role("link", name=re.compile("and submit$"))).to_have_count(0)
    for name, picture in (
        (re.compile("^Restrictions and safety"), "restrictions"),
        (re.compile("^Refer now"), "refer-now"),
        (re.compile("^Not suitable"), "not-suitable"),
    ):
        page.goto(page.get_by_role("link", name=name).first.evaluate("link => link.href"))
        look(page, picture)
        if picture != "restrictions":
            page.get_by_role("main").get_by_role("button").first.click()
            expect(page.get_by_text("There is a problem")).to_be_visible()
            look(page, f"{picture}-refused")
        page.get_by_role("link", name="Back to the overnight review").click()


@pytest.mark.parametrize("state", ["usual_service", "not_suitable"])
def test_a_decided_case_is_referred_now_from_its_page(sign_in: SignIn, look: Look, state: str) -> None:
    page = sign_in("hcop")
    page.get_by_role("link", name="Cases", exact=True).click()
    page.goto(f"{page.url}?state={state}")
    for case in page.get_by_role("main").get_by_role("table").get_by_role("link").all():
        page.goto(case.evaluate("link => link.href"))
        refer_now = page.get_by_role("link", name="Refer now")
        if refer_now.count():
            break
        page.go_back()
    look(page, f"case-{state}")
    refer_now.click()
    look(page, f"refer-now-{state}")
    page.get_by_role("button", name="Refer now").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, f"refer-now-{state}-refused")
    page.get_by_label("The victim asked for contact").check()
    page.get_by_role("button", name="Refer now").click()
    expect(page.get_by_text("is told by e-mail")).to_be_visible()
    look(page, f"referred-now-{state}")


def test_an_upload_that_is_refused_or_discarded_can_be_read(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    page.get_by_role("link", name=re.compile(r"^Import( \(|$)")).click()
    page.get_by_role("button", name="Show what would be saved").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, "import-refused")
    page.locator("input[type=file]").set_input_files(SPREADSHEET)
    page.get_by_role("button", name="Show what would be saved").click()
    expect(page.get_by_text("12 rows in overnight-2026-11-04.xlsx")).to_be_visible()
    look(page, "import-spreadsheet")
    page.get_by_role("link", name="Back to import").click()
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    look(page, "import-waiting")
    page.get_by_role("link", name="Check and save it").click()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("The extract was discarded")).to_be_visible()
    page.go_back()
    page.reload()
    look(page, "import-settled")


def test_flags_that_were_compared_with_a_list_can_be_read(sign_in: SignIn, look: Look) -> None:
    page = sign_in("hcop")
    page.get_by_role("link", name="Cases", exact=True).click()
    cases = page.get_by_role("main").get_by_role("table").inner_text()
    listed = "\n".join(["Crime reference", *re.findall(r"\d\d/\d{7}/\d\d", cases)])
    page.get_by_role("link", name=re.compile("^Flag 49")).click()
    page.get_by_role("link", name="Compare with a list").click()
    look(page, "compare-flags")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, "compare-flags-refused")
    page.locator("input[type=file]").set_input_files(
        {"name": "flags.csv", "mimeType": "text/csv", "buffer": listed.encode()}
    )
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Flag 49 compared")).to_be_visible()
    for summary in page.get_by_role("main").locator("summary").all():
        summary.click()
    look(page, "compared-flags")


def test_the_rarer_pages_of_a_referral_can_be_read(sign_in: SignIn, look: Look) -> None:
    page = sign_in("officer", width=320)
    page.get_by_role("link", name=re.compile("^Log contact")).first.click()
    page.get_by_role("button", name="Save contact").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, "log-contact-refused")
    page.get_by_text("Something else").click()
    page.get_by_role("radio", name="Victim declined").check()
    page.get_by_role("button", name="Save contact").click()
    page.get_by_role("link", name="Close without contact").click()
    expect(page.get_by_role("heading", name=re.compile("^Close SRC"))).to_be_visible()
    look(page, "close")
    page.get_by_role("link", name=re.compile("^Back to SRC")).click()
    page.get_by_role("link", name=re.compile("^Logged by mistake")).first.click()
    look(page, "withdraw")


def test_how_a_trial_goes_and_its_wards_can_be_read(sign_in: SignIn, look: Look) -> None:
    page = sign_in("triallead")
    main = page.get_by_role("main")
    main.locator("table a").first.click()
    page.get_by_role("link", name="Progress").click()
    for summary in main.get_by_text("Show as table").all():
        summary.click()
    look(page, "trial-progress")
    page.get_by_role("link", name="Wards").click()
    look(page, "trial-wards")
    main.get_by_role("button", name="Check what would change").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, "trial-wards-refused")
    main.get_by_role("checkbox", name="Merton (20)").check()
    main.get_by_role("radio", name=re.compile("^SRC for all")).check()
    main.get_by_label("From", exact=True).fill("2090-01-01")
    main.get_by_role("button", name="Check what would change").click()
    expect(main.get_by_role("heading", name="Check, then save")).to_be_visible()
    look(page, "trial-wards-check")


def test_what_one_request_did_can_be_read(sign_in: SignIn, look: Look) -> None:
    page = sign_in("auditor")
    page.get_by_role("link", name=re.compile("^What changed")).first.click()
    look(page, "audit-request")


def test_a_page_of_the_audit_log_is_short_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("auditor", width=320)
    first = page.get_by_role("main").locator("tbody tr").first.bounding_box()
    assert first
    assert first["y"] < 640
    # Fifty entries, each a card of eight lines, were 17,900 px.
    assert page.evaluate("document.documentElement.scrollHeight") < 6_000
    page.get_by_text("Filter or sort").click()
    page.get_by_label("What", exact=True).select_option("opened")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("cell", name="List or page shown").first).to_be_visible()


def test_the_copied_words_are_those_on_the_page(sign_in: SignIn) -> None:
    page = sign_in("hcop")
    page.context.grant_permissions(["clipboard-write"])
    page.get_by_role("heading", name="Submitted lately").locator("~ ul a").first.click()
    shown = page.locator("#referred").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    # No page may read what was copied: it is pasted, as a person does.
    page.evaluate("document.body.append(document.createElement('textarea'))")
    page.locator("body > textarea").press("Control+V")
    assert page.locator("body > textarea").input_value().split() == shown.split()


def test_the_overnight_review_works_without_javascript(sign_in: SignIn) -> None:
    page = sign_in("hcop", javascript=False)
    first = page.locator("tr[data-review-row]").first
    first.get_by_role("button", name=re.compile("^Suitable")).click()
    expect(page.locator("button[aria-pressed=true]")).to_have_count(1)
    page.locator("tr[data-review-row]").first.get_by_role("link", name=re.compile("^Not suitable")).click()
    page.get_by_role("button", name="Mark not suitable").click()
    expect(page.get_by_text("Choose why the case is not suitable.").first).to_be_visible()
    page.get_by_label("Why not").select_option(label="Victim lives outside the BCU")
    page.get_by_label("Who will contact the victim").select_option(label="The investigating officer only")
    page.get_by_role("button", name="Mark not suitable").click()
    expect(page.get_by_text("Victim lives outside the BCU").first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Clear")).first.click()
    expect(page.get_by_role("link", name=re.compile("and submit"))).to_have_count(0)
