"""What is said where the database did not do what was asked."""

from collections.abc import Callable

import psycopg2
import psycopg2.errors
import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from referrals.models import Case
from src_app import busy, commits
from src_app.accounts.models import User
from src_app.busy import READ_AGAIN, BusyMiddleware, Trouble, trouble_of
from src_app.commits import CommitUnknown, is_anything_saved, not_counted, nothing_saved_yet


def caused(by: Exception, error: type[Exception] = OperationalError) -> Exception:
    """As Django raises it."""
    found = error()
    found.__cause__ = by
    return found


@pytest.mark.parametrize(
    ("cause", "trouble"),
    [
        (psycopg2.errors.LockNotAvailable(), Trouble.BUSY),
        (psycopg2.errors.DeadlockDetected(), Trouble.BUSY),
        (psycopg2.errors.SerializationFailure(), Trouble.BUSY),
        (psycopg2.errors.QueryCanceled(), Trouble.SLOW),
        (psycopg2.errors.AdminShutdown(), Trouble.LOST),
        (psycopg2.errors.CrashShutdown(), Trouble.LOST),
        (psycopg2.errors.IdleInTransactionSessionTimeout(), Trouble.LOST),
        (psycopg2.OperationalError("server closed the connection unexpectedly"), Trouble.LOST),
        (CommitUnknown(), Trouble.UNKNOWN),
        (psycopg2.errors.DiskFull(), None),
    ],
    ids=lambda value: value.name if isinstance(value, Trouble) else type(value).__name__,
)
def test_each_error_says_what_is_certain(cause: Exception, trouble: Trouble | None) -> None:
    assert trouble_of(caused(cause)) is trouble


def test_a_connection_that_was_closed_before_is_lost() -> None:
    closed = psycopg2.InterfaceError("connection already closed")
    assert trouble_of(caused(closed, InterfaceError)) is Trouble.LOST


def test_what_fails_after_an_unknown_commit_leaves_it_unknown() -> None:
    """A second connection is refused while the loss of the first is dealt with."""
    later = caused(psycopg2.OperationalError("connection refused"))
    later.__context__ = caused(CommitUnknown())
    assert trouble_of(later) is Trouble.UNKNOWN


def test_nothing_is_called_unsaved_that_may_be_saved() -> None:
    certain = {trouble for trouble in Trouble if "Nothing of yours was saved" in trouble.sentence}
    assert certain == {Trouble.BUSY, Trouble.SLOW, Trouble.LOST}


@pytest.fixture
def failing_page(
    client_of: Callable[[User], Client],
    hcop: User,
    make_case: Callable[..., Case],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Exception], tuple[int, str]]:
    """Status and text of a page whose action fails with an error."""

    def answer(error: Exception) -> tuple[int, str]:
        def fails(**_: object) -> None:
            raise error

        monkeypatch.setattr("referrals.review.actions.drafts.draft_suitable", fails)
        client = client_of(hcop)
        client.raise_request_exception = False
        response = client.post(reverse("mark_suitable", args=[make_case().pk]))
        return response.status_code, response.content.decode()

    return answer


@pytest.mark.parametrize(
    "cause", [psycopg2.errors.LockNotAvailable(), psycopg2.errors.QueryCanceled(), CommitUnknown()]
)
def test_a_page_says_it_and_is_no_fault(
    failing_page: Callable[[Exception], tuple[int, str]], cause: Exception
) -> None:
    status, text = failing_page(caused(cause))
    trouble = trouble_of(caused(cause))
    assert trouble is not None
    assert status == 503
    assert trouble.title in text
    assert trouble.advice in text


def test_any_other_failure_of_the_database_stays_a_fault(
    failing_page: Callable[[Exception], tuple[int, str]],
) -> None:
    status, _ = failing_page(caused(psycopg2.errors.DiskFull()))
    assert status == 500


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_database_that_is_away_before_the_page_begins_is_said_too(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def away(_: object) -> None:
        raise caused(psycopg2.errors.AdminShutdown())

    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    monkeypatch.setattr(SessionStore, "_get_session_from_db", away)
    # As the thread's last request left it.
    commits._anything_saved.set(True)
    response = getattr(client, method)(reverse("overnight_review"))
    assert response.status_code == 503
    assert Trouble.LOST.title in response.text
    assert (READ_AGAIN if method == "get" else Trouble.LOST.advice) in response.text


def test_any_other_fault_before_the_page_begins_stays_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    monkeypatch.setattr(SessionStore, "_get_session_from_db", broken)
    response = client.get(reverse("overnight_review"))
    assert response.status_code == 500
    assert "Something went wrong here" in response.text


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(
    ("cause", "saved", "said"),
    [
        (CommitUnknown(), False, Trouble.LOST),
        (psycopg2.errors.AdminShutdown(), True, Trouble.LOST),
        (psycopg2.errors.QueryCanceled(), True, Trouble.SLOW),
    ],
)
def test_to_whoever_only_reads_nothing_is_called_unsaved(
    rf: RequestFactory,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    cause: Exception,
    saved: bool,
    said: Trouble,
) -> None:
    """It may be the page that follows a form which was saved."""
    monkeypatch.setattr(busy, "is_anything_saved", lambda: saved)
    middleware = BusyMiddleware(lambda _: HttpResponse())
    response = middleware.process_exception(getattr(rf, method)("/"), caused(cause))
    assert response is not None
    assert response.status_code == 503
    text = response.content.decode()
    assert said.title in text
    assert READ_AGAIN in text
    assert "Nothing of yours was saved" not in text


def test_what_is_not_counted_stays_so_where_it_fails() -> None:
    def commit_and_fail() -> None:
        with not_counted():
            commits._anything_saved.set(True)
            raise ValueError("after the commit")

    nothing_saved_yet()
    with pytest.raises(ValueError, match="after the commit"):
        commit_and_fail()
    assert not is_anything_saved()
