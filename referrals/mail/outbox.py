"""Mail as an outbox with leases: written with what causes it, claimed, sent outside any transaction."""

import smtplib
import time
import uuid
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from referrals.mail.claims import claim, give_back, mark_sent, put_back, waiting
from referrals.mail.messages import message_of
from referrals.models import (
    Digest,
    Fault,
    MailboxTest,
    MailKind,
    Notification,
    PlaceMove,
    Referral,
    Team,
    Trial,
    TrialNotice,
)
from src_app.accounts.models import User
from src_app.breaker import Breaker
from src_app.database import MAIL_SWEEP_LOCK, try_advisory_lock
from src_app.task_queue import send_task

# A sweep ends before the next one comes.
LONGEST_SWEEP = timedelta(seconds=25)
# So many are claimed at once, and sent over one connection.
AT_ONCE = 200
# What went out is noted after so long: where a worker dies meanwhile it may come twice, and is marked.
NOTED_AFTER = timedelta(seconds=1)
# The server answered, and said no to this message alone.
_OF_THIS_MESSAGE = (
    smtplib.SMTPSenderRefused,
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPNotSupportedError,
)
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
            found, claimed = claim(waiting(at).order_by("not_before", "id")[:AT_ONCE], at)
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
    _, claimed = claim(waiting(at).filter(pk=notification_id), at)
    return _send_claimed(claimed, by, at) == 1


def _send_claimed(claimed: list[Notification], by: User, at: datetime, ends_at: float | None = None) -> int:
    """Sends these over one connection, until the mail server fails or time is over; returns how many went.

    Whatever the time, one is tried. What was taken is noted whatever happens meanwhile; what was not tried is
    given back.
    """
    if not claimed:
        _MAIL_SERVER.not_asked()
        return 0
    sent = _Sent(by)
    refused: set[str] = set()
    left = list(reversed(claimed))
    connection = get_connection()
    try:
        while left and not (len(left) < len(claimed) and ends_at and time.monotonic() > ends_at):
            notification = left.pop()
            if notification.recipient in refused and notification.attempts > 1:
                give_back([notification])
                continue
            error = _send(notification, connection)
            if error is None:
                sent.add(notification)
                continue
            connection.close()
            if put_back(notification, error, at):
                refused.add(notification.recipient)
            if not isinstance(error, (*_OF_THIS_MESSAGE, ValueError)):
                break
    finally:
        with suppress(OSError, smtplib.SMTPException):
            connection.close()
        sent.note()
        give_back(left)
    return sent.number


class _Sent:
    """What the mail server took, noted together: each note costs as much as sending several."""

    def __init__(self, by: User) -> None:
        self._by = by
        self._unnoted: list[Notification] = []
        self._noted_at = time.monotonic()
        self.number = 0

    def add(self, notification: Notification) -> None:
        self._unnoted.append(notification)
        self.number += 1
        if time.monotonic() > self._noted_at + NOTED_AFTER.total_seconds():
            self.note()

    def note(self) -> None:
        mark_sent(self._unnoted, self._by)
        self._unnoted, self._noted_at = [], time.monotonic()


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
