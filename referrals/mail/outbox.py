"""Mail as an outbox with leases: written with what causes it, claimed, sent outside any transaction."""

import math
import smtplib
import socket
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, When
from django.utils import timezone

from referrals.deadlines.readers import late_decisions
from referrals.mail.messages import message_of
from referrals.mail.payloads import TO_HCOP, TO_SUPERVISOR, bcu_of
from referrals.mail.refusals import is_held, note_acceptance, note_refusal
from referrals.models import (
    AccessReview,
    BcuMembership,
    ContactAttempt,
    Digest,
    Fault,
    FollowUp,
    MailboxTest,
    MailKind,
    Notification,
    PlaceMove,
    Referral,
    ReferralStatus,
    Team,
    TeamMembership,
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
_OF_RING_AGAIN = (MailKind.RING_AGAIN, MailKind.RING_AGAIN_CHANGED, MailKind.RING_NO_MORE)
REMINDERS = (MailKind.DUE_SOON, MailKind.OVERDUE, MailKind.CHASED, MailKind.REFERRAL_CHANGED)
LONGEST_WAIT = timedelta(hours=1)
# A sweep ends before the next one comes.
LONGEST_SWEEP = timedelta(seconds=25)
# So many are claimed and noted together; where a worker dies meanwhile they may come twice, and are marked.
AT_ONCE = 20
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
# What is in the key of a reminder to whoever has the referral.
TO_TAKER = ":taker"
_ABOUT = (
    *(
        "referral__ward__borough",
        "referral__team",
        "referral__taken_by",
        "trial_notice__trial",
        "trial",
        "fault",
    ),
    *("mailbox_test__team", "place_move__from_team", "place_move__to_team"),
    *("digest__choice__user", "digest__choice__team"),
)
# The last error of a message that was not sent because of MAIL_ONLY_TO.
HELD_BACK = "HeldBack"
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
    digest: Digest | None = None,
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
            "digest": digest,
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


def waiting(at: datetime) -> QuerySet[Notification]:
    """Messages nobody is sending, among them what a dead worker or a lost task left behind."""
    return Notification.objects.filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=at),
        ~is_held(at),
        sent_at__isnull=True,
        abandoned_at__isnull=True,
        not_before__lte=at,
    )


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
        ends_at = time.monotonic() + LONGEST_SWEEP.total_seconds()
        while is_alone and time.monotonic() <= ends_at and _MAIL_SERVER.lets_through():
            at = timezone.now()
            found, claimed = _claim(waiting(at).order_by("not_before", "id")[:AT_ONCE], at)
            _send_claimed(claimed, by, at, ends_at)
            if not found:
                return


def deliver(*, notification_id: int, by: User, at: datetime | None = None) -> bool:
    """Sends one message, at most one worker at a time; says whether it went out.

    Not sent: it is with another worker, already gone, of no use any more, or held back by ``MAIL_ONLY_TO``. A
    failure of the mail server is logged and tried again later, after 1, 2, 4 … 60 minutes, without end: a
    referral whose mail is given up would be a victim nobody contacts. A mailbox that is refused for good is
    tried more rarely (``referrals.mail.refusals``). Where the server broke off or kept silent it may have
    taken the message: then the next copy is marked a possible duplicate.
    """
    at = at or timezone.now()
    _, claimed = _claim(waiting(at).filter(pk=notification_id), at)
    return _send_claimed(claimed, by, at) == 1


def _send_claimed(claimed: list[Notification], by: User, at: datetime, ends_at: float | None = None) -> int:
    """Sends these over one connection, until the mail server fails or time is over; returns how many went.

    What was taken is noted together at the end, whatever happens meanwhile; what was not tried is given back.
    """
    if not claimed:
        _MAIL_SERVER.not_asked()
        return 0
    sent: list[Notification] = []
    refused: set[str] = set()
    left = list(reversed(claimed))
    connection = get_connection()
    try:
        while left and not (sent and ends_at and time.monotonic() > ends_at):
            notification = left.pop()
            if notification.recipient in refused and notification.attempts > 1:
                _give_back([notification])
                continue
            error = _send(notification, connection)
            if error is None:
                sent.append(notification)
                continue
            connection.close()
            if _put_back(notification, error, at):
                refused.add(notification.recipient)
            if not isinstance(error, (*_OF_THIS_MESSAGE, ValueError)):
                break
    finally:
        with suppress(OSError, smtplib.SMTPException):
            connection.close()
        _mark_sent(sent, by)
        _give_back(left)
    return len(sent)


def _send(notification: Notification, connection: BaseEmailBackend) -> Exception | None:
    """Sends it, and returns what went wrong; the breaker hears how the mail server was."""
    try:
        message = message_of(notification)
        message.connection = connection
        connection.open()
        message.send()
    except ValueError as error:  # a header that cannot be sent
        _MAIL_SERVER.not_asked()
        return error
    except _OF_THIS_MESSAGE as error:
        _MAIL_SERVER.worked()
        return error
    except (smtplib.SMTPException, OSError) as error:
        _MAIL_SERVER.failed(error)
        return error
    _MAIL_SERVER.worked()
    return None


def _claim(rows: QuerySet[Notification], at: datetime) -> tuple[bool, list[Notification]]:
    """Takes those of the rows that are to be sent, under one token; says also whether there was any row."""
    with transaction.atomic():
        found = list(rows.select_related(*_ABOUT).select_for_update(of=("self",), skip_locked=True))
        useless = [each for each in found if _is_of_no_use(each, at)]
        held_back = [each for each in found if each not in useless and not _may_get_mail(each.recipient)]
        _abandon(useless, at)
        _abandon(held_back, at, last_error=HELD_BACK)
        for each in held_back:
            log.warning("mail held back: its recipient is not in MAIL_ONLY_TO", notification=each.pk)
        given_up = {each.pk for each in (*useless, *held_back)}
        claimed = [each for each in found if each.pk not in given_up]
        token = uuid.uuid4()
        for each in claimed:
            # A lease that ran out with an attempt behind it may have reached the mail server.
            each.possible_duplicate |= each.claim_token is not None
            each.claim_token, each.claimed_until = token, at + settings.MAIL_LEASE
            each.attempts += 1
        if claimed:
            Notification.objects.filter(pk__in=[each.pk for each in claimed]).update(
                possible_duplicate=Case(
                    When(claim_token__isnull=False, then=True), default="possible_duplicate"
                ),
                claim_token=token,
                claimed_until=at + settings.MAIL_LEASE,
                attempts=F("attempts") + 1,
            )
    return bool(found), claimed


def _abandon(notifications: list[Notification], at: datetime, last_error: str = "") -> None:
    if notifications:
        chosen = Notification.objects.filter(pk__in=[each.pk for each in notifications])
        chosen.update(abandoned_at=at, **({"last_error": last_error} if last_error else {}))


def _still_claimed(notifications: Iterable[Notification]) -> QuerySet[Notification]:
    """Those of one claim that no other worker has taken since, as their lease ran out."""
    notifications = list(notifications)
    return Notification.objects.filter(
        pk__in=[each.pk for each in notifications],
        claim_token__in={each.claim_token for each in notifications},
        sent_at__isnull=True,
    )


def _give_back(untried: list[Notification]) -> None:
    if untried:
        _still_claimed(untried).update(claim_token=None, claimed_until=None, attempts=F("attempts") - 1)


def _may_get_mail(recipient: str) -> bool:
    """Whether ``MAIL_ONLY_TO`` has the address, its domain, or one that this is a part of."""
    if settings.PRODUCTION and not settings.MAIL_ONLY_TO:
        return True
    address = recipient.lower()
    domain = address.rpartition("@")[2]
    return any(
        address == entry or domain == entry or domain.endswith(f".{entry}") for entry in settings.MAIL_ONLY_TO
    )


def _is_of_no_use(notification: Notification, at: datetime) -> bool:
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
    if referral is None:
        return False
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
    if notification.kind == MailKind.NOTE_RECORD:
        attempt = notification.unique_key.removeprefix(f"{MailKind.NOTE_RECORD}:")
        return not ContactAttempt.objects.filter(ContactAttempt.is_to_note(), pk=attempt).exists()
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


def _is_stale(digest: Digest, recipient: str, at: datetime) -> bool:
    """Whether its day is over, or whoever chose it wants it no more or is there no more."""
    user = digest.choice.user
    has_left = user is not None and (not user.is_active or user.email != recipient)
    return digest.until < at or digest.choice.ended_at is not None or has_left


def _is_personal(notification: Notification) -> bool:
    """Whether it goes to one person's own address, which no log is to keep."""
    if notification.digest is not None:
        return notification.digest.choice.user is not None
    personal = (
        MailKind.GIVEN,
        MailKind.OFFICER_IN_CASE,
        MailKind.NOTE_RECORD,
        MailKind.ACCESS_REVIEW,
        MailKind.SIGN_IN_RESET,
        MailKind.ADDRESS_CHANGED,
        MailKind.DECISION_LATE,
        MailKind.FOLLOW_UPS_LATE,
    )
    key = notification.unique_key
    return notification.kind in personal or TO_TAKER in key or TO_SUPERVISOR in key or TO_HCOP in key


def _put_back(notification: Notification, error: Exception, at: datetime) -> bool:
    """Leaves it for later; says whether its mailbox is refused for good."""
    refused_until = note_refusal(notification, error, at)
    wait = min(timedelta(minutes=2 ** min(notification.attempts - 1, 10)), LONGEST_WAIT)
    _still_claimed([notification]).update(
        claim_token=None,
        claimed_until=None,
        possible_duplicate=notification.possible_duplicate or not isinstance(error, _NOT_TAKEN),
        not_before=refused_until or at + wait,
        last_error=type(error).__name__,
    )
    log.warning("mail not sent", notification=notification.pk, error=type(error).__name__)
    return refused_until is not None


def _mark_sent(sent: list[Notification], by: User) -> None:
    if not sent:
        return
    with transaction.atomic():
        chosen = _still_claimed(sent).select_for_update()
        ours = set(chosen.values_list("pk", flat=True))
        now = timezone.now()
        Notification.objects.filter(pk__in=ours).update(
            sent_at=now, claim_token=None, claimed_until=None, last_error=""
        )
        note_acceptance({each.recipient for each in sent}, now)
        for notification in sent:
            if notification.pk in ours:
                _record_sent(notification, by)


def _record_sent(notification: Notification, by: User) -> None:
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
    if notification.kind in (MailKind.ACCESS_REVIEW, MailKind.SIGN_IN_RESET, MailKind.ADDRESS_CHANGED):
        return Purpose.ADMINISTRATION, "account", []
    if notification.mailbox_test is not None:
        return Purpose.ADMINISTRATION, "team", [f"team {notification.mailbox_test.team_id}"]
    if notification.place_move is not None:
        move = notification.place_move
        return Purpose.ADMINISTRATION, "team", [f"team {move.from_team_id}", f"team {move.to_team_id}"]
    if notification.digest is not None:
        return Purpose.SUPERVISION, "digest", []
    notice = notification.trial_notice
    trial_id = notice.trial_id if notice else notification.trial_id
    return Purpose.EVALUATION, "trial", [f"trial {trial_id}"]


def readdress(*, team: Team, old: str, at: datetime) -> int:
    """Sends what waits for an address that the team has no more to the one that it has; returns how many.

    With what is about referrals that ended with teams that were merged into it.
    What a worker is sending at this moment stays: where that fails it is tried again at the old address, and
    the page of the system's health says so.
    """
    is_with_nobody = Q(claimed_until__isnull=True) | Q(claimed_until__lt=at)
    waiting = Notification.objects.filter(is_with_nobody, sent_at__isnull=True, abandoned_at__isnull=True)
    is_its_work = Q(referral__team=team) | Q(referral__team__merged_into=team)
    return waiting.filter(is_its_work, recipient=old).update(recipient=team.mailbox, not_before=at)
