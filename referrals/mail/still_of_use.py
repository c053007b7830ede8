"""Whether what a message tells of still holds when its turn comes."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from referrals.deadlines.readers import late_decisions
from referrals.mail.keys import TO_HCOP, TO_SUPERVISOR, TO_TAKER, bcu_of, call_back_key
from referrals.models import (
    AccessReview,
    BcuMembership,
    ContactAttempt,
    Digest,
    FollowUp,
    MailKind,
    Notification,
    Referral,
    ReferralStatus,
    TeamMembership,
    TrialStatus,
)
from src_app.accounts.models import User

# Of no use once the referral is closed.
REMINDERS = (MailKind.DUE_SOON, MailKind.OVERDUE, MailKind.CHASED, MailKind.REFERRAL_CHANGED)
# They come again once the clock goes on.
_OF_THE_CLOCK = (MailKind.DUE_SOON, MailKind.OVERDUE)
_OF_AN_ATTEMPT = (MailKind.NOTE_RECORD, MailKind.OFFICER_IN_CASE)
_OF_RING_AGAIN = (MailKind.RING_AGAIN, MailKind.RING_AGAIN_CHANGED, MailKind.RING_NO_MORE)
_CLOSED = (MailKind.CLOSED_BY_RECORD, MailKind.CLOSED_BY_HCOP)


def is_of_no_use(notification: Notification, at: datetime) -> bool:
    """Whether what it tells of is over: a referral, review or fault that ended, a trial that waits not."""
    if notification.digest is not None:
        return _is_stale(notification.digest, notification.recipient, at)
    if notification.kind == MailKind.DECISION_LATE:
        bcu = bcu_of(notification)
        return bcu is None or not late_decisions(bcu, at).exists()
    if notification.kind == MailKind.FAULT:
        return notification.fault is None or notification.fault.ended_at is not None
    if notification.kind == MailKind.ACCESS_REVIEW:
        # Of the review that was started then: at most one is open.
        started = Q(started_at__lte=notification.created_at, ended_at=None)
        return not AccessReview.objects.filter(started).exists()
    if notification.mailbox_test is not None:
        return notification.mailbox_test.replaced or notification.mailbox_test.confirmed_at is not None
    if notification.kind == MailKind.TRIAL_PROPOSED:
        trial = notification.trial
        return trial is None or trial.proposed_at is None or trial.status != TrialStatus.DRAFT
    referral = notification.referral
    return referral is not None and _is_over(notification, referral, at)


def _is_over(notification: Notification, referral: Referral, at: datetime) -> bool:
    """The same of what is about a referral."""
    is_open = referral.status == ReferralStatus.OPEN
    if notification.kind == MailKind.HOLDER_AWAY:
        is_with_somebody = referral.taken_by is not None
        return not is_open or is_with_somebody or _is_for_others(notification, referral, at)
    if notification.kind == MailKind.CALL_BACK:
        is_asked = referral.call_back_at is not None
        if not is_open or not is_asked or not notification.unique_key.startswith(call_back_key(referral)):
            return True
    stopped_until = referral.stopped_until
    if notification.kind in _OF_THE_CLOCK and stopped_until is not None and at < stopped_until:
        return True
    if notification.kind == MailKind.GIVEN or TO_TAKER in notification.unique_key:
        # For whoever has it, and for nobody who had it.
        holder = referral.taken_by
        return not is_open or holder is None or holder.email != notification.recipient
    if notification.kind in _OF_AN_ATTEMPT:
        return not _attempt_of(notification).exists() or _is_nobodys(notification.recipient)
    if notification.kind in _OF_RING_AGAIN:
        # What was asked may have been taken back, and asked again, before the team was told.
        is_asked = FollowUp.objects.filter(FollowUp.is_to_ring_again(), referral=referral).exists()
        return is_asked == (notification.kind == MailKind.RING_NO_MORE)
    if notification.kind not in (*REMINDERS, *_CLOSED):
        return False
    if notification.kind in REMINDERS and _is_for_others(notification, referral, at):
        return True
    # A referral may have been opened again before its closing was told.
    return is_open == (notification.kind in _CLOSED)


def _attempt_of(notification: Notification) -> QuerySet[ContactAttempt]:
    """The attempt of which it tells, if that still holds."""
    attempt = notification.unique_key.removeprefix(f"{notification.kind}:")
    if notification.kind == MailKind.NOTE_RECORD:
        return ContactAttempt.objects.filter(ContactAttempt.is_to_note(), pk=attempt)
    return ContactAttempt.objects.filter(key=attempt, withdrawn_by__isnull=True)


def _is_for_others(notification: Notification, referral: Referral, at: datetime) -> bool:
    """Whether it is for a mailbox, a supervisor or an HCOP of a team or BCU that had the referral before."""
    recipient, day = notification.recipient, timezone.localdate(at)
    in_charge = Q(user__email=recipient, user__is_active=True)
    if TO_SUPERVISOR in notification.unique_key:
        of_team = TeamMembership.objects.filter(TeamMembership.current(day), in_charge, team=referral.team)
        return not of_team.exists()
    if TO_HCOP in notification.unique_key:
        bcu = referral.ward.borough.bcu_id
        return not BcuMembership.objects.filter(BcuMembership.current(day), in_charge, bcu=bcu).exists()
    return recipient != referral.team.mailbox


def _is_nobodys(address: str) -> bool:
    """Whether no open account has that address any more."""
    return not User.objects.filter(email=address, is_active=True).exists()


def _is_stale(digest: Digest, recipient: str, at: datetime) -> bool:
    """Whether its day is over, or whoever chose it wants it no more or is there no more."""
    user = digest.choice.user
    has_left = user is not None and (not user.is_active or user.email != recipient)
    return digest.until < at or digest.choice.ended_at is not None or has_left
