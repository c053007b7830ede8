"""Reading what changed on a referral, and changing restrictions once it is open."""

from datetime import timedelta

import pytest

from referrals.contact.actions.follow_ups import acknowledge, finish
from referrals.contact.actions.notices import read_notices
from referrals.mail.messages import message_of
from referrals.mail.outbox import deliver
from referrals.models import (
    FollowUp,
    FollowUpKind,
    FollowUpResult,
    MailKind,
    Noticed,
    Notification,
    OrderReason,
    Referral,
    ReferralNotice,
    Restriction,
    TextKind,
)
from referrals.review.actions import drafts
from referrals.review.actions.refer_now import ask_to_ring_again
from src_app.accounts.guards import NotAllowed
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.factories import ReferralNoticeFactory


@pytest.fixture
def referral(make_referral, officer, now):
    """Taken by the officer."""
    return make_referral(taken_by=officer, taken_at=now - timedelta(minutes=10))


@pytest.fixture
def read(now):
    """Says that these were read."""

    def read(by, *notices, at=now):
        ids = [notice.pk for notice in notices]
        return read_notices(referral_id=notices[0].referral_id, notice_ids=ids, by=by, at=at)

    return read


def test_the_taker_says_once_that_it_was_read(referral, read, officer, now):
    notice = ReferralNoticeFactory.create(referral=referral)
    assert read(officer, notice) == 1
    assert read(officer, notice, at=now + timedelta(minutes=1)) == 0
    notice.refresh_from_db()
    assert (notice.read_at, notice.read_by) == (now, officer)
    entry = AuditEntry.objects.get(action=Action.CHANGE_READ)
    assert entry.references == [referral.number, referral.case.crime_reference]


def test_what_came_after_the_page_was_opened_stays_unread(referral, read, officer):
    seen, later = ReferralNoticeFactory.create_batch(2, referral=referral)
    read(officer, seen)
    later.refresh_from_db()
    assert later.read_at is None


def test_a_colleague_is_told_who_reads_it_and_a_supervisor_may(referral, read, colleague, supervisor):
    notice = ReferralNoticeFactory.create(referral=referral)
    with pytest.raises(Refused, match="PC 1001 has"):
        read(colleague, notice)
    assert read(supervisor, notice) == 1


def test_anybody_of_the_team_reads_what_nobody_has_taken(make_referral, read, colleague):
    assert read(colleague, ReferralNoticeFactory.create(referral=make_referral())) == 1


def test_a_notice_of_another_referral_is_not_read_with_it(referral, make_referral, officer, now):
    other = ReferralNoticeFactory.create(referral=make_referral())
    assert read_notices(referral_id=referral.pk, notice_ids=[other.pk], by=officer, at=now) == 0
    other.refresh_from_db()
    assert other.read_at is None


def test_another_team_and_the_hcop_cannot_read_it(referral, read, other_officer, hcop):
    notice = ReferralNoticeFactory.create(referral=referral)
    with pytest.raises(Referral.DoesNotExist):
        read(other_officer, notice)
    with pytest.raises(NotAllowed):
        read(hcop, notice)


def _set(case, by, at, restrictions=(Restriction.NO_HOME_VISIT,), note="Two dogs"):
    case.refresh_from_db()
    seen = case.restrictions_set_at
    drafts.set_safety(case_id=case.pk, restrictions=list(restrictions), note=note, seen=seen, by=by, at=at)


def test_restrictions_of_an_open_referral_are_changed_and_told(referral, hcop, now):
    _set(referral.case, hcop, now)
    referral.case.refresh_from_db()
    assert referral.case.restrictions == [Restriction.NO_HOME_VISIT]
    assert referral.case.texts.get(kind=TextKind.REVIEW_SAFETY).body == "Two dogs"
    notice = ReferralNotice.objects.get()
    assert notice.changed == [Noticed.RESTRICTIONS, Noticed.REVIEW_SAFETY]
    assert (notice.referral, notice.noticed_by) == (referral, hcop)
    mail = Notification.objects.get()
    assert (mail.kind, mail.recipient) == (MailKind.REFERRAL_CHANGED, referral.team.mailbox)
    assert AuditEntry.objects.filter(action=Action.RESTRICTIONS_SET).count() == 1


def test_setting_what_is_set_already_tells_nobody(referral, hcop, now):
    _set(referral.case, hcop, now)
    _set(referral.case, hcop, now + timedelta(minutes=1))
    assert ReferralNotice.objects.count() == 1


def test_before_the_decision_there_is_nobody_to_tell(make_case, hcop, now):
    _set(make_case(), hcop, now)
    assert not ReferralNotice.objects.exists()


def test_the_mail_about_a_change_is_given_up_once_the_referral_has_ended(referral, hcop, system, now):
    _set(referral.case, hcop, now)
    mail = Notification.objects.get()
    Referral.objects.filter(pk=referral.pk).update(
        status="closed", close_reason="no_reply", closed_at=now, closed_by=hcop
    )
    assert not deliver(notification_id=mail.pk, by=system, at=now + timedelta(minutes=1))
    mail.refresh_from_db()
    assert mail.abandoned_at is not None


@pytest.fixture
def ring_again(make_referral, officer, hcop, now):
    """The officer's task to ring a victim again whom the team has spoken with."""
    referral = make_referral(completed=True)
    task = ask_to_ring_again(case_id=referral.case_id, reason=OrderReason.HIGH_RISK, by=hcop, at=now)
    return acknowledge(follow_up_id=task.pk, by=officer, at=now)


def test_whoever_is_to_ring_again_is_told_of_new_restrictions(
    ring_again, read, officer, colleague, hcop, now
):
    referral = ring_again.referral
    _set(referral.case, hcop, now + timedelta(minutes=1), restrictions=[Restriction.NO_VOICEMAIL])
    notice = ReferralNotice.objects.get()
    assert notice.changed == [Noticed.RESTRICTIONS, Noticed.REVIEW_SAFETY]
    mail = Notification.objects.get(kind=MailKind.RING_AGAIN_CHANGED)
    assert mail.recipient == referral.team.mailbox
    assert "before anybody rings" in message_of(mail).body
    assert FollowUp.objects.get() == ring_again
    with pytest.raises(Refused, match="PC 1001 has"):
        read(colleague, notice)
    assert read(officer, notice) == 1


def test_the_mail_about_a_change_is_given_up_once_the_victim_was_rung(ring_again, officer, hcop, system, now):
    _set(ring_again.referral.case, hcop, now)
    finish(follow_up_id=ring_again.pk, result=FollowUpResult.SPOKEN_WITH, by=officer, at=now)
    mail = Notification.objects.get(kind=MailKind.RING_AGAIN_CHANGED)
    assert not deliver(notification_id=mail.pk, by=system, at=now + timedelta(minutes=1))
    _set(ring_again.referral.case, hcop, now + timedelta(minutes=2), note="Three dogs")
    assert ReferralNotice.objects.count() == 1
    asked = FollowUp.objects.get(done_at=None)
    assert asked.kind == FollowUpKind.RESTRICTIONS_CHANGED
    assert asked.acknowledge_by - asked.raised_at == timedelta(hours=4)
