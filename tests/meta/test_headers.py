"""Every address answers with the same headers to everybody, through the application that gunicorn serves."""

import re
from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from src_app.accounts.models import User
from src_app.headers import HEADERS
from src_app.wsgi import application
from tests.conftest import World
from tests.meta.test_access import ANONYMOUS, LINES, OWN, ROLES
from tests.meta.test_consultations import Page, Scene

PAGES = [line for line in LINES if line["record"] in {"", OWN}]
POLICY = "Content-Security-Policy"
# What no page may do, whatever else one may.
NOTHING = {"default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"}


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """The test's own transaction outlasts each request, as with Django's test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


class Visitor:
    """Somebody who sends requests past Django's test client, which does not know the whole application."""

    def __init__(self, user: User | None) -> None:
        client = Client()
        if user is not None:
            client.force_login(user)
        self.cookies = "; ".join(f"{name}={each.value}" for name, each in client.cookies.items())

    def headers(self, page: Page, address: str) -> tuple[int, dict[str, str]]:
        """Status and headers of what is answered; whatever it does is undone."""
        answered: list[tuple[int, dict[str, str]]] = []

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            assert len({name for name, _ in headers} - {"Set-Cookie"}) == sum(
                name != "Set-Cookie" for name, _ in headers
            ), "a header stands twice"
            answered.append((int(status.split()[0]), dict(headers)))

        request = RequestFactory().generic(page.method, address, HTTP_COOKIE=self.cookies)
        with transaction.atomic():
            body = application(request.environ, start)  # type: ignore[arg-type]  # typeshed's own
            for _ in body:
                pass
            transaction.set_rollback(True)
        [found] = answered
        return found


def _wrong(headers: dict[str, str]) -> list[str]:
    expected = {**HEADERS, POLICY: headers.get(POLICY, "")}
    wrong = [name for name, value in expected.items() if headers.get(name) != value]
    if not set(expected[POLICY].split("; ")) >= NOTHING:
        wrong.append(POLICY)
    kind, _, letters = headers.get("Content-Type", "").partition("; ")
    if (kind.startswith("text/") or kind.endswith("xml")) and letters != "charset=utf-8":
        wrong.append("Content-Type")
    return wrong


@pytest.mark.usefixtures("clock", "_one_connection")
def test_every_address_answers_everybody_with_the_headers(world: World, people: dict[str, User]) -> None:
    scene, visitors = Scene(world, people), {role: Visitor(people.get(role)) for role in ROLES}
    wrong, met = {}, set()
    for line in PAGES:
        page = Page(line["address"], line["method"])
        for answer in {line[role] for role in ROLES}:
            role = next(role for role in ROLES if line[role] == answer)
            with transaction.atomic():
                address = reverse(page.address, kwargs=scene.arguments(page, line["record"]))
                status, headers = visitors[role].headers(page, address)
                transaction.set_rollback(True)
            met.add(status)
            if found := _wrong(headers):
                wrong[f"{page.method} {address} as {role}: {status}"] = found
            if role != ANONYMOUS and status == 200 and "no-store" not in headers.get("Cache-Control", ""):
                wrong[f"{page.method} {address} as {role}"] = ["Cache-Control"]
    assert wrong == {}
    assert {200, 302, 403, 404, 405} <= met


def test_nothing_is_asked_of_the_browser_but_the_clipboard_to_write_to_and_passkeys() -> None:
    features = dict(each.split("=") for each in HEADERS["Permissions-Policy"].split(", "))
    assert {name for name, allowed in features.items() if allowed != "()"} == {
        "clipboard-write",
        "publickey-credentials-create",
        "publickey-credentials-get",
    }
    assert {"camera", "geolocation", "microphone", "payment", "usb"} <= set(features)
    assert all(re.fullmatch(r"[a-z-]+", name) for name in features)


def test_no_address_answers_trace(world: World, people: dict[str, User]) -> None:
    scene, client = Scene(world, people), Client()
    client.force_login(people["hcop"])
    for line in PAGES:
        page = Page(line["address"], line["method"])
        with transaction.atomic():
            address = reverse(page.address, kwargs=scene.arguments(page, line["record"]))
            response = client.trace(address, HTTP_X_SECRET="told-again")
            transaction.set_rollback(True)
        assert response.status_code in {302, 403, 404, 405}, address
