"""One page beside what it is made of: its rendering from memory, and its rows by SQL written by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test import Client

from bench.databases import Database
from bench.figures import Times, interleaved
from bench.memory import queries_seen, remembered, served_from_memory
from bench.pages import Page
from bench.plans import plans_of
from src_app.accounts.models import User

WARM_UP = 3


class WrongRows(RuntimeError):
    """The page does not answer, or the statement written by hand does not give the rows that it shows."""


@dataclass(frozen=True)
class Place:
    """A page in one database, with a browser in which its reader is signed in there."""

    database: Database
    page: Page
    client: Client

    def open(self) -> None:
        """Asks for the page as a browser does, through every middleware."""
        response = self.client.get(self.page.url)
        if response.status_code != 200:
            raise WrongRows(f"{self.page.url} answered {response.status_code}")

    def select(self) -> list[list[tuple[Any, ...]]]:
        """The rows by hand-written SQL, fetched and left as they are."""
        fetched = []
        with connection.cursor() as cursor:
            for statement in self.page.sql:
                cursor.execute(statement, self.page.parameters)
                fetched.append(cursor.fetchall())
        return fetched


@dataclass(frozen=True)
class Measured:
    """Times of one page, and of the same page where the history is small."""

    page: Page
    rows: int
    small_rows: int | None
    queries: list[tuple[str, Any]]
    whole: Times
    rendered: Times
    selected: Times
    served: Times
    small: Times | None
    plans: list[dict[str, Any]] = field(default_factory=list)

    @property
    def to_rendering(self) -> float:
        """How often the time of rendering the same rows from memory."""
        return self.whole.to(self.rendered)

    @property
    def to_served(self) -> float:
        """How often the time of a request answered from memory, middleware and audit row with it."""
        return self.whole.to(self.served)

    @property
    def to_by_hand(self) -> float:
        """How often the time of hand-written SQL and that rendering together."""
        return self.whole.to(self.rendered, self.selected)

    @property
    def growth(self) -> float | None:
        """How often the time of the same page at the small size; none where that shows fewer rows."""
        return self.whole.to(self.small) if self.small and self.rows == self.small_rows else None


def place_of(database: Database, page: Page) -> Place:
    """The page in a browser of whoever reads it."""
    database.use()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username=page.who))
    return Place(database, page, client)


def measure(place: Place, small: Place | None, repetitions: int, *, explain: bool) -> Measured:
    """The page at the small size and at the large, its rendering and its rows by hand, in turn."""
    small_rows = None
    if small:
        small.database.use()
        small_rows = len(small.page.shown(remembered(small.page.url, small.open).context))
    place.database.use()
    # First by hand: the page adds to the log that its rows may be of.
    by_hand = [row[0] for row in place.select()[0]]
    memory = remembered(place.page.url, place.open)
    shown = place.page.shown(memory.context)
    # By hand there may be one more, which tells that there is a next page.
    if shown not in (by_hand, by_hand[:-1]):
        raise WrongRows(f"{place.page.name} shows {shown[:9]} …, and by hand it is {by_hand[:9]} …")
    with queries_seen() as queries:
        place.open()
    served = served_from_memory(place.client, memory)
    runs: list[Callable[[], Any]] = [
        place.open,
        memory.render,
        place.select,
        lambda: served.get(place.page.url),
    ]
    if small:
        runs.insert(0, small.open)
    # Changing the database is no part of any time.
    before = [small.database.use, place.database.use] if small else []
    interleaved(runs, min(WARM_UP, repetitions), before)
    times = interleaved(runs, repetitions, before)
    *first, whole, rendered, selected, from_memory = times
    return Measured(
        page=place.page,
        rows=len(shown),
        small_rows=small_rows,
        queries=queries,
        whole=whole,
        rendered=rendered,
        selected=selected,
        served=from_memory,
        small=first[0] if first else None,
        plans=plans_of(queries) if explain else [],
    )
