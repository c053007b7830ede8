"""The database did not do what was asked: what may be said of it, and no more than is certain."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from enum import Enum
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg2
import psycopg2.errors
import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from src_app.commits import CommitUnknown, is_anything_saved, is_lost, nothing_saved_yet

log = structlog.get_logger()
# Browsers and people send a form again within minutes of losing the answer. Hours later it is a page that was
# left open, and means something new.
SENT_AGAIN_WITHIN = timedelta(minutes=15)

P = ParamSpec("P")
T = TypeVar("T")

# To whoever asked for a page alone: it may be the one that follows a form which was saved.
READ_AGAIN = (
    "What you saved before this stays saved. Open this page again in a minute; tell the administrator if it "
    "happens again."
)
_WAITED = (
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
)
_ENDED_IDLE = psycopg2.errors.IdleInTransactionSessionTimeout


class Trouble(Enum):
    """Why something was not done, as it is said to whoever asked for it: a title, and what to do."""

    BUSY = (
        "Somebody else is saving this at this moment",
        "Nothing of yours was saved. Go back and try again in a minute.",
    )
    SLOW = (
        "This took too long",
        "Nothing of yours was saved. Go back and try again; tell the administrator if it happens again.",
    )
    LOST = (
        "The connection to the database was lost",
        "Nothing of yours was saved. Go back and try again in a minute.",
    )
    UNKNOWN = (
        "The connection to the database was lost while this was being saved",
        "It may have been saved, or not. Look whether it is there before you do it again.",
    )
    PARTLY = (
        "This was interrupted",
        "A part of it was saved before that. Look what is there before you do it again.",
    )

    @property
    def title(self) -> str:
        return self.value[0]

    @property
    def advice(self) -> str:
        return self.value[1]

    @property
    def sentence(self) -> str:
        """Both, for a message."""
        return f"{self.title}. {self.advice}"


def trouble_of(error: BaseException) -> Trouble | None:
    """What an error of the database means for the transaction it ended; ``None``: a fault of the code.

    Whatever follows a COMMIT whose answer was lost, such as a second connection that fails, leaves it
    unknown.
    """
    causes = list(_causes(error))
    if any(isinstance(cause, CommitUnknown) for cause in causes):
        return Trouble.UNKNOWN
    if any(isinstance(cause, _WAITED) for cause in causes):
        return Trouble.BUSY
    if any(isinstance(cause, psycopg2.errors.QueryCanceled) for cause in causes):
        return Trouble.SLOW
    if any(isinstance(cause, _ENDED_IDLE) or is_lost(cause) for cause in causes):
        return Trouble.LOST
    return None


def _causes(error: BaseException) -> Iterator[psycopg2.Error]:
    """The driver's errors behind it, and behind what was raised while it was dealt with."""
    ahead: list[BaseException | None] = [error]
    seen = set()
    while ahead:
        found = ahead.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, psycopg2.Error):
            yield found
        ahead += [found.__cause__, found.__context__]


def looked_up_by_key(action: Callable[P, T]) -> Callable[P, T]:
    """For an action that gives for the same ``key`` what it made the first time.

    Where it is unknown whether it was saved, the action is called once more: it waits for what is left of
    the first call, and finds under the key what that saved, or saves it now. Only where that fails too does
    it stay unknown. It is called once more too where another call saved the same key at that moment, after
    this one had looked for it.
    """

    @wraps(action)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return action(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            if trouble_of(error) is not Trouble.UNKNOWN:
                raise
            log.warning("the connection was lost during COMMIT: looking it up", action=action.__name__)
        except IntegrityError as error:
            if not isinstance(error.__cause__, psycopg2.errors.UniqueViolation):
                raise
            constraint = error.__cause__.diag.constraint_name
            log.warning(
                "saved at the same moment: looking it up", action=action.__name__, constraint=constraint
            )
        return action(*args, **kwargs)

    return called


class NothingSaved(HttpResponse):
    """Says that the database gave up, and that nothing of what was asked is saved: that is certain."""

    status_code = 503


class BusyMiddleware:
    """Answers 503 where the database gave up in a view, with what is certain of what was asked.

    It stands before whatever reads the database; what fails there comes to :func:`server_error`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        nothing_saved_yet()
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """For a lock that did not come, a statement that took too long and a connection that was lost."""
        return _unavailable(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: where the database gave up outside a view, in reading the session say, 503."""
    error = sys.exception()
    answer = _unavailable(request, error) if error else None
    return answer or defaults.server_error(request)


def _unavailable(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    trouble = trouble_of(error)
    if trouble is None:
        return None
    is_reading = request.method in ("GET", "HEAD")
    if is_reading and trouble is Trouble.UNKNOWN:
        trouble = Trouble.LOST
    elif not is_reading and trouble is not Trouble.UNKNOWN and is_anything_saved():
        trouble = Trouble.PARTLY
    log.warning("the database did not do what a page asked", trouble=trouble.name, exc_info=error)
    context = {"title": trouble.title, "advice": READ_AGAIN if is_reading else trouble.advice}
    # The session is still to be saved after this.
    connection.close_if_unusable_or_obsolete()
    page = render_to_string("503.html", context)
    if trouble in (Trouble.BUSY, Trouble.SLOW, Trouble.LOST):
        return NothingSaved(page)
    return HttpResponse(page, status=503)
