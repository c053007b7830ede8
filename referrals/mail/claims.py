"""Claims: who sends a message, until when, and what became of it."""

import smtplib
import socket
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, When
from django.utils import timezone

from referrals.mail.refusals import is_held, note_acceptance, note_refusal
from referrals.mail.sent_log import record_sent
from referrals.mail.still_of_use import is_of_no_use
from referrals.models import Notification
from src_app.accounts.models import User

log = structlog.get_logger()

LONGEST_WAIT = timedelta(hours=1)
# The last error of a message that was not sent because of MAIL_ONLY_TO.
HELD_BACK = "HeldBack"
# The server said no, or was never reached, or the message never left: it has not taken it.
_NOT_TAKEN = (
    smtplib.SMTPResponseException,
    smtplib.SMTPRecipientsRefused,
    ConnectionRefusedError,
    socket.gaierror,
    ValueError,
)
# What a message is written from is read with it.
_ABOUT = (
    *("referral__ward__borough", "referral__team__merged_into", "referral__taken_by"),
    *("trial_notice__trial", "trial", "fault"),
    *("mailbox_test__team", "place_move__from_team", "place_move__to_team"),
    *("digest__choice__user", "digest__choice__team"),
)


def waiting(at: datetime) -> QuerySet[Notification]:
    """Messages nobody is sending, among them what a dead worker or a lost task left behind."""
    return Notification.objects.filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=at),
        ~is_held(at),
        sent_at__isnull=True,
        abandoned_at__isnull=True,
        not_before__lte=at,
    )


def claim(rows: QuerySet[Notification], at: datetime) -> tuple[bool, list[Notification]]:
    """Takes those of the rows that are to be sent, under one token; says also whether there was any row."""
    with transaction.atomic():
        found = list(rows.prefetch_related(*_ABOUT).select_for_update(of=("self",), skip_locked=True))
        useless = [each for each in found if is_of_no_use(each, at)]
        given_up = {each.pk for each in useless}
        held_back = [each for each in found if each.pk not in given_up and not _may_get_mail(each.recipient)]
        _abandon(useless, at)
        _abandon(held_back, at, last_error=HELD_BACK)
        for each in held_back:
            log.warning("mail held back: its recipient is not in MAIL_ONLY_TO", notification=each.pk)
        given_up |= {each.pk for each in held_back}
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


def give_back(untried: list[Notification]) -> None:
    """Leaves them as they were before they were claimed."""
    if untried:
        _still_claimed(untried).update(claim_token=None, claimed_until=None, attempts=F("attempts") - 1)


def put_back(notification: Notification, error: Exception, at: datetime) -> bool:
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


def mark_sent(sent: list[Notification], by: User) -> None:
    """Notes that the mail server took them, here and in the audit log, in one transaction."""
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
        record_sent([each for each in sent if each.pk in ours], by)


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


def _may_get_mail(recipient: str) -> bool:
    """Whether ``MAIL_ONLY_TO`` has the address, its domain, or one that this is a part of."""
    if settings.PRODUCTION and not settings.MAIL_ONLY_TO:
        return True
    address = recipient.lower()
    domain = address.rpartition("@")[2]
    return any(
        address == entry or domain == entry or domain.endswith(f".{entry}") for entry in settings.MAIL_ONLY_TO
    )
