"""No address answers with an error page, whatever is sent to it: each × method × parameter × hostile value.

The addresses are those of the URL configuration, the role that opens one is of ``access.csv``, and the
parameters are those that its view was seen to look up (``asked.py``). So an address, a parameter or a form
field that is new is tried without a word here; ``test_access.py`` says how the record is made that an address
names. Values are in ``hostile.py``.

Usually each parameter is sent a few of them, in turn, so that every address meets every kind; with
``script/test --thorough`` each is sent all. A request may cost only so many queries and bytes: how long that
takes depends on the machine.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django import forms
from django.core.cache import cache
from django.db import connection, transaction
from django.forms.boundfield import BoundField
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse
from pytest_django.fixtures import Settings

from referrals.intake.held.holding import hold_extract
from referrals.models import Case
from src_app.accounts.models import User
from src_app.urls import urlpatterns as addresses
from tests.conftest import World
from tests.extracts import extract, row
from tests.factories import NOW, PASSWORD
from tests.meta import hostile
from tests.meta.asked import Asked, asked_for, likely
from tests.meta.test_access import ANONYMOUS, LINES, OWN, PATTERNS, ROLES
from tests.meta.test_consultations import Page, Scene
from tests.thorough import THOROUGH

MOST_QUERIES, MOST_BYTES = 130, 1_000_000
LEAST_REQUESTS = 15
NAMES = [pattern.name or "" for pattern in PATTERNS]
_FORM = "application/x-www-form-urlencoded"


class Places(Scene):
    """Where every address has something to show, and every form something to be sent to."""

    def arguments(self, page: Page, whose: str) -> dict[str, Any]:
        if page.address == "import_columns":
            return self._unmatched()
        if page.address == "import_save":
            return self._held()
        return super().arguments(page, whose)

    def _unmatched(self) -> dict[str, Any]:
        content = extract(row(1)).replace(b"reported_at", b"Told to us on")
        held = hold_extract(key=UUID(int=1), content=content, bcu=self.bcu, by=self.hcop, at=NOW)
        return {"import_id": held.pk}


@dataclass
class Visitor:
    """Sends requests to one address as somebody who may open it; each is undone before the next.

    ``every``: all values of each kind, not a few in ``turn``. ``faults``: what went wrong, by what was sent.
    """

    address: str
    client: Client
    asked: Asked
    turn: int = 0
    every: bool = THOROUGH
    requests: int = 0
    faults: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cookies = "; ".join(f"{name}={each.value}" for name, each in self.client.cookies.items())

    def some(self, values: Sequence[Any], most: int) -> list[Any]:
        """All of them, or the next few of them in turn."""
        if self.every or most >= len(values):
            return list(values)
        self.turn += most
        # Seven apart: neighbours are alike.
        return [values[(self.turn + number * 7) % len(values)] for number in range(most)]

    def send(
        self,
        method: str,
        query: str = "",
        body: bytes = b"",
        *,
        kind: str = _FORM,
        address: str = "",
        headers: Mapping[str, str] | None = None,
        signed_in: bool = True,
        guarded: bool = False,
    ) -> None:
        """One request; ``guarded``: as from a browser, whose forms must come from our pages."""
        self.requests += 1
        # Rate limits would answer in place of the view.
        cache.clear()
        address, extra = address or self.address, dict(headers or {})
        sent: dict[str, Any] = {
            "QUERY_STRING": query,
            "HTTP_COOKIE": self.cookies if signed_in else "",
            **extra,
        }
        client = Client(enforce_csrf_checks=guarded)
        with transaction.atomic(), _queries() as count:
            try:
                response = client.generic(method, address, body, kind, **sent)
                size = len(response.getvalue())  # of what is streamed, too
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
                wrong = _in_short(error)
            else:
                wrong = _wrong(response.status_code, count(), size)
            transaction.set_rollback(True)
        if wrong:
            self.faults[f"{method} {address[:100]}?{query[:100]} {body[:200]!r} {kind} {extra!r:.200}"] = (
                wrong
            )


@contextmanager
def _queries() -> Iterator[Callable[[], int]]:
    counted = 0

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal counted
        counted += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        yield lambda: counted


def _wrong(status: int, queries: int, size: int) -> str:
    if status >= 500:
        return f"answers {status}"
    if queries > MOST_QUERIES:
        return f"takes {queries} queries"
    return f"answers with {size:,} bytes" if size > MOST_BYTES else ""


def _in_short(error: Exception) -> str:
    """The error, and the last place of the project's own that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        each for each in frames if "/site-packages/" not in each.filename and "/tests/" not in each.filename
    ]
    place = f" in {own[-1].filename}:{own[-1].lineno}" if own else ""
    return f"{type(error).__name__}: {str(error)[:120]}{place}"


def try_everything(visitor: Visitor, arguments: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """Each parameter, part of the path, method, header and kind of body by itself, beside what is good."""
    good = _learned(visitor, body)
    _try_parameters(visitor, good)
    for address in _other_paths(visitor, arguments):
        visitor.send("GET", address=address)
        visitor.send("POST", address=address)
    for method in visitor.some(hostile.METHODS, 2):
        visitor.send(method)
    for headers in visitor.some(hostile.HEADERS, 3):
        visitor.send("GET", headers=headers)
        visitor.send("GET", headers=headers, signed_in=False)
        visitor.send("POST", body=_encoded(good), headers=headers, guarded=True)
    for kind, content in visitor.some(hostile.BODIES, 2):
        visitor.send("POST", body=content, kind=kind)


def _learned(visitor: Visitor, body: Mapping[str, Any]) -> dict[str, list[str]]:
    """A good body, filled in as the view is seen to ask for it."""
    asked, known = visitor.asked, -1
    good: dict[str, list[str]] = {}
    visitor.send("GET")
    while known < len(asked.query) + len(asked.body):
        known = len(asked.query) + len(asked.body)
        # A body without anything would not be taken for a form that was sent.
        visitor.send("POST", body=_encoded({"sent": ["yes"], **good}))
        good = {name: likely(bound) for name, bound in asked.body.items() if bound is not None}
        good |= {name: [str(value)] for name, value in body.items()}
    return good


def _try_parameters(visitor: Visitor, good: Mapping[str, Sequence[str]]) -> None:
    query, body = dict(visitor.asked.query), dict(visitor.asked.body)
    for name, bound in query.items():
        for value in _values(visitor, bound):
            visitor.send("GET", f"{quote(name)}={value}")
        visitor.send("POST", f"{quote(name)}={visitor.some(hostile.EVERYTHING, 1)[0]}", _encoded(good))
    for name, bound in body.items():
        others = {each: values for each, values in good.items() if each != name}
        for value in _values(visitor, bound):
            visitor.send("POST", body=_encoded(others) + f"&{quote(name)}={value}".encode())
    for value in visitor.some(hostile.EVERYTHING, 2):
        visitor.send("GET", "&".join(f"{quote(name)}={value}" for name in query))
        visitor.send("POST", body="&".join(f"{quote(name)}={value}" for name in body).encode())


def _values(visitor: Visitor, bound: BoundField | None) -> Iterator[str]:
    """Of what no form cleans, one of each kind; of a form's field, some of its own kind and one of any."""
    if visitor.every:
        yield from hostile.EVERYTHING
    elif bound is None:
        for kind in hostile.KINDS:
            yield from visitor.some(kind, 1)
    else:
        is_day = isinstance(bound.field, forms.DateField | forms.DateTimeField)
        is_number = isinstance(bound.field, forms.IntegerField | forms.ModelChoiceField)
        own = hostile.DAYS if is_day else hostile.NUMBERS if is_number else hostile.TEXTS
        yield from visitor.some(own, 2 if is_day else 1)
        yield from visitor.some(hostile.EVERYTHING, 1)


def _encoded(body: Mapping[str, Sequence[str]]) -> bytes:
    pairs = [(name, value) for name, values in body.items() for value in values]
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs).encode()


def _other_paths(visitor: Visitor, arguments: Mapping[str, Any]) -> Iterator[str]:
    """The address with one of its arguments replaced."""
    for argument in arguments.values():
        before, _, after = visitor.address.partition(f"/{argument}/")
        yield from (f"{before}/{part}/{after}" for part in visitor.some(hostile.PARTS, 3))


def _role(name: str) -> str:
    """One that may send what the address takes; where none may, one that is let in at all."""
    lines = [line for line in LINES if line["address"] == name and line["record"] in {"", OWN}]
    wanted = [("POST", {"ok"}), ("GET", {"ok"}), ("GET", {"not-found", "no-method"})]
    return next(
        role
        for method, answers in wanted
        for role in reversed(ROLES)
        if any(line["method"] == method and line[role] in answers for line in lines)
    )


def _signed_in(user: User, name: str) -> Client:
    """By password, since allauth's own pages ask when that was; pages of the second factor with one."""
    client = Client()
    if name == "mfa_authenticate":
        TOTP.activate(user, generate_totp_secret())
    client.post(reverse("account_login"), {"login": user.username, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    if name.startswith("mfa_") and name not in {"mfa_authenticate", "mfa_activate_totp"}:
        TOTP.activate(user, generate_totp_secret())
    return client


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("name", NAMES)
def test_no_address_answers_with_an_error_page(name: str, world: World, people: dict[str, User]) -> None:
    places, role = Places(world, people), _role(name)
    whose = OWN if any(line["address"] == name and line["record"] for line in LINES) else ""
    arguments = places.arguments(Page(name, "POST"), whose)
    client = _signed_in(people["hcop" if role == ANONYMOUS else role], name)
    with asked_for() as asked:
        visitor = Visitor(reverse(name, kwargs=arguments), client, asked, turn=NAMES.index(name))
        try_everything(visitor, arguments, places.records.body(name, whose))
    assert visitor.faults == {}
    assert visitor.requests >= LEAST_REQUESTS


@pytest.mark.parametrize(
    ("name", "query", "body"),
    [
        ("case_list", {"borough", "ward", "state", "first", "last", "order", "page", "format"}, set()),
        ("flag_list", {"page", "remove-page", "remove-order", "remove-format"}, set()),
        (
            "compliance",
            {"period", "first", "last", "borough", "team", "wards-page", "overdue-taken"},
            set(),
        ),
        ("compliance_ward", {"by", "wards-page", "overdue-taken"}, set()),
        ("audit_list", {"search", "account"}, {"reference"}),
        ("search", set(), {"reference"}),
        ("log_contact", set(), {"key", "method", "follow_ups", "made_at", "note"}),
        ("record_deviation", {"back_to"}, {"kind", "happened_on", "ordered_by"}),
        ("submit_decisions", set(), {"bcu", "key", "decision"}),
        ("set_trial_wards", set(), {"wards", "mode", "starts_on", "confirmed"}),
        ("account_logout", {"next"}, {"next"}),
    ],
)
@pytest.mark.usefixtures("clock")
def test_what_a_page_asks_for_is_found(
    name: str, query: set[str], body: set[str], world: World, people: dict[str, User]
) -> None:
    places = Places(world, people)
    whose = OWN if any(line["address"] == name and line["record"] for line in LINES) else ""
    address = reverse(name, kwargs=places.arguments(Page(name, "POST"), whose))
    with asked_for() as asked:
        _learned(
            Visitor(address, _signed_in(people[_role(name)], name), asked), places.records.body(name, whose)
        )
    assert query <= set(asked.query)
    assert body <= set(asked.body)


class DayForm(forms.Form):
    day = forms.DateField(required=False)


def number(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Case.objects.filter(pk__in=[int(request.GET.get("of", "0"))]).count())


def later(request: HttpRequest) -> HttpResponse:
    form = DayForm(request.POST)
    day = form.cleaned_data["day"] if form.is_valid() else None
    return HttpResponse(day and day + timedelta(days=1))


def elsewhere(request: HttpRequest) -> HttpResponse:
    return HttpResponse(urlsplit(request.headers.get("HX-Current-URL", "")).path)


def only_read(request: HttpRequest) -> HttpResponse:
    return HttpResponse({"GET": "read", "POST": "sent"}[request.method or ""])


def text(request: HttpRequest, said: str) -> HttpResponse:
    return HttpResponse(Case.objects.filter(crime_reference=said + request.POST.get("more", "")).count())


def dear(request: HttpRequest) -> HttpResponse:
    return HttpResponse([Case.objects.count() for _ in range(MOST_QUERIES + 1)])


def long(request: HttpRequest) -> HttpResponse:
    return HttpResponse("x" * (MOST_BYTES + 1))


BROKEN: dict[Any, str] = {
    number: "ValueError",
    later: "OverflowError",
    elsewhere: "ValueError",
    only_read: "KeyError",
    text: "NUL",
    dear: "queries",
    long: "bytes",
}
urlpatterns = [
    path("broken/text/<str:said>/", text, name="text"),
    *(path(f"broken/{view.__name__}/", view, name=view.__name__) for view in BROKEN if view is not text),
    *addresses,
]


@pytest.mark.parametrize("view", BROKEN, ids=lambda view: view.__name__)
def test_a_view_that_breaks_is_found(db: None, settings: Settings, view: Any) -> None:
    settings.ROOT_URLCONF = __name__
    arguments = {"said": "so"} if view is text else {}
    with asked_for() as asked:
        # What breaks at some values alone is sent all of them.
        every = view in {later, elsewhere, text}
        visitor = Visitor(reverse(view.__name__, kwargs=arguments), Client(), asked, every=every)
        try_everything(visitor, arguments, {})
    assert any(BROKEN[view] in fault for fault in visitor.faults.values()), visitor.faults


def test_each_value_has_its_turn() -> None:
    with asked_for() as asked:
        visitor = Visitor("/", Client(), asked, every=False)
        met = {value for _ in range(len(hostile.EVERYTHING)) for value in visitor.some(hostile.EVERYTHING, 1)}
    assert met == set(hostile.EVERYTHING)
