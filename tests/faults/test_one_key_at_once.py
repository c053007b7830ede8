"""One key sent to two things at the same moment: one is saved, and the other is said not to be."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from referrals.contact.actions.attempts import UsedBefore, log_attempt, withdraw_attempt
from referrals.contact.actions.follow_ups import chase
from referrals.models import ContactAttempt, Method, Notification, PersonalText, Result, Submission
from referrals.review.actions.submit import submit
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import NOW, CaseFactory, ContactAttemptFactory, DecisionFactory, ReferralFactory
from tests.patience import patience

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[..., object]


def _refusal_of_one(model: type[Model], by: User, acts: list[Act]) -> Refused:
    """Does both under one key, each having looked for that key before either saves a row of the model."""
    both, key = Barrier(2, timeout=patience(60)), uuid.uuid4()

    def do(act: Act) -> object:
        looked = False

        def wait_before_saving(execute: Any, sql: str, *rest: Any) -> Any:
            nonlocal looked
            if not looked and f'INSERT INTO "{model._meta.db_table}"' in sql:
                looked = True
                both.wait()
            return execute(sql, *rest)

        try:
            with acting("test", by=by), connection.execute_wrapper(wait_before_saving):
                return act(key=key, by=by, at=NOW)
        except Refused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        came_of_it = list(threads.map(do, acts))
    assert not both.broken
    [refused] = [each for each in came_of_it if isinstance(each, Refused)]
    return refused


def test_of_two_attempts_one_is_asked_about_and_leaves_nothing(officer: User, world: World) -> None:
    given: dict[str, Any] = {"method": Method.TELEPHONE, "result": Result.CONTACT_MADE, "made_at": NOW}
    ways = [
        partial(log_attempt, referral_id=each.pk, note="Later", **given)
        for each in ReferralFactory.create_batch(2, case__ward=world.wards[0])
    ]
    refused = _refusal_of_one(ContactAttempt, officer, [*ways])
    assert isinstance(refused, UsedBefore)
    assert "another referral" in str(refused)
    assert ContactAttempt.objects.count() == PersonalText.objects.count() == 1
    assert AuditEntry.objects.filter(action=Action.ATTEMPT_LOGGED).count() == 1


def test_of_two_withdrawals_one_is_refused(officer: User, world: World) -> None:
    logged = ContactAttemptFactory.create_batch(
        2, referral__case__ward=world.wards[0], made_by=officer, result=Result.NO_ANSWER
    )
    refused = _refusal_of_one(
        ContactAttempt, officer, [partial(withdraw_attempt, attempt_id=each.pk) for each in logged]
    )
    assert "open the page again" in str(refused)
    assert ContactAttempt.objects.filter(withdraws__isnull=False).count() == 1


def test_of_two_reminders_one_is_refused_and_not_called_sent(hcop: User, world: World) -> None:
    referrals = ReferralFactory.create_batch(2, case__ward=world.wards[0])
    refused = _refusal_of_one(Notification, hcop, [partial(chase, referral_id=each.pk) for each in referrals])
    assert "open the page again" in str(refused)
    assert Notification.objects.count() == 1
    assert AuditEntry.objects.filter(action=Action.MAIL_QUEUED).count() == 1


def test_of_two_submissions_one_is_refused_and_its_drafts_stay(hcop: User, world: World) -> None:
    # Of one ward the second would wait for the first.
    decisions = [
        DecisionFactory.create(case=CaseFactory.create(ward=ward), drafted_by=hcop)
        for ward in world.wards[:2]
    ]
    refused = _refusal_of_one(
        Submission,
        hcop,
        [partial(submit, bcu=world.south_west, seen={each.case_id: each.version}) for each in decisions],
    )
    assert "other decisions" in str(refused)
    drafts = [each for each in decisions if each.__class__.objects.get(pk=each.pk).submission is None]
    assert len(drafts) == Submission.objects.count() == 1
