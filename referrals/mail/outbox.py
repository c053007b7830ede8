"""Mail as an outbox with leases: written with what causes it, claimed, sent outside any transaction."""

import math
import smtplib
import socket
import time
import uuid
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from referrals.mail.messages import message_of
from referrals.models import (
    AccessReview,
    Fault,
    MailboxTest,
    MailKind,
    Notification,
    PlaceMove,
    Referral,
    ReferralStatus,
    Team,
    Trial,
    TrialNotice,
    TrialStatus,
)
from src_app.accounts.models import User
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.breaker import Breaker
from src_app.database import MAIL_SWEEP_LOCK, try_advisory_lock
from src_app.task_queue import send_task

log = structlog.get_logger()

# Of no use once the referral is closed.
_CLOSED = (MailKind.CLOSED_BY_RECORD, MailKind.CLOSED_BY_HCOP)
# They come again once the clock goes on.
_OF_THE_CLOCK = (MailKind.DUE_SOON, MailKind.OVERDUE)
REMINDERS = (MailKind.DUE_SOON, MailKind.OVERDUE, MailKind.CHASED, MailKind.REFERRAL_CHANGED)
LONGEST_WAIT = timedelta(hours=1)
# A sweep ends before the next one comes.
LONGEST_SWEEP = timedelta(seconds=25)
# The server said no, or was never reached, or the message never left: it has not taken it.
_NOT_TAKEN = (
    smtplib.SMTPResponseException,
    smtplib.SMTPRecipientsRefused,
    ConnectionRefusedError,
    socket.gaierror,
    ValueError,
)
# The server answered, and said no to this message alone.
_OF_THIS_MESSAGE = (
    smtplib.SMTPSenderRefused,
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPNotSupportedError,
)
# How the key of a reminder to whoever has the referral ends, and what is in one to somebody in charge.
TO_TAKER = ":taker"
TO_SUPERVISOR, TO_HCOP = ":supervisor:", ":hcop:"
_MAIL_SERVER = Breaker("the mail server", rest=20)


def queue(
    *,
    kind: MailKind,
    referral: Referral | None = None,
    trial_notice: TrialNotice | None = None,
    trial: Trial | None = None,
    fault: Fault | None = None,
    mailbox_test: MailboxTest | None = None,
    place_move: PlaceMove | None = None,
    recipient: str,
    unique_key: str,
    at: datetime,
) -> bool:
    """Puts one message to one recipient in the outbox; call it in the transaction that causes it.

    Returns whether it is new: the same ``unique_key`` is queued once for ever. The worker is told after
    commit; if it cannot be told, the next sweep finds the message.
    """
    notification, made = Notification.objects.get_or_create(
        unique_key=unique_key,
        defaults={
            "message_id": f"<{uuid.uuid4()}@{settings.MAIL_DOMAIN}>",
            "kind": kind,
            "recipient": recipient,
            "referral": referral,
            "trial_notice": trial_notice,
            "trial": trial,
            "fault": fault,
            "mailbox_test": mailbox_test,
            "place_move": place_move,
            "created_at": at,
            "not_before": at,
        },
    )
    if made:
        task = "referrals.tasks.deliver_mail"
        transaction.on_commit(lambda: send_task(task, notification.pk), robust=True)
    return made


def call_back_key(referral: Referral) -> str:
    """What the key of the reminder of this call back begins with: one that was asked for anew has another."""
    assert referral.call_back_at is not None
    return f"{MailKind.CALL_BACK}:{referral.number}:{math.floor(referral.call_back_at.timestamp())}"


def _waiting(at: datetime) -> QuerySet[Notification]:
    return Notification.objects.filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=at),
        sent_at__isnull=True,
        abandoned_at__isnull=True,
        not_before__lte=at,
    )


def waiting_ids(*, at: datetime, limit: int = 500) -> list[int]:
    """Messages nobody is sending, oldest first: what a dead worker or a lost task left behind."""
    return list(_waiting(at).order_by("not_before", "id").values_list("pk", flat=True)[:limit])


def deliver_new(*, notification_id: int, by: User) -> None:
    """Sends one message now, or leaves it to the sweep where the mail server has just failed."""
    if _MAIL_SERVER.lets_through():
        deliver(notification_id=notification_id, by=by)


def deliver_waiting(*, by: User) -> None:
    """The sweep: sends what waits, oldest first, for ``LONGEST_SWEEP`` and one message at most.

    One at a time: nothing where another one is at work. It ends at the first failure of the mail server, so
    that each of many messages does not wait for the same server; the next sweep begins with another message.
    """
    with try_advisory_lock(MAIL_SWEEP_LOCK) as is_alone:
        if not is_alone:
            return
        ends_at = time.monotonic() + LONGEST_SWEEP.total_seconds()
        for notification_id in waiting_ids(at=timezone.now()):
            if time.monotonic() > ends_at or not _MAIL_SERVER.lets_through():
                return
            deliver(notification_id=notification_id, by=by)


def deliver(*, notification_id: int, by: User, at: datetime | None = None) -> bool:
    """Sends one message, at most one worker at a time; says whether it went out.

    Not sent: it is with another worker, already gone, or of no use any more. A
    failure of the mail server is logged and tried again later, after 1, 2, 4 … 60 minutes, without end: a
    referral whose mail is given up would be a victim nobody contacts. Where the server broke off or kept
    silent it may have taken the message: then the next copy is marked a possible duplicate.
    """
    at = at or timezone.now()
    notification = _claim(notification_id, at)
    if notification is None:
        _MAIL_SERVER.not_asked()
        return False
    try:
        message_of(notification).send()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        if isinstance(error, ValueError):  # a header that cannot be sent
            _MAIL_SERVER.not_asked()
        elif isinstance(error, _OF_THIS_MESSAGE):
            _MAIL_SERVER.worked()
        else:
            _MAIL_SERVER.failed(error)
        _put_back(notification, error, at)
        return False
    _MAIL_SERVER.worked()
    _mark_sent(notification, by)
    return True


def _claim(notification_id: int, at: datetime) -> Notification | None:
    with transaction.atomic():
        notification = (
            _waiting(at)
            .select_related("referral__ward", "referral__taken_by", "trial_notice__trial", "trial", "fault")
            .select_related("mailbox_test__team", "place_move__from_team", "place_move__to_team")
            .select_for_update(of=("self",), skip_locked=True)
            .filter(pk=notification_id)
            .first()
        )
        if notification is None:
            return None
        if _is_of_no_use(notification, at):
            notification.abandoned_at = at
            notification.save(update_fields=["abandoned_at"])
            return None
        # A lease that ran out with an attempt behind it may have reached the mail server.
        notification.possible_duplicate |= notification.claim_token is not None
        notification.claim_token = uuid.uuid4()
        notification.claimed_until = at + settings.MAIL_LEASE
        notification.attempts += 1
        notification.save(update_fields=["possible_duplicate", "claim_token", "claimed_until", "attempts"])
        return notification


def _is_of_no_use(notification: Notification, at: datetime) -> bool:
    """Whether what it tells of is over: a referral, review or fault that ended, a trial that waits not."""
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
    if referral is None:
        return False
    is_open = referral.status == ReferralStatus.OPEN
    if notification.kind == MailKind.HOLDER_AWAY:
        return not is_open or referral.taken_by is not None
    if notification.kind == MailKind.CALL_BACK:
        is_asked = referral.call_back_at is not None
        if not is_open or not is_asked or not notification.unique_key.startswith(call_back_key(referral)):
            return True
    stopped_until = referral.stopped_until
    if notification.kind in _OF_THE_CLOCK and stopped_until is not None and at < stopped_until:
        return True
    if notification.kind == MailKind.GIVEN or notification.unique_key.endswith(TO_TAKER):
        # For whoever has it, and for nobody who had it.
        holder = referral.taken_by
        return not is_open or holder is None or holder.email != notification.recipient
    if notification.kind not in (*REMINDERS, *_CLOSED):
        return False
    # A referral may have been opened again before its closing was told.
    return is_open == (notification.kind in _CLOSED)


def _is_personal(notification: Notification) -> bool:
    """Whether it goes to one person's own address, which no log is to keep."""
    personal = (
        MailKind.GIVEN,
        MailKind.ACCESS_REVIEW,
        MailKind.SIGN_IN_RESET,
        MailKind.DECISION_LATE,
        MailKind.FOLLOW_UPS_LATE,
    )
    key = notification.unique_key
    return notification.kind in personal or key.endswith(TO_TAKER) or TO_SUPERVISOR in key or TO_HCOP in key


def _put_back(notification: Notification, error: Exception, at: datetime) -> None:
    wait = min(timedelta(minutes=2 ** min(notification.attempts - 1, 10)), LONGEST_WAIT)
    Notification.objects.filter(
        pk=notification.pk, claim_token=notification.claim_token, sent_at__isnull=True
    ).update(
        claim_token=None,
        claimed_until=None,
        possible_duplicate=notification.possible_duplicate or not isinstance(error, _NOT_TAKEN),
        not_before=at + wait,
        last_error=type(error).__name__,
    )
    log.warning("mail not sent", notification=notification.pk, error=type(error).__name__)


def _mark_sent(notification: Notification, by: User) -> None:
    with transaction.atomic():
        sent = Notification.objects.filter(
            pk=notification.pk, claim_token=notification.claim_token, sent_at__isnull=True
        ).update(sent_at=timezone.now(), claim_token=None, claimed_until=None, last_error="")
        if sent:
            purpose, subject, references = _told_of(notification)
            record(
                Action.MAIL_SENT,
                by=by,
                purpose=purpose,
                subject=subject,
                references=references,
                recipients=[] if _is_personal(notification) else [notification.recipient],
            )


def _told_of(notification: Notification) -> tuple[Purpose, str, list[str]]:
    """What a message is about, as the audit log has it."""
    if notification.referral is not None:
        return Purpose.CONTACT, "referral", [notification.referral.number]
    if notification.fault is not None:
        return Purpose.ADMINISTRATION, "fault", [notification.fault.name]
    if notification.kind == MailKind.DECISION_LATE:
        return Purpose.REVIEW, "case", []
    if notification.kind == MailKind.FOLLOW_UPS_LATE:
        return Purpose.SUPERVISION, "referral", []
    if notification.kind in (MailKind.ACCESS_REVIEW, MailKind.SIGN_IN_RESET):
        return Purpose.ADMINISTRATION, "account", []
    if notification.mailbox_test is not None:
        return Purpose.ADMINISTRATION, "team", [f"team {notification.mailbox_test.team_id}"]
    if notification.place_move is not None:
        move = notification.place_move
        return Purpose.ADMINISTRATION, "team", [f"team {move.from_team_id}", f"team {move.to_team_id}"]
    notice = notification.trial_notice
    trial_id = notice.trial_id if notice else notification.trial_id
    return Purpose.EVALUATION, "trial", [f"trial {trial_id}"]


def readdress(*, team: Team, old: str, at: datetime) -> int:
    """Sends what waits for an address that the team has no more to the one that it has; returns how many.

    What a worker is sending at this moment stays: where that fails it is tried again at the old address, and
    the page of the system's health says so.
    """
    is_with_nobody = Q(claimed_until__isnull=True) | Q(claimed_until__lt=at)
    waiting = Notification.objects.filter(is_with_nobody, sent_at__isnull=True, abandoned_at__isnull=True)
    return waiting.filter(recipient=old, referral__team=team).update(recipient=team.mailbox, not_before=at)
