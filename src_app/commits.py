"""Whether a transaction was saved: known of every COMMIT but one whose answer was lost.

A write outside ``transaction.atomic`` commits itself and is not seen here: nothing is promised of it. Of what
people ask for, only allauth's changes of a second factor are written so.

Stands apart from the rest, because the settings name the class of the connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg2
import psycopg2.errors
from psycopg2.extensions import connection

# The driver has classes of their own for what the server says, and these two for what it cannot say any more.
_SAYS_NOTHING = (psycopg2.OperationalError, psycopg2.InterfaceError)
_SERVER_ENDS_SESSION = (psycopg2.errors.AdminShutdown, psycopg2.errors.CrashShutdown)

_anything_saved: ContextVar[bool] = ContextVar("anything_saved", default=False)


class CommitUnknown(psycopg2.OperationalError):
    """The connection was lost while it committed: it was saved, or it was not."""


def is_lost(error: psycopg2.Error) -> bool:
    """Whether the error says that the connection is gone, rather than that the server refused something."""
    return type(error) in _SAYS_NOTHING or isinstance(error, _SERVER_ENDS_SESSION)


class Connection(connection):
    """A connection that says what became of its COMMIT."""

    def commit(self) -> None:
        """Commits; raises :class:`CommitUnknown` where the connection is lost after COMMIT was sent."""
        was_closed = self.closed
        try:
            super().commit()
        except psycopg2.Error as error:
            if is_lost(error) and not was_closed:
                raise CommitUnknown("the connection was lost during COMMIT") from error
            raise
        _anything_saved.set(True)


def is_anything_saved() -> bool:
    """Whether a transaction that counts was committed since :func:`nothing_saved_yet`."""
    return _anything_saved.get()


def nothing_saved_yet() -> None:
    """Begins to look, with each request."""
    _anything_saved.set(False)


@contextmanager
def not_counted() -> Iterator[None]:
    """A commit inside saves nothing of what somebody asked for: that a page was read, say."""
    before = _anything_saved.get()
    try:
        yield
    finally:
        _anything_saved.set(before)
