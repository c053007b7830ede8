"""Ending a referral without contact, and taking back an attempt logged by mistake."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from referrals.contact.actions.attempts import UsedBefore, log_attempt, withdraw_attempt
from referrals.contact.actions.closing import choose_safe_method, close_without_contact
from referrals.contact.actions.follow_ups import acknowledge, finish
from referrals.mail.claims import waiting
from referrals.mail.outbox import deliver
from referrals.models import (
    Case,
    CloseReason,
    ContactAttempt,
    FollowUp,
    FollowUpKind,
    MailKind,
    Method,
    Noticed,
    Referral,
    ReferralNotice,
    ReferralStatus,
    Restriction,
    Result,
    SafetyDecision,
)
from src_app.accounts.guards import NotAllowed
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.database import owner_rights
from tests.factories import (
    ContactAttemptFactory,
    NotificationFactory,
    ReferralOrderFactory,
    SafetyDecisionFactory,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def referral(make_referral):
    return make_referral()


@pytest.fixture
def log(referral, officer, now):
    """Logs an attempt at the referral by telephone."""

    def log(result, **given):
        given = {"key": uuid.uuid4(), "made_at": now, "by": officer, "at": now, **given}
        return log_attempt(referral_id=referral.pk, method=Method.TELEPHONE, result=result, **given)

    return log


@pytest.fixture
def close(referral, officer, now):
    """Closes the referral."""

    def close(reason, **given):
        given = {"by": officer, "at": now, **given}
        return close_without_contact(referral_id=referral.pk, reason=reason, **given)

    return close


@pytest.fixture
def withdraw(officer, now):
    """Withdraws an attempt."""

    def withdraw(attempt, **given):
        given = {"key": uuid.uuid4(), "by": officer, "at": now, **given}
        return withdraw_attempt(attempt_id=attempt.pk, **given)

    return withdraw


@pytest.fixture
def forget_history():
    """Empties the table of what the referral was before; nothing the service does depends on it."""

    def forget():
        with owner_rights(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE referrals_referralevent")

    return forget


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (Result.DECLINED, CloseReason.DECLINED),
        (Result.WRONG_DETAILS, CloseReason.WRONG_DETAILS),
    ],
)
def test_it_closes_for_what_an_attempt_has_shown(referral, log, close, officer, now, result, reason):
    log(result)
    close(reason)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.CLOSED, reason)
    assert (referral.closed_at, referral.closed_by) == (now, officer)
    assert referral.contacted_at is None
    entry = AuditEntry.objects.get(action=Action.REFERRAL_CLOSED)
    assert entry.fields == ["close_reason", "closed_at", "closed_by", "status"]


@pytest.mark.parametrize("reason", CloseReason)
def test_without_an_attempt_an_officer_cannot_close(referral, close, reason):
    with pytest.raises(Refused, match=r"log|Log"):
        close(reason)
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN


def test_a_withdrawn_attempt_shows_nothing(log, close, withdraw):
    withdraw(log(Result.DECLINED))
    with pytest.raises(Refused):
        close(CloseReason.DECLINED)
    log(Result.NO_ANSWER)
    with pytest.raises(Refused):
        close(CloseReason.NO_REPLY)


def test_a_supervisor_decides_that_contact_is_unsafe(referral, log, close, supervisor, now):
    log(Result.UNSAFE)
    with pytest.raises(Refused, match="your supervisor is asked"):
        close(CloseReason.UNSAFE)
    assert close(CloseReason.UNSAFE, by=supervisor).status == ReferralStatus.CLOSED
    decision = SafetyDecision.objects.get(referral=referral)
    assert (decision.method, decision.decided_by, decision.decided_at) == ("", supervisor, now)
    task = FollowUp.objects.get(referral=referral, kind=FollowUpKind.UNSAFE)
    assert (task.done_by, task.acknowledged_by, task.result) == (supervisor, supervisor, "no_way")


def test_another_way_keeps_it_open_and_the_team_is_told_once(referral, log, supervisor, officer, now):
    def choose(method, by=supervisor):
        return choose_safe_method(referral_id=referral.pk, method=method, by=by, at=now)

    log(Result.UNSAFE)
    decision = choose(Method.VIDEO)
    assert choose(Method.VIDEO) == decision
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN
    task = FollowUp.objects.get(referral=referral, kind=FollowUpKind.UNSAFE)
    assert (task.done_by, task.result) == (supervisor, "another_way")
    notice = ReferralNotice.objects.get(referral=referral)
    assert notice.changed == [Noticed.OTHER_METHOD]
    with pytest.raises(NotAllowed):
        choose(Method.VIDEO, by=officer)
    Case.objects.filter(pk=referral.case_id).update(restrictions=[Restriction.NO_HOME_VISIT])
    with pytest.raises(Refused, match="rule that way out"):
        choose(Method.HOME_VISIT)


def test_the_question_is_not_closed_by_hand_while_the_referral_is_open(referral, log, supervisor, now):
    log(Result.UNSAFE)
    task = FollowUp.objects.get(kind=FollowUpKind.UNSAFE)
    acknowledge(follow_up_id=task.pk, by=supervisor, at=now)
    with pytest.raises(Refused, match="Answer"):
        finish(follow_up_id=task.pk, result="overtaken", by=supervisor, at=now)
    log(Result.CONTACT_MADE)
    assert finish(follow_up_id=task.pk, result="overtaken", by=supervisor, at=now).done_at == now


def test_the_database_closes_none_as_unsafe_without_a_decision_since_it_was_referred(
    referral, supervisor, now
):
    closed = {
        "status": ReferralStatus.CLOSED,
        "close_reason": CloseReason.UNSAFE,
        "closed_at": now,
        "closed_by": supervisor,
    }

    def close_at_once():
        Referral.objects.filter(pk=referral.pk).update(**closed)

    def assert_refused():
        with pytest.raises(IntegrityError, match="unsafe_after_a_decision"), transaction.atomic():
            close_at_once()

    assert_refused()
    SafetyDecisionFactory.create(referral=referral)
    assert_refused()
    SafetyDecisionFactory.create(referral=referral, method="", decided_at=now)
    ReferralOrderFactory.create(referral=referral, ordered_at=now + timedelta(minutes=1))
    assert_refused()
    SafetyDecisionFactory.create(referral=referral, method="", decided_at=now + timedelta(minutes=2))
    close_at_once()


def test_closing_twice_for_the_same_reason_changes_nothing(log, close, now):
    log(Result.DECLINED)
    close(CloseReason.DECLINED)
    assert close(CloseReason.DECLINED, at=now + timedelta(minutes=1)).closed_at == now
    assert AuditEntry.objects.filter(action=Action.REFERRAL_CLOSED).count() == 1
    with pytest.raises(Refused, match="nothing more to do"):
        close(CloseReason.UNSAFE)


def test_a_completed_referral_cannot_be_closed(log, close):
    log(Result.DECLINED)
    log(Result.CONTACT_MADE)
    with pytest.raises(Refused, match="contact made"):
        close(CloseReason.DECLINED)


def test_the_officer_in_the_case_cannot_close(make_referral, officer, now):
    referral = make_referral(case__officer_in_case="PC1001")
    ContactAttemptFactory.create(referral=referral, result=Result.DECLINED)
    with pytest.raises(Refused, match="officer in the case"):
        close_without_contact(referral_id=referral.pk, reason=CloseReason.DECLINED, by=officer, at=now)


def test_another_team_and_the_hcop_cannot_close(log, close, other_officer, hcop):
    log(Result.DECLINED)
    with pytest.raises(Referral.DoesNotExist):
        close(CloseReason.DECLINED, by=other_officer)
    with pytest.raises(NotAllowed):
        close(CloseReason.DECLINED, by=hcop)


def test_a_withdrawal_is_a_row_that_names_the_attempt(referral, log, withdraw, officer, now):
    attempt = log(Result.NO_ANSWER)
    withdrawal = withdraw(attempt)
    assert (withdrawal.withdraws, withdrawal.made_by, withdrawal.logged_at) == (attempt, officer, now)
    assert ContactAttempt.objects.count() == 2
    assert AuditEntry.objects.get(action=Action.ATTEMPT_WITHDRAWN).fields == ["attempt"]
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN


def test_withdrawing_the_contact_that_completed_it_opens_it_again(referral, log, withdraw, officer):
    log(Result.NO_ANSWER)
    withdraw(log(Result.CONTACT_MADE))
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN
    assert referral.closed_at is referral.closed_by is referral.contacted_at is None
    assert referral.taken_by == officer
    log(Result.CONTACT_MADE)
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.COMPLETED


def test_withdrawing_another_attempt_leaves_it_completed(referral, log, withdraw):
    missed = log(Result.NO_ANSWER)
    log(Result.CONTACT_MADE)
    withdraw(missed)
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.COMPLETED


def test_withdrawing_what_showed_the_reason_opens_a_closed_referral(referral, log, close, withdraw):
    declined = log(Result.DECLINED)
    close(CloseReason.DECLINED)
    withdraw(declined)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.OPEN, "")


def test_a_supervisors_unsafe_stands_whatever_is_withdrawn(referral, log, close, withdraw, supervisor):
    missed = log(Result.NO_ANSWER)
    close(CloseReason.UNSAFE, by=supervisor)
    withdraw(missed)
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.CLOSED


@pytest.mark.parametrize("reason", [CloseReason.UNSAFE, CloseReason.DECLINED])
def test_a_contact_entered_by_mistake_on_a_closed_referral_leaves_it_closed_as_it_was(
    referral, log, close, withdraw, supervisor, now, reason
):
    log(Result.DECLINED)
    close(reason, by=supervisor)
    mistake = log(Result.CONTACT_MADE, at=now + timedelta(hours=1), made_at=now + timedelta(hours=1))
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.COMPLETED
    withdraw(mistake)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.CLOSED, reason)
    assert (referral.closed_at, referral.closed_by, referral.contacted_at) == (now, supervisor, None)


def test_each_contact_taken_back_leaves_the_closure_that_it_replaced(
    referral, log, close, withdraw, supervisor, now, forget_history
):
    withdraw(log(Result.DECLINED))
    wrong = log(Result.WRONG_DETAILS)
    close(CloseReason.WRONG_DETAILS, at=now + HOUR)
    withdraw(wrong, at=now + 2 * HOUR)
    log(Result.DECLINED)
    close(CloseReason.DECLINED, by=supervisor, at=now + 3 * HOUR)
    for hours in (4, 6):
        mistake = log(Result.CONTACT_MADE, at=now + hours * HOUR)
        forget_history()
        withdraw(mistake, at=now + (hours + 1) * HOUR)
        referral.refresh_from_db()
        assert (referral.status, referral.close_reason) == (ReferralStatus.CLOSED, CloseReason.DECLINED)
        assert (referral.closed_at, referral.closed_by) == (now + 3 * HOUR, supervisor)
        assert referral.contacted_at is None


def test_a_closure_that_was_undone_before_the_contact_does_not_come_back(
    referral, log, close, withdraw, now, forget_history
):
    declined = log(Result.DECLINED)
    close(CloseReason.DECLINED)
    withdraw(declined, at=now + HOUR)
    mistake = log(Result.CONTACT_MADE, at=now + 2 * HOUR)
    forget_history()
    withdraw(mistake, at=now + 3 * HOUR)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.OPEN, "")


def test_the_database_lets_no_contact_lose_or_make_up_the_closure_it_replaces(
    referral, log, close, supervisor, now
):
    made_up = {"earlier_reason": "declined", "earlier_closed_at": now, "earlier_closed_by": supervisor}
    contact = {"referral": referral, "made_at": now, "result": Result.CONTACT_MADE}

    def assert_refused(**given):
        with pytest.raises(IntegrityError, match="keeps_the_closure_it_replaces"), transaction.atomic():
            ContactAttemptFactory.create(**given)

    assert_refused(**contact, **made_up)
    close(CloseReason.UNSAFE, by=supervisor)
    assert_refused(**contact)
    assert_refused(**contact, **made_up)
    assert_refused(**{**contact, "result": Result.NO_ANSWER}, **{**made_up, "earlier_reason": "unsafe"})
    assert log(Result.CONTACT_MADE).earlier_reason == CloseReason.UNSAFE


def test_it_opens_where_the_reason_of_that_closure_is_withdrawn_too(referral, log, close, withdraw):
    declined = log(Result.DECLINED)
    close(CloseReason.DECLINED)
    mistake = log(Result.CONTACT_MADE)
    withdraw(declined)
    withdraw(mistake)
    referral.refresh_from_db()
    assert (referral.status, referral.closed_at) == (ReferralStatus.OPEN, None)


def test_a_referral_that_is_open_again_gets_the_reminder_it_was_spared(referral, log, withdraw, now, system):
    reminder = NotificationFactory.create(
        referral=referral, kind=MailKind.DUE_SOON, unique_key=f"due_soon:{referral.number}"
    )
    mistake = log(Result.CONTACT_MADE)
    assert not deliver(notification_id=reminder.pk, by=system, at=now + timedelta(minutes=1))
    reminder.refresh_from_db()
    assert reminder.abandoned_at is not None
    withdraw(mistake, at=now + timedelta(minutes=2))
    assert waiting(now + timedelta(minutes=3)).get() == reminder


def test_a_supervisor_may_withdraw_an_officers_attempt_and_a_colleague_may_not(
    log, withdraw, supervisor, colleague
):
    attempt = log(Result.NO_ANSWER)
    with pytest.raises(Refused, match="PC 1001"):
        withdraw(attempt, by=colleague)
    assert withdraw(attempt, by=supervisor).withdraws == attempt


def test_an_attempt_is_withdrawn_once(log, withdraw):
    attempt, key = log(Result.NO_ANSWER), uuid.uuid4()
    first = withdraw(attempt, key=key)
    assert withdraw(attempt, key=key) == first
    with pytest.raises(Refused, match="withdrawn already"):
        withdraw(attempt)
    with pytest.raises(ContactAttempt.DoesNotExist):
        withdraw(first)


def test_a_withdrawal_is_known_by_its_own_key_alone(log, withdraw):
    key = uuid.uuid4()
    attempt, other = log(Result.NO_ANSWER, key=key), log(Result.MESSAGE_LEFT)
    with pytest.raises(Refused, match="open the page again"):
        withdraw(attempt, key=key)
    withdrawal = withdraw(other)
    with pytest.raises(Refused, match="open the page again"):
        withdraw(attempt, key=withdrawal.key)
    with pytest.raises(UsedBefore):
        log(Result.MESSAGE_LEFT, key=withdrawal.key)
    assert [each.withdraws for each in ContactAttempt.objects.filter(withdraws__isnull=False)] == [other]


def test_the_form_of_an_attempt_that_was_withdrawn_is_asked_about(referral, log, withdraw):
    """Its sender would read "contact made", where nothing stands."""
    key = uuid.uuid4()
    withdraw(log(Result.CONTACT_MADE, key=key))
    with pytest.raises(UsedBefore, match=r"was withdrawn since.* save again"):
        log(Result.CONTACT_MADE, key=key)
    assert log(Result.CONTACT_MADE, key=uuid.uuid4())
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.COMPLETED


def test_another_team_and_the_hcop_cannot_withdraw(log, withdraw, other_officer, hcop):
    attempt = log(Result.NO_ANSWER)
    with pytest.raises(ContactAttempt.DoesNotExist):
        withdraw(attempt, by=other_officer)
    with pytest.raises(NotAllowed):
        withdraw(attempt, by=hcop)


def test_what_a_withdrawn_attempt_raised_still_waits(log, withdraw):
    withdraw(log(Result.CONTACT_MADE, follow_ups=[FollowUpKind.THREAT]))
    assert FollowUp.objects.filter(acknowledged_at__isnull=True).count() == 1
