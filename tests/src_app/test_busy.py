"""A page that waits in vain for a row."""

from collections.abc import Callable

import psycopg2.errors
import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from referrals.models import Case
from src_app.accounts.models import User


def failing(cause: Exception) -> Callable[..., None]:
    def fails(**_: object) -> None:
        raise OperationalError from cause

    return fails


def test_a_lock_that_does_not_come_is_a_sentence_and_no_fault(
    client_of: Callable[[User], Client],
    hcop: User,
    make_case: Callable[..., Case],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "referrals.review.actions.drafts.draft_suitable", failing(psycopg2.errors.LockNotAvailable())
    )
    response = client_of(hcop).post(reverse("mark_suitable", args=[make_case().pk]))
    assert response.status_code == 503
    assert "Nothing of yours was saved" in response.content.decode()


def test_any_other_failure_of_the_database_stays_one(
    client_of: Callable[[User], Client],
    hcop: User,
    make_case: Callable[..., Case],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("referrals.review.actions.drafts.draft_suitable", failing(psycopg2.errors.DiskFull()))
    client = client_of(hcop)
    client.raise_request_exception = False
    assert client.post(reverse("mark_suitable", args=[make_case().pk])).status_code == 500
