"""Where an account belongs today: what the scope of every row is made of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Value
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from referrals.models import BcuMembership, TeamMembership
from src_app.accounts.models import User


def today() -> date:
    """The date in London."""
    return timezone.localdate()


@dataclass(frozen=True)
class Places:
    """Keys of the teams and of the BCUs that an account belongs to today.

    Keys and no subquery: with them the database walks an index in the order of a list.
    """

    teams: tuple[int, ...] = ()
    bcus: tuple[int, ...] = ()


_asked: ContextVar[dict[int, Places] | None] = ContextVar("places", default=None)


def places_of(user: User) -> Places:
    """Where the account belongs today; one query, or none where this request has asked already."""
    asked = _asked.get()
    if asked is None:
        return _read(user)
    if user.pk not in asked:
        asked[user.pk] = _read(user)
    return asked[user.pk]


def _read(user: User) -> Places:
    day = today()
    teams = TeamMembership.objects.filter(TeamMembership.current(day), user=user)
    bcus = BcuMembership.objects.filter(BcuMembership.current(day), user=user)
    found: dict[str, list[int]] = {"team": [], "bcu": []}
    for kind, place in teams.values_list(Value("team"), F("team_id")).union(
        bcus.values_list(Value("bcu"), F("bcu_id")), all=True
    ):
        found[kind].append(place)
    return Places(teams=tuple(sorted(found["team"])), bcus=tuple(sorted(found["bcu"])))


@contextmanager
def asked_once() -> Iterator[None]:
    """Inside, an account belongs where it belonged when first asked for."""
    token = _asked.set({})
    try:
        yield
    finally:
        _asked.reset(token)


class PlacesMiddleware:
    """A page reads many tables through one scope: it is asked for once a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with asked_once():
            return self.get_response(request)
