"""Acknowledging follow-ups, saying that they are done, and reminding a team."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier, local

import pytest
from django.db import IntegrityError, connection, transaction

from referrals.contact.actions.follow_ups import acknowledge, chase, finish, undo
from referrals.contact.readers.follow_ups import follow_ups_open
from referrals.models import (
    RESULTS_OF,
    FollowUp,
    FollowUpKind,
    FollowUpResult,
    MailKind,
    Notification,
    OrderReason,
    Referral,
    ReferralStatus,
)
from referrals.review.actions.refer_now import ask_to_ring_again
from src_app.accounts.guards import NotAllowed
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.audit.record import acting
from src_app.busy import SENT_AGAIN_WITHIN
from src_app.refused import Refused
from tests.factories import ContactAttemptFactory, DecisionFactory, FollowUpFactory
from tests.patience import patience

ARRANGED = FollowUpResult.ARRANGED


@pytest.fixture
def follow_up(make_referral):
    return FollowUpFactory.create(attempt=ContactAttemptFactory.create(referral=make_referral()))


@pytest.mark.parametrize("who", ["supervisor", "hcop"])
def test_the_supervisor_or_the_hcop_acknowledges(request, follow_up, now, who):
    user = request.getfixturevalue(who)
    acknowledge(follow_up_id=follow_up.pk, by=user, at=now)
    follow_up.refresh_from_db()
    assert (follow_up.acknowledged_by, follow_up.acknowledged_at) == (user, now)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.purpose) == (Action.FOLLOW_UP_ACKNOWLEDGED, Purpose.SUPERVISION)
    assert follow_up.referral.number in entry.references


def test_the_second_to_acknowledge_is_told_who_was_first(follow_up, supervisor, hcop, now):
    acknowledge(follow_up_id=follow_up.pk, by=hcop, at=now)
    with pytest.raises(Refused, match="HCOP South West acknowledged this"):
        acknowledge(follow_up_id=follow_up.pk, by=supervisor, at=now)
    follow_up.refresh_from_db()
    assert follow_up.acknowledged_by == hcop


def test_acknowledging_twice_changes_nothing(follow_up, hcop, now):
    for _ in range(2):
        acknowledge(follow_up_id=follow_up.pk, by=hcop, at=now)
    assert AuditEntry.objects.count() == 1


def test_a_colleague_may_say_that_it_is_done_and_the_first_to_say_so_stands(follow_up, supervisor, hcop, now):
    acknowledge(follow_up_id=follow_up.pk, by=hcop, at=now)
    finish(follow_up_id=follow_up.pk, result=ARRANGED, by=supervisor, at=now + timedelta(hours=1))
    finish(follow_up_id=follow_up.pk, result=ARRANGED, by=hcop, at=now + timedelta(hours=2))
    follow_up.refresh_from_db()
    assert (follow_up.acknowledged_by, follow_up.done_by) == (hcop, supervisor)
    assert (follow_up.done_at, follow_up.result) == (now + timedelta(hours=1), ARRANGED)
    [entry] = AuditEntry.objects.filter(action=Action.FOLLOW_UP_DONE)
    assert (entry.actor, entry.purpose) == (supervisor, Purpose.SUPERVISION)


def test_what_nobody_took_on_is_not_done(follow_up, hcop, now):
    with pytest.raises(Refused, match="Nobody deals with this yet"):
        finish(follow_up_id=follow_up.pk, result=ARRANGED, by=hcop, at=now)
    follow_up.refresh_from_db()
    assert follow_up.done_at is None


@pytest.fixture
def done(follow_up, supervisor, hcop, now):
    """With the HCOP, and said to be done by the supervisor."""
    acknowledge(follow_up_id=follow_up.pk, by=hcop, at=now)
    return finish(follow_up_id=follow_up.pk, result=ARRANGED, by=supervisor, at=now)


def test_what_was_said_to_be_done_by_mistake_waits_again_with_its_owner(done, supervisor, hcop, now):
    undo(follow_up_id=done.pk, by=supervisor, at=now + timedelta(minutes=59))
    done.refresh_from_db()
    assert (done.done_at, done.done_by, done.result, done.acknowledged_by) == (None, None, "", hcop)
    told = [Action.FOLLOW_UP_DONE, Action.FOLLOW_UP_UNDONE]
    kept = AuditEntry.objects.filter(action__in=told).order_by("pk")
    assert [(entry.action, entry.actor) for entry in kept] == [(each, supervisor) for each in told]
    assert done.referral.number in kept[1].references
    with pytest.raises(Refused, match="It is not done, and waits"):
        undo(follow_up_id=done.pk, by=supervisor, at=now)
    finish(follow_up_id=done.pk, result=ARRANGED, by=hcop, at=now + timedelta(hours=2))


@pytest.mark.parametrize(("who", "after"), [("hcop", 5), ("supervisor", 60)])
def test_nobody_else_undoes_it_and_nobody_after_an_hour(request, done, now, who, after):
    with pytest.raises(Refused, match="only whoever said so can undo it, within an hour"):
        undo(follow_up_id=done.pk, by=request.getfixturevalue(who), at=now + timedelta(minutes=after))
    done.refresh_from_db()
    assert done.done_at is not None


@pytest.fixture
def make_task(hcop, now):
    """Makes a task of the case that the HCOP said is done."""

    def make(case, kind=FollowUpKind.CONTACT_ELSEWHERE, **fields):
        owned = {"acknowledged_at": now, "acknowledged_by": hcop, "raised_at": now, "raised_by": hcop}
        over = {"done_at": now, "done_by": hcop, **fields}
        return FollowUpFactory.create(case=case, referral=None, attempt=None, kind=kind, **owned, **over)

    return make


@pytest.mark.parametrize("now_is", ["waiting again", "suitable", "with a team", "spoken with", "asked again"])
def test_a_contact_that_was_arranged_anew_is_not_asked_for_again(
    make_referral, make_case, make_task, hcop, now, now_is
):
    ended = {"spoken with": {"completed": True}, "with a team": {}}.get(now_is, {"closed": True})
    if now_is in ("waiting again", "suitable"):
        case = make_case(decided_at=now if now_is == "suitable" else None)
    else:
        case = make_referral(**ended).case
    task = make_task(case)
    if now_is == "suitable":
        DecisionFactory.create(case=case)
    if now_is == "asked again":
        make_task(case, done_at=None, done_by=None)
    with pytest.raises(Refused, match="decided anew who contacts the victim"):
        undo(follow_up_id=task.pk, by=hcop, at=now)


def test_a_contact_that_nobody_else_makes_is_asked_for_again(make_referral, make_task, hcop, now):
    task = make_task(make_referral(closed=True).case)
    assert undo(follow_up_id=task.pk, by=hcop, at=now).done_at is None


def test_a_task_that_was_dropped_is_not_undone(make_case, make_task, hcop, now):
    task = make_task(make_case(), FollowUpKind.WISHES_CHANGED, dropped=True)
    with pytest.raises(Refused, match="It stays done"):
        undo(follow_up_id=task.pk, by=hcop, at=now)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_undo_it_at_once_one_is_told_that_it_waits(done, supervisor, now):
    first_look = Barrier(2, timeout=patience(60))

    def wait_before_locking(execute, sql, *rest):
        if "FOR UPDATE" in sql and not looked.seen:
            looked.seen = True
            first_look.wait()
        return execute(sql, *rest)

    looked = local()

    def press(_):
        looked.seen = False
        try:
            with acting("test", by=supervisor), connection.execute_wrapper(wait_before_locking):
                undo(follow_up_id=done.pk, by=supervisor, at=now)
                return ""
        except Refused as refused:
            return str(refused)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as people:
        told = sorted(people.map(press, range(2)))
    assert told[0] == ""
    assert told[1].endswith("It is not done, and waits: nothing was changed.")
    assert AuditEntry.objects.filter(action=Action.FOLLOW_UP_UNDONE).count() == 1


@pytest.mark.parametrize("act", [acknowledge, partial(finish, result=ARRANGED), undo])
def test_an_officer_finds_nothing_that_a_supervisor_has_to_see_to(follow_up, officer, now, act):
    with pytest.raises(FollowUp.DoesNotExist):
        act(follow_up_id=follow_up.pk, by=officer, at=now)


def test_the_hcop_of_another_bcu_finds_no_follow_up(follow_up, north_hcop, now):
    with pytest.raises(FollowUp.DoesNotExist):
        acknowledge(follow_up_id=follow_up.pk, by=north_hcop, at=now)


@pytest.mark.parametrize("who", ["supervisor", "hcop"])
def test_a_reminder_goes_to_the_teams_mailbox_once_a_key(request, make_referral, now, who):
    user, referral, key = request.getfixturevalue(who), make_referral(), uuid.uuid4()
    assert chase(referral_id=referral.pk, key=key, by=user, at=now)
    assert not chase(referral_id=referral.pk, key=key, by=user, at=now)
    mail = Notification.objects.get()
    assert (mail.kind, mail.recipient) == (MailKind.CHASED, referral.team.mailbox)
    assert AuditEntry.objects.get().recipients == [referral.team.mailbox]
    assert chase(referral_id=referral.pk, key=uuid.uuid4(), by=user, at=now)
    assert Notification.objects.count() == 2


def test_a_key_of_another_referral_sends_nothing_and_says_so(make_referral, supervisor, now):
    key = uuid.uuid4()
    chase(referral_id=make_referral().pk, key=key, by=supervisor, at=now)
    with pytest.raises(Refused, match="open the page again"):
        chase(referral_id=make_referral().pk, key=key, by=supervisor, at=now)


def test_a_reminder_asked_for_hours_later_under_the_same_key_is_not_called_sent(
    make_referral, supervisor, now
):
    given = {"referral_id": make_referral().pk, "key": uuid.uuid4(), "by": supervisor}
    chase(at=now, **given)
    assert not chase(at=now + SENT_AGAIN_WITHIN, **given)
    with pytest.raises(Refused, match=r"sent from this page on .*: press “Send a reminder” again"):
        chase(at=now + timedelta(hours=3), **given)
    assert Notification.objects.count() == 1


def test_a_reminder_of_a_referral_that_ended_since_is_not_called_sent(make_referral, supervisor, now):
    referral, key = make_referral(), uuid.uuid4()
    chase(referral_id=referral.pk, key=key, by=supervisor, at=now)
    referral.status, referral.closed_at, referral.closed_by = ReferralStatus.COMPLETED, now, supervisor
    referral.contacted_at = now
    referral.save()
    with pytest.raises(Refused, match="nothing left to remind"):
        chase(referral_id=referral.pk, key=key, by=supervisor, at=now)


@pytest.mark.parametrize("end", ["completed", "closed"])
def test_there_is_no_reminder_of_an_ended_referral(make_referral, supervisor, now, end):
    with pytest.raises(Refused, match="nothing left to remind"):
        chase(referral_id=make_referral(**{end: True}).pk, key=uuid.uuid4(), by=supervisor, at=now)
    assert not Notification.objects.exists()


def test_an_officer_reminds_nobody(make_referral, officer, now):
    with pytest.raises(NotAllowed):
        chase(referral_id=make_referral().pk, key=uuid.uuid4(), by=officer, at=now)


def test_another_bcus_referral_is_not_there_to_remind_of(make_referral, north_hcop, now):
    with pytest.raises(Referral.DoesNotExist):
        chase(referral_id=make_referral().pk, key=uuid.uuid4(), by=north_hcop, at=now)


@pytest.mark.parametrize("kind", FollowUpKind)
def test_each_kind_has_results_and_the_database_takes_no_other(make_referral, kind):
    assert RESULTS_OF[kind]
    assert FollowUpResult.DEALT_WITH not in RESULTS_OF[kind]


@pytest.mark.parametrize("result", ["", FollowUpResult.TAKEN_OVER, FollowUpResult.DEALT_WITH])
def test_a_result_that_is_none_of_its_kind_is_refused(follow_up, supervisor, now, result):
    acknowledge(follow_up_id=follow_up.pk, by=supervisor, at=now)
    with pytest.raises(Refused, match="Choose what came of it"):
        finish(follow_up_id=follow_up.pk, result=result, by=supervisor, at=now)
    done = FollowUp.objects.filter(pk=follow_up.pk)
    if result != FollowUpResult.DEALT_WITH:
        with pytest.raises(IntegrityError, match="follow_up_done_has_a_result"), transaction.atomic():
            done.update(done_at=now, done_by=supervisor, result=result)


@pytest.fixture
def ask_again(make_referral, hcop, now):
    """Asks the officer's team to ring a victim again whom it has spoken with."""

    def ask(reason=OrderReason.HIGH_RISK, **fields):
        referral = make_referral(completed=True, **fields)
        return ask_to_ring_again(case_id=referral.case_id, reason=reason, by=hcop, at=now)

    return ask


def test_the_officer_in_the_case_does_not_ring_again(ask_again, officer, colleague, now):
    task = ask_again(case__officer_in_case="pc 1001")
    with pytest.raises(Refused, match="You are the officer in the case"):
        acknowledge(follow_up_id=task.pk, by=officer, at=now)
    acknowledge(follow_up_id=task.pk, by=colleague, at=now)
    with pytest.raises(Refused, match="You are the officer in the case"):
        finish(follow_up_id=task.pk, result=FollowUpResult.SPOKEN_WITH, by=officer, at=now)
    finish(follow_up_id=task.pk, result=FollowUpResult.SPOKEN_WITH, by=colleague, at=now)


@pytest.mark.parametrize("reason", OrderReason)
@pytest.mark.parametrize("result", [FollowUpResult.NOT_REACHED, FollowUpResult.DECLINED])
def test_a_victim_at_risk_who_was_not_reached_is_the_hcops_to_decide_about(
    ask_again, officer, supervisor, hcop, now, reason, result
):
    task = ask_again(reason)
    acknowledge(follow_up_id=task.pk, by=officer, at=now)
    finish(follow_up_id=task.pk, result=result, by=officer, at=now)
    is_asked = result == FollowUpResult.NOT_REACHED and reason != OrderReason.ASKED_FOR_CONTACT
    asked = [(each.kind, each.raised_by) for each in follow_ups_open(hcop)]
    assert asked == ([(FollowUpKind.NOT_REACHED, officer)] if is_asked else [])
    assert not follow_ups_open(supervisor).exists()
    undo(follow_up_id=task.pk, by=officer, at=now + timedelta(minutes=1))
    assert list(follow_ups_open(hcop)) == [task]
    finish(follow_up_id=task.pk, result=result, by=officer, at=now + timedelta(minutes=2))
    assert follow_ups_open(hcop).exists() == is_asked
