"""Mailboxes that the mail server refuses: noted, tried more and more rarely, cleared by what they take."""

import smtplib
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from referrals.models import Notification, RefusingMailbox

# From the first of the numbers on, a refusal is for good.
PASSING, FOR_GOOD = 400, 500
FIRST_WAIT, LONGEST_WAIT = timedelta(hours=1), timedelta(days=1)


def reply_code(error: Exception) -> int | None:
    """What the server answered of this recipient, or of this message; ``None`` for any other failure."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max(code for code, _ in error.recipients.values())
    return error.smtp_code if isinstance(error, smtplib.SMTPDataError) else None


def note_refusal(notification: Notification, error: Exception, at: datetime) -> datetime | None:
    """Notes whose mailbox refused this message; returns when to try it again where that is for good.

    After an hour, then each time after as long as it has refused, and at least daily. A passing refusal is
    noted when it is not the first, and tried again as any other failure. One message that is refused while
    the mailbox takes others is no refusing mailbox.
    """
    code = reply_code(error)
    if code is None or not PASSING <= code < FOR_GOOD + 100:
        return None
    if code < FOR_GOOD and notification.attempts < 2:
        return None
    if isinstance(error, smtplib.SMTPDataError) and _takes_others(notification):
        return at + LONGEST_WAIT if code >= FOR_GOOD else None
    with transaction.atomic():
        mailbox, _ = RefusingMailbox.objects.select_for_update().get_or_create(
            address=notification.recipient,
            ended_at=None,
            defaults={"since": at, "last_tried_at": at, "next_try_at": at, "reply_code": code},
        )
        wait = min(max(at - mailbox.since, FIRST_WAIT), LONGEST_WAIT)
        mailbox.last_tried_at, mailbox.reply_code = at, code
        mailbox.next_try_at = at + wait if code >= FOR_GOOD else at
        mailbox.save(update_fields=["last_tried_at", "next_try_at", "reply_code"])
    return mailbox.next_try_at if code >= FOR_GOOD else None


def note_acceptance(addresses: Collection[str], at: datetime) -> None:
    """Mailboxes that took a message refuse no more; what waits for them may go now."""
    refusing = RefusingMailbox.objects.filter(address__in=addresses, ended_at=None)
    cleared = list(refusing.select_for_update().values_list("address", flat=True))
    if cleared:
        refusing.filter(address__in=cleared).update(ended_at=at)
        Notification.objects.filter(
            recipient__in=cleared, sent_at=None, abandoned_at=None, not_before__gt=at
        ).update(not_before=at)


def is_held(at: datetime) -> Q:
    """A condition for messages: tried before, and their mailbox is not to be tried again yet.

    A new message is tried once, so that a mailbox that takes mail again is soon found out.
    """
    refusing = RefusingMailbox.objects.filter(
        address=OuterRef("recipient"), ended_at=None, next_try_at__gt=at
    )
    return Q(Exists(refusing), attempts__gt=0)


def _takes_others(notification: Notification) -> bool:
    later = Notification.objects.filter(recipient=notification.recipient, sent_at__gt=notification.created_at)
    return later.exists()
