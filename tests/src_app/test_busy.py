"""What is said where the database did not do what was asked."""

from collections.abc import Callable

import psycopg2
import psycopg2.errors
import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.urls import reverse

from referrals.models import Case
from src_app.accounts.models import User
from src_app.busy import Trouble, trouble_of
from src_app.commits import CommitUnknown


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
