"""A trial from its draft to the day when a stranger replays it, as trial lead, leader and HCOP."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from tests.browser.conftest import ROOT, Look, SignIn, System, arrive
from tests.browser.extract import make_reports_of_today
from tests.browser.search import mail_text, mails_about
from tests.browser.worker import waiting_worker
from tests.process_tree import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]

NAME, WARD, CASES = "Reassurance in Surbiton Hill", "Surbiton Hill", 3
OVER = "Secondary reassurance contact, Richmond upon Thames"
VERIFIER = ROOT / "referrals" / "standalone" / "trial_verify.py"


def test_a_trial_is_designed_sealed_by_another_recruits_and_is_closed(
    system: System, sign_in: SignIn, look: Look, tmp_path: Path
) -> None:
    lead = sign_in("triallead")
    _design(lead, system, look)
    _agree(lead, look)
    lead.get_by_role("link", name="Propose").click()
    look(lead, "trial-propose")
    expect(lead.get_by_label("Who is to approve it")).to_have_value(re.compile(r"\d"))
    lead.get_by_role("button", name="Propose").click()
    expect(lead.get_by_text("Somebody else has to read it and to seal it")).to_be_visible()
    commitment = _seal(sign_in("leader", width=320), look)
    lead.reload()
    expect(lead.get_by_text(commitment)).to_be_visible()
    look(lead, "trial-sealed")
    _arrived(system, commitment, "registry@example.org")
    _take_the_ward_in(lead, look)
    _step(lead, "Open recruitment", look)
    _recruit(sign_in("hcop"), tmp_path)
    lead.get_by_role("link", name="Protocol and steps").click()
    expect(lead.get_by_text(f"{CASES} of 250 (1%) victims are allocated")).to_be_visible()
    lead.get_by_role("link", name="Progress").click()
    look(lead, "trial-progress")
    _pause_and_close(lead, look)


def _design(page: Page, system: System, look: Look) -> None:
    page.get_by_role("link", name="New trial").click()
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("link", name="Give the trial a name.")).to_be_visible()
    look(page, "trial-design-errors")
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("Question").fill("Does reassurance keep more victims with their case?")
    page.get_by_label("Who is eligible").fill("Hate crimes against an individual.")
    page.get_by_label("Last day of recruitment").fill(time.strftime("%Y-12-31"))
    page.get_by_label("Target").fill("240")
    page.get_by_label("Primary outcome with contact, %").fill("20")
    page.get_by_label("Charged without contact, %").fill("6")
    with waiting_worker(system):
        page.get_by_label("SRC cases that get their contact, %").fill("80")
        page.get_by_label("SRC cases that get their contact, %").blur()
        expect(page.get_by_text("What this trial could find is being worked out.")).to_be_visible()
        look(page, "trial-power-awaited")
        page.get_by_label("Target").fill("250")
        page.get_by_label("Target").blur()
    # Said while it is typed, and nothing saved: of the two that were asked about, the newest.
    expect(page.get_by_text("With 250 cases, 125 in each group, a fall from 31% to 20%")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Simple.*50.0"))).to_be_visible()
    look(page, "trial-design")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    look(page, "trial-draft")


def _agree(page: Page, look: Look) -> None:
    """Three approvals, and a registrar."""
    for kind in ("Chief officer", "Ethics", "Data protection assessment"):
        page.get_by_role("link", name=re.compile(f"^Record ?: {kind}")).click()
        page.get_by_label("Reference").fill("SW/2026/1")
        page.get_by_label("Who gave it").fill(kind)
        page.get_by_label("When it was given").fill(time.strftime("%Y-%m-%d"))
        look(page, "trial-approval")
        page.get_by_role("button", name="Record").click()
    page.get_by_role("link", name="Name registrars").click()
    page.get_by_label("Who").fill("A university library")
    page.get_by_label("E-mail address").fill("registry@example.org")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("button", name="Remove A university library")).to_be_visible()
    look(page, "trial-registrars")
    page.get_by_role("link", name="Back to the trial").click()


def _seal(page: Page, look: Look) -> str:
    """The leader reads it on a phone; returns the commitment."""
    page.get_by_role("link", name="Trial", exact=True).click()
    page.get_by_role("link", name=NAME).click()
    page.get_by_role("link", name="Read and seal").click()
    expect(page.get_by_text("Hate crimes against an individual.")).to_be_visible()
    expect(page.get_by_text(re.compile("would usually miss a smaller one"))).to_be_visible()
    look(page, "trial-seal")
    page.get_by_role("button", name="Seal this trial").click()
    expect(page.get_by_text("Sealed. The commitment is on this page")).to_be_visible()
    return page.locator("#commitment + p code").inner_text()


def _take_the_ward_in(page: Page, look: Look) -> None:
    page.get_by_role("link", name="Wards", exact=True).click()
    look(page, "trial-wards")
    page.get_by_label(WARD, exact=True).check()
    page.get_by_role("radio", name=re.compile("^Trial: each")).check()
    page.get_by_label("From", exact=True).fill(time.strftime("%Y-%m-%d"))
    page.get_by_role("button", name="Check what would change").click()
    look(page, "trial-wards-check")
    page.get_by_role("button", name="Save for 1 ward").click()
    page.get_by_role("link", name="Protocol and steps").click()


def _step(page: Page, name: str, look: Look) -> None:
    """Asked for, read and confirmed."""
    page.get_by_role("link", name=name).click()
    look(page, f"trial-{name.lower().replace(' ', '-')}")
    page.get_by_role("button", name=name).click()


def _recruit(page: Page, folder: Path) -> None:
    extract = make_reports_of_today(WARD, CASES)
    file = folder / "today.csv"
    file.write_bytes(extract.content)
    page.get_by_role("link", name=re.compile(r"^Import( \(|$)")).click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Show what would be saved").click()
    page.get_by_role("button", name=f"Save {CASES} cases").click()
    for reference in extract.references:
        row = page.locator("tr", has_text=reference).first
        row.get_by_role("button", name=re.compile("^Suitable")).click()
        expect(row.get_by_role("button", pressed=True)).to_be_visible()
    page.get_by_role("link", name=f"Check {CASES} decisions and submit").click()
    expect(page.get_by_role("heading", name="Check and submit")).to_be_visible()
    arrive(page)
    for tick in page.get_by_role("checkbox").all():
        tick.check()
    page.get_by_role("button", name=re.compile(f"^Submit {CASES} suitable")).click()
    expect(page.get_by_role("heading", name=f"Submitted: {CASES} decisions")).to_be_visible()


def _pause_and_close(page: Page, look: Look) -> None:
    page.get_by_role("link", name="Protocol and steps").click()
    page.get_by_role("link", name="Pause").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("link", name="Say why recruitment is paused.")).to_be_visible()
    look(page, "trial-pause")
    page.get_by_label("Why").fill("A complaint is looked into.")
    page.get_by_label("Usual service").check()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Recruitment is paused")).to_be_visible()
    look(page, "trial-paused")
    page.get_by_role("link", name="Close to recruitment").click()
    page.get_by_label("Why").fill("The complaint was upheld.")
    look(page, "trial-close")
    page.get_by_role("button", name="Close to recruitment").click()
    expect(page.get_by_text("Closed because: The complaint was upheld.")).to_be_visible()
    page.get_by_role("link", name="Results").click()
    expect(page.get_by_text(f"Over for 0 of {CASES} (0%) units.")).to_be_visible()
    look(page, "trial-results-open")


def test_a_closed_trial_is_checked_locked_revealed_and_replayed_by_a_stranger(
    system: System, sign_in: SignIn, look: Look, tmp_path: Path
) -> None:
    lead = sign_in("triallead")
    lead.get_by_role("link", name=OVER).click()
    lead.get_by_role("link", name="Results").click()
    expect(lead.get_by_role("link", name="Lock outcomes")).to_have_count(0)
    look(lead, "trial-results-not-checked")
    _check_controls(sign_in("hcop"), look)
    lead.reload()
    _step(lead, "Lock outcomes", look)
    expect(lead.get_by_role("heading", name="As locked: data set 1")).to_be_visible()
    look(lead, "trial-results")
    digest = lead.locator("code.app-digest").first.inner_text()
    _arrived(system, digest, "registry@library.example.org")
    lead.get_by_role("link", name="Progress").click()
    look(lead, "trial-flow")
    lead.get_by_role("link", name="Protocol and steps").click()
    _step(lead, "Reveal the seed", look)
    look(lead, "trial-revealed")
    with lead.expect_download() as download:
        lead.get_by_role("link", name="Download the bundle").click()
    _replay(download.value, tmp_path)


def _check_controls(page: Page, look: Look) -> None:
    """One turns out to have been contacted; then all are looked up."""
    page.get_by_role("link", name=re.compile(f"with usual service in {OVER}")).click()
    look(page, "controls")
    page.get_by_role("link", name=re.compile("^Record it")).first.click()
    page.get_by_role("radio", name=re.compile("by accident")).check()
    page.get_by_role("button", name=re.compile("^Record")).click()
    expect(page.get_by_role("link", name="Give the day.")).to_be_visible()
    look(page, "deviation")
    first = page.get_by_label("Day").get_attribute("min")
    page.get_by_label("Day").fill(first or "")
    page.get_by_role("button", name=re.compile("^Record")).click()
    expect(page.get_by_text("The neighbourhood team contacted the victim by accident on")).to_be_visible()
    boxes = page.get_by_role("checkbox")
    for number in range(boxes.count()):
        boxes.nth(number).check()
    page.get_by_role("button", name=re.compile("^Ticked cases are looked up")).click()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    look(page, "controls-checked")


def _arrived(system: System, content: str, registrar: str) -> None:
    """The worker sends a registrar the file with this in it."""
    wait_for(
        lambda: any(registrar in mail_text(path) for path in mails_about(system, content)),
        f"a message with {content} to {registrar}",
        every=0.2,
    )


def _replay(download: Download, folder: Path) -> None:
    """By the one file that a stranger has; a bundle with two arms exchanged is found out."""
    bundle = folder / "bundle.json"
    download.save_as(bundle)
    assert _verify(bundle, folder)[0] == 0
    content = json.loads(bundle.read_text())
    rows = content["allocations"]
    src, control = (next(row for row in rows if row["arm"] == arm) for arm in ("src", "control"))
    src["arm"], control["arm"] = control["arm"], src["arm"]
    bundle.write_text(json.dumps(content))
    status, said = _verify(bundle, folder)
    assert status == 1
    assert f"llocation {min(src['number'], control['number'])}" in said


def _verify(bundle: Path, folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(bundle)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
