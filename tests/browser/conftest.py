"""The running system, and a browser in front of it.

Nothing here shares a process or a database with the tests beside it: the system is started as
``script/demo`` starts it, in a directory of its own, and everything is done through its pages.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect, sync_playwright

from tests.patience import patience
from tests.process_tree import kill_tree

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
WIDTHS = (320, 768, 1280)
# Milliseconds until something that a page does is taken not to come.
WAIT = patience(60) * 1_000
# After a click the page that is looked at is the one it leads to: a click does not wait for it. A link to a
# file leads nowhere, and the page stays.
SAY_WHEN_LEAVING = """
    addEventListener("beforeunload", () => {
        window.isLeaving = true;
        setTimeout(() => { window.isLeaving = false; }, 10000);
    });
"""


@dataclass(frozen=True)
class System:
    """A running system: where it answers, who may sign in, and where its files are."""

    address: str
    passwords: dict[str, str]
    directory: Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def own_environment() -> dict[str, str]:
    """This process's environment without the test services: the system brings its own."""
    theirs = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "ENVIRONMENT"}
    return {name: value for name, value in os.environ.items() if name not in theirs}


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole demo with its months of history, until the last browser test has ended."""
    directory = tmp_path_factory.mktemp("system")
    port = _free_port()
    output = directory / "demo.log"
    with open(output, "wb") as log:
        demo = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "local.demo",
                "--directory",
                str(directory),
                "--port",
                str(port),
            ],
            env={**own_environment(), "COLUMNS": "200"},
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        passwords = _wait_for_sign_ins(demo, output)
        yield System(f"http://127.0.0.1:{port}", passwords, directory)
    finally:
        demo.terminate()
        try:
            demo.wait(patience(120))
        finally:
            kill_tree(demo)


def _wait_for_sign_ins(demo: "subprocess.Popen[bytes]", output: Path) -> dict[str, str]:
    """The passwords the demo prints once it serves; fails with its output if it ends before."""
    while True:
        text = output.read_text()
        if "Ctrl-C stops it" in text:
            return dict(re.findall(r"^ ?\w+ +(\w+) +(\S+) *$", text, re.MULTILINE))
        try:
            demo.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"The demo ended before it served:\n{text}")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The distribution's Chromium, driven by Playwright.

    Not longer than these tests: while its event loop lives, Django refuses the database to this thread.
    """
    expect.set_options(timeout=WAIT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM_PATH"],
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(system: System, chromium: Browser) -> Iterator[SignIn]:
    """Opens a browser of one's own as one of the demo's people, and signs in."""
    contexts: list[BrowserContext] = []

    def open_as(username: str, *, width: int = 1280, javascript: bool = True, may_fail: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            locale="en-GB",
            timezone_id="Europe/London",
            java_script_enabled=javascript,
            has_touch=True,
        )
        contexts.append(context)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        # A content policy that stops something of ours is a fault of the page.
        if not may_fail:
            page.on("console", lambda message: _no_complaint(message.text, message.type))
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        page.goto(f"{system.address}/")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(system.passwords[username])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign out").wait_for()
        # Its words stand there before its scripts have run, and a key pressed until then is lost.
        page.wait_for_load_state()
        return page

    yield open_as
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Page]:
    """Somebody who has not signed in."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(WAIT)
    yield context.new_page()
    context.close()


def _no_complaint(text: str, kind: str) -> None:
    if kind == "error":
        pytest.fail(f"the browser's console: {text}")


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """The folder that ``SCREENSHOTS`` names; without it no pictures are taken: no check looks at them."""
    if not os.environ.get("SCREENSHOTS"):
        return None
    folder = Path(os.environ["SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


Look = Callable[[Page, str], None]


@pytest.fixture
def look(pictures: Path | None) -> Look:
    """At each width nothing is wider than the window and axe finds nothing; pictures where wanted."""

    def look_at(page: Page, name: str) -> None:
        arrive(page)
        size = page.viewport_size
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if pictures:
                page.screenshot(path=pictures / f"{name}-{width}.png", full_page=True)
            page.evaluate("scrollTo(0, 0)")
            if pictures:
                page.screenshot(path=pictures / f"{name}-{width}-window.png")
            too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert too_wide <= 0, f"{name} scrolls sideways at {width} px, by {too_wide} px"
            assert violations(page) == [], f"{name} at {width} px"
        if size:
            page.set_viewport_size(size)

    return look_at


def card_with_a_way(page: Page) -> Locator:
    """The first card on My referrals to log contact of whose form has a way of contact chosen already."""
    links = page.get_by_role("link", name=re.compile("^Log contact"))
    for address in links.evaluate_all("all => all.map(each => each.getAttribute('href'))"):
        form = page.request.get(page.url.split("/referrals/")[0] + address).text()
        if re.search(r'name="method"[^>]*checked', form):
            return page.locator(f'a[href="{address}"]', has_text="Log contact")
    return links.filter(has_text="none has a way chosen")


def arrive(page: Page) -> None:
    """Waits until the page that the last click leads to is there, whole."""
    deadline = time.monotonic() + patience(60)
    while time.monotonic() < deadline:
        # ``wait_for_function`` would have the page evaluate a string, which its content policy forbids.
        with suppress(Error):
            if page.evaluate("!window.isLeaving && document.readyState === 'complete'"):
                return
        page.wait_for_timeout(50)
    pytest.fail(f"{page.url} does not come")


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and its best practices, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    # What passes and what cannot be told is not described one by one: nobody reads it here.
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
