"""Logging attempts: what completes a referral, what is refused, what is told to whom."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from unittest import mock

import pytest
from django.db import connection
from psycopg2 import sql

from referrals.contact.actions import referral_lock
from referrals.contact.actions.attempts import UsedBefore, log_attempt, settle_attempt, withdraw_attempt
from referrals.models import (
    CloseReason,
    ContactAttempt,
    FollowUp,
    FollowUpKind,
    MailKind,
    Method,
    MinutesSpent,
    Notification,
    PersonalText,
    Referral,
    ReferralStatus,
    Restriction,
    Result,
    SettledAttempt,
    TeamMembership,
    TextKind,
)
from referrals.rules.contact import LONGEST_CALL_BACK
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.busy import SENT_AGAIN_WITHIN
from src_app.refused import Refused
from tests.factories import BcuMembershipFactory, UserFactory
from tests.patience import patience


@pytest.fixture
def log(officer, now):
    """Logs an attempt of the officer, by telephone unless said otherwise."""

    def log(referral, result, **given):
        given = {
            "key": uuid.uuid4(),
            "method": Method.TELEPHONE,
            "made_at": now,
            "by": officer,
            "at": now,
            **given,
        }
        return log_attempt(referral_id=referral.pk, result=result, **given)

    return log


def test_contact_made_completes_the_referral_at_the_time_of_the_conversation(
    make_referral, log, officer, now
):
    referral = make_referral()
    earlier = now - timedelta(minutes=40)
    log(referral, Result.CONTACT_MADE, made_at=earlier, risk_assessment=True, with_interpreter=True)
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.COMPLETED
    assert (referral.contacted_at, referral.closed_at, referral.closed_by) == (earlier, now, officer)
    assert (referral.taken_by, referral.taken_at) == (officer, now)
    attempt = referral.attempts.get()
    assert (attempt.made_at, attempt.logged_at, attempt.made_by) == (earlier, now, officer)
    assert attempt.risk_assessment
    assert attempt.with_interpreter
    assert not attempt.barred_method
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert actions == {Action.REFERRAL_TAKEN, Action.ATTEMPT_LOGGED, Action.REFERRAL_COMPLETED}


@pytest.mark.parametrize("result", [each for each in Result if each != Result.CONTACT_MADE])
def test_nothing_but_a_conversation_completes_it(make_referral, log, officer, result):
    referral = make_referral()
    log(referral, result)
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN
    assert referral.contacted_at is None
    assert referral.taken_by == officer


def test_a_colleague_may_log_and_the_referral_stays_with_whoever_took_it(
    make_referral, log, officer, colleague, now
):
    referral = make_referral(taken_by=colleague, taken_at=now)
    log(referral, Result.NO_ANSWER)
    referral.refresh_from_db()
    assert referral.taken_by == colleague


def test_a_double_tap_makes_one_row(make_referral, log):
    referral, key = make_referral(), uuid.uuid4()
    first = log(referral, Result.CONTACT_MADE, key=key, follow_ups=[FollowUpKind.STATEMENT], note="Later")
    rows = AuditEntry.objects.count()
    again = log(referral, Result.CONTACT_MADE, key=key, follow_ups=[FollowUpKind.STATEMENT], note="Later")
    assert again == first
    assert ContactAttempt.objects.count() == FollowUp.objects.count() == 1
    assert PersonalText.objects.count() == 1
    assert AuditEntry.objects.count() == rows


@pytest.mark.parametrize(
    "other",
    [
        {"result": Result.CONTACT_MADE},
        {"method": Method.VIDEO},
        {"note": "Threat by a neighbour"},
        {"note": ""},
        {"follow_ups": [FollowUpKind.THREAT]},
        {"follow_ups": []},
        {"support_offered": True},
        {"support_taken_up": True},
        {"minutes_spent": MinutesSpent.TO_15},
        {"risk_assessment": True},
        {"with_interpreter": True},
        {"noted_on_record": True},
        {"ago": timedelta(minutes=5)},
    ],
    ids=str,
)
def test_other_answers_under_the_same_key_are_neither_taken_for_the_first_nor_kept(
    make_referral, log, now, other
):
    referral, key = make_referral(), uuid.uuid4()
    answers = {"result": Result.CALL_BACK, "note": "Later", "follow_ups": [FollowUpKind.STATEMENT]}
    log(referral, key=key, **answers)
    rows = AuditEntry.objects.count()
    answers |= other
    answers["made_at"] = now - answers.pop("ago", timedelta())
    with pytest.raises(UsedBefore, match=r"“Telephone: Asked to be called back” of .* save again"):
        log(referral, key=key, **answers)
    assert AuditEntry.objects.count() == rows
    log(referral, key=uuid.uuid4(), **answers)
    assert referral.attempts.count() == 2


def test_a_colleague_with_the_same_key_is_not_told_that_theirs_is_saved(make_referral, log, colleague):
    referral, key = make_referral(), uuid.uuid4()
    log(referral, Result.NO_ANSWER, key=key)
    with pytest.raises(UsedBefore):
        log(referral, Result.NO_ANSWER, key=key, by=colleague)


def test_sent_again_within_minutes_without_a_time_it_is_the_same_attempt(make_referral, log, now):
    referral, key, later = make_referral(), uuid.uuid4(), now + SENT_AGAIN_WITHIN
    first = log(referral, Result.NO_ANSWER, key=key)
    assert log(referral, Result.NO_ANSWER, key=key, made_at=later, at=later) == first
    with pytest.raises(UsedBefore):
        log(referral, Result.NO_ANSWER, key=key, made_at=now - timedelta(minutes=9), at=later)


def test_sent_again_hours_later_without_a_time_it_is_asked_about(make_referral, log, now):
    referral, key, later = make_referral(), uuid.uuid4(), now + timedelta(hours=3)
    log(referral, Result.NO_ANSWER, key=key)
    with pytest.raises(UsedBefore, match="save again to add it as another attempt"):
        log(referral, Result.NO_ANSWER, key=key, made_at=later, at=later)


def test_sent_again_hours_later_with_its_time_it_is_the_same_attempt(make_referral, log, now):
    referral, given = make_referral(), {"key": uuid.uuid4(), "made_at": now - timedelta(minutes=9)}
    first = log(referral, Result.NO_ANSWER, **given)
    assert log(referral, Result.NO_ANSWER, at=now + timedelta(hours=3), **given) == first


def test_sent_again_after_a_barred_way_was_used_it_is_the_same_attempt(make_referral, log):
    referral, key = make_referral(case__restrictions=[Restriction.NO_HOME_VISIT]), uuid.uuid4()
    first = log(referral, Result.NO_ANSWER, key=key, method=Method.HOME_VISIT)
    assert log(referral, Result.NO_ANSWER, key=key, method=Method.HOME_VISIT) == first
    assert first.barred_method


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_the_same_moment_make_one_row(make_referral, officer, now):
    referral, key, both = make_referral(), uuid.uuid4(), Barrier(2, timeout=patience(60))

    def tap(_number):
        with acting("test", by=officer):
            both.wait()
            attempt = log_attempt(
                referral_id=referral.pk,
                key=key,
                method=Method.TELEPHONE,
                result=Result.CONTACT_MADE,
                made_at=now,
                by=officer,
                at=now,
            )
        connection.close()
        return attempt.pk

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(tap, range(2))
    assert first == second
    assert ContactAttempt.objects.count() == 1


def test_a_key_of_another_referral_is_asked_about(make_referral, log):
    key = uuid.uuid4()
    log(make_referral(), Result.NO_ANSWER, key=key)
    with pytest.raises(UsedBefore, match=r"another referral.* save again"):
        log(make_referral(), Result.NO_ANSWER, key=key)


def test_a_completed_referral_takes_no_more_attempts(make_referral, log):
    referral = make_referral(completed=True)
    for result in (Result.NO_ANSWER, Result.CONTACT_MADE):
        with pytest.raises(Refused, match="nothing more to do"):
            log(referral, result)
    assert not ContactAttempt.objects.exists()


def test_a_closed_referral_takes_a_contact_made_after_all_and_nothing_else(make_referral, log, now):
    referral = make_referral(
        closed=True, closed_at=now, close_reason=CloseReason.DECLINED, made_at=now - timedelta(days=1)
    )
    with pytest.raises(Refused, match="nothing more to do"):
        log(referral, Result.NO_ANSWER)
    log(referral, Result.CONTACT_MADE)
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason) == (ReferralStatus.COMPLETED, "")
    assert referral.contacted_at == now


@pytest.mark.parametrize(
    ("offset", "words"),
    [(timedelta(minutes=1), "still to come"), (timedelta(hours=-2), "cannot be earlier")],
)
def test_a_conversation_before_the_referral_or_in_the_future_is_refused(
    make_referral, log, now, offset, words
):
    referral = make_referral()
    with pytest.raises(Refused, match=words):
        log(referral, Result.CONTACT_MADE, made_at=now + offset)
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN
    assert referral.taken_by is None


def test_the_result_must_fit_what_came_up(make_referral, log):
    with pytest.raises(Refused, match="nobody was spoken to"):
        log(make_referral(), Result.NO_ANSWER, follow_ups=[FollowUpKind.STATEMENT])
    assert not FollowUp.objects.exists()


def test_the_officer_in_the_case_cannot_log(make_referral, log):
    with pytest.raises(Refused, match="officer in the case"):
        log(make_referral(case__officer_in_case="pc 1001"), Result.CONTACT_MADE)
    assert not ContactAttempt.objects.exists()


def test_another_teams_referral_is_not_there(make_referral, log, other_officer):
    with pytest.raises(Referral.DoesNotExist):
        log(make_referral(), Result.NO_ANSWER, by=other_officer)


def test_the_hcop_logs_no_contact(make_referral, log, hcop):
    with pytest.raises(NotAllowed):
        log(make_referral(), Result.NO_ANSWER, by=hcop)


@pytest.mark.parametrize(
    ("restriction", "method", "result"),
    [
        (Restriction.NO_HOME_VISIT, Method.HOME_VISIT, Result.CONTACT_MADE),
        (Restriction.NO_VOICEMAIL, Method.TELEPHONE, Result.MESSAGE_LEFT),
    ],
)
def test_a_barred_way_is_recorded_and_told_to_the_supervisor(make_referral, log, restriction, method, result):
    referral = make_referral(case__restrictions=[restriction])
    attempt = log(referral, result, method=method)
    assert attempt.barred_method
    assert FollowUp.objects.get().kind == FollowUpKind.BARRED_METHOD
    mail = Notification.objects.get()
    assert (mail.kind, mail.recipient) == (MailKind.BARRED_METHOD, referral.team.mailbox)
    assert AuditEntry.objects.get(action=Action.MAIL_QUEUED).recipients == [referral.team.mailbox]


def test_a_way_that_is_not_barred_alerts_nobody(make_referral, log):
    log(make_referral(case__restrictions=[Restriction.NO_HOME_VISIT]), Result.NO_ANSWER)
    assert not FollowUp.objects.exists()
    assert not Notification.objects.exists()


def test_what_the_victim_said_becomes_a_task_each(make_referral, log, officer, now):
    kinds = [FollowUpKind.STATEMENT, FollowUpKind.WITHDRAW, FollowUpKind.NEW_OFFENCE, FollowUpKind.THREAT]
    attempt = log(make_referral(), Result.CONTACT_MADE, follow_ups=[*kinds, FollowUpKind.THREAT])
    raised = FollowUp.objects.filter(attempt=attempt, raised_by=officer, raised_at=now)
    assert set(raised.values_list("kind", flat=True)) == set(kinds)
    assert raised.filter(acknowledged_at__isnull=True).count() == len(kinds)
    assert AuditEntry.objects.filter(action=Action.FOLLOW_UP_RAISED).count() == 1
    mail = Notification.objects.get()
    assert (mail.kind, mail.recipient) == (MailKind.FOLLOW_UP, attempt.referral.team.mailbox)


def test_a_note_is_kept_where_it_can_be_erased_and_nowhere_else(make_referral, log):
    referral = make_referral()
    attempt = log(referral, Result.NO_ANSWER, note="  Ring after the school run  ")
    assert attempt.note.body == "Ring after the school run"
    assert (attempt.note.kind, attempt.note.case) == (TextKind.ATTEMPT_NOTE, referral.case)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            rows = sql.SQL("SELECT count(*) FROM {} t WHERE t::text LIKE %s").format(sql.Identifier(table))
            cursor.execute(rows, ["%school run%"])
            if cursor.fetchone()[0]:
                found.append(table)
    assert found == ["referrals_personaltext"]


def test_an_empty_note_makes_no_row(make_referral, log):
    assert log(make_referral(), Result.NO_ANSWER, note="  ").note is None
    assert not PersonalText.objects.exists()


def test_where_the_audit_row_cannot_be_written_nothing_has_happened(make_referral, log):
    referral = make_referral(case__restrictions=[Restriction.NO_HOME_VISIT])
    with (
        mock.patch.object(referral_lock, "record", side_effect=[None, None, None, RuntimeError("full")]),
        pytest.raises(RuntimeError, match="full"),
    ):
        log(referral, Result.CONTACT_MADE, method=Method.HOME_VISIT, note="x")
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN
    assert referral.taken_by is None
    for model in (ContactAttempt, FollowUp, PersonalText, Notification):
        assert not model.objects.exists()


def test_what_an_attempt_left_to_do_is_settled_once_by_whoever_is_first(
    make_referral, log, officer, colleague, now
):
    attempt = log(make_referral(), Result.CONTACT_MADE)
    for by, hours in ((colleague, 1), (officer, 2)):
        settled = settle_attempt(attempt_id=attempt.pk, by=by, at=now + timedelta(hours=hours))
        assert (settled.settled_by, settled.settled_at) == (colleague, now + timedelta(hours=1))
    [entry] = AuditEntry.objects.filter(action=Action.ATTEMPT_SETTLED)
    assert entry.references == [attempt.referral.number, attempt.referral.case.crime_reference]


def test_a_withdrawn_attempt_is_not_settled_nor_another_teams(
    make_referral, log, officer, other_officer, hcop, now
):
    attempt = log(make_referral(), Result.CONTACT_MADE)
    with pytest.raises(ContactAttempt.DoesNotExist):
        settle_attempt(attempt_id=attempt.pk, by=other_officer, at=now)
    with pytest.raises(NotAllowed):
        settle_attempt(attempt_id=attempt.pk, by=hcop, at=now)
    withdraw_attempt(attempt_id=attempt.pk, key=uuid.uuid4(), by=officer, at=now)
    with pytest.raises(Refused, match="was withdrawn"):
        settle_attempt(attempt_id=attempt.pk, by=officer, at=now)
    assert not SettledAttempt.objects.exists()


def test_a_call_back_stands_until_the_next_attempt_or_its_withdrawal(make_referral, log, officer, now):
    referral, asked = make_referral(), now + timedelta(hours=7)
    first = log(referral, Result.CALL_BACK, call_back_at=asked)
    referral.refresh_from_db()
    assert (referral.call_back_at, referral.act_by) == (asked, min(asked, referral.due_at))
    second = log(referral, Result.NO_ANSWER, made_at=now)
    referral.refresh_from_db()
    assert (referral.call_back_at, referral.act_by) == (None, referral.due_at)
    for attempt, left in ((second, asked), (first, None)):
        withdraw_attempt(attempt_id=attempt.pk, key=uuid.uuid4(), by=officer, at=now)
        referral.refresh_from_db()
        assert referral.call_back_at == left


@pytest.mark.parametrize(
    ("result", "ahead", "words"),
    [
        (Result.CALL_BACK, timedelta(), "still to come"),
        (Result.CALL_BACK, LONGEST_CALL_BACK + timedelta(minutes=1), "stop the clock"),
        (Result.NO_ANSWER, timedelta(hours=1), "goes with the result"),
    ],
)
def test_a_call_back_is_asked_for_and_neither_past_nor_far(make_referral, log, now, result, ahead, words):
    with pytest.raises(Refused, match=words):
        log(make_referral(), result, call_back_at=now + ahead)
    assert not ContactAttempt.objects.exists()


def test_support_that_was_taken_up_was_offered(make_referral, log):
    attempt = log(make_referral(), Result.CONTACT_MADE, support_taken_up=True)
    assert attempt.support_offered
    with pytest.raises(Refused, match="nobody was spoken to"):
        log(make_referral(), Result.NO_ANSWER, support_taken_up=True)


@pytest.mark.parametrize(
    ("named", "follow_up", "is_told"),
    [
        ("pc 4242 SW", FollowUpKind.STATEMENT, True),
        ("PC4242SW", FollowUpKind.WITHDRAW, True),
        ("PC 4242SW", None, False),
        ("PC 9999", FollowUpKind.STATEMENT, False),
        ("", FollowUpKind.STATEMENT, False),
    ],
)
def test_the_officer_in_the_case_is_told_of_what_is_theirs_where_an_address_is_known(
    make_referral, log, named, follow_up, is_told
):
    UserFactory.create(display_name="PC 4242SW", email="pc4242@example.police.uk")
    referral = make_referral(case__officer_in_case=named)
    log(referral, Result.CONTACT_MADE, follow_ups=[follow_up] if follow_up else [])
    told = Notification.objects.filter(kind=MailKind.OFFICER_IN_CASE).values_list("recipient", flat=True)
    assert list(told) == ["pc4242@example.police.uk"] * is_told


def test_what_came_up_is_told_to_those_who_can_act_beside_the_mailbox(
    make_referral, log, supervisor, hcop, north_hcop, colleague, now
):
    for user in (supervisor, hcop, north_hcop, colleague):
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@example.police.uk")
    referral = make_referral()
    log(referral, Result.CONTACT_MADE, follow_ups=[FollowUpKind.THREAT])
    told = set(Notification.objects.values_list("recipient", flat=True))
    at_work = {f"{user.username}@example.police.uk" for user in (supervisor, hcop)}
    assert told == {referral.team.mailbox, *at_work}
    kept = [
        name for entry in AuditEntry.objects.filter(action=Action.MAIL_QUEUED) for name in entry.recipients
    ]
    assert set(kept) == {referral.team.mailbox, supervisor.username, hcop.username}
    # Nobody is told of what they logged themselves.
    log(make_referral(), Result.CONTACT_MADE, follow_ups=[FollowUpKind.THREAT], by=supervisor)
    assert Notification.objects.filter(recipient__startswith=supervisor.username).count() == 1


def test_a_threat_goes_to_a_supervisor_of_the_bcu_where_the_team_has_none(
    make_referral, log, supervisor, world, now
):
    User.objects.filter(pk=supervisor.pk).update(email="inspector@example.police.uk")
    TeamMembership.objects.filter(user=supervisor).update(ends_on=now.date())
    BcuMembershipFactory.create(user=supervisor, bcu=world.south_west)
    log(make_referral(), Result.NO_ANSWER, follow_ups=[FollowUpKind.THREAT])
    assert Notification.objects.filter(recipient="inspector@example.police.uk").exists()
