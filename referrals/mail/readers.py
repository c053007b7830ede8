"""How the outbox fares: what waits in it, and whose mailbox refuses."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from referrals.mail.refusals import FOR_GOOD
from referrals.models import Notification, Referral, RefusingMailbox, Team


@dataclass(frozen=True)
class Outbox:
    """How many messages wait, since when the oldest does, and how many failed at their last attempt.

    Those to mailboxes that are refused for good are counted with these.
    """

    waiting: int
    oldest_at: datetime | None
    failed: int
    is_late: bool


@dataclass(frozen=True)
class RefusedMailbox:
    """A mailbox that the mail server refuses, what it answered last, and how many messages wait for it."""

    recipient: str
    since: datetime
    last_tried_at: datetime
    code: int
    messages: int


def outbox(*, at: datetime) -> Outbox:
    """What waits at that moment; one query."""
    refused = RefusingMailbox.objects.filter(
        address=OuterRef("recipient"), ended_at=None, reply_code__gte=FOR_GOOD
    )
    found = (
        _unsent()
        .filter(~Exists(refused))
        .aggregate(
            waiting=Count("pk"), oldest_at=Min("created_at"), failed=Count("pk", filter=~Q(last_error=""))
        )
    )
    oldest_at = found["oldest_at"]
    return Outbox(**found, is_late=oldest_at is not None and oldest_at + settings.MAIL_LATE_AFTER < at)


def refused_mailboxes(
    *, teams: QuerySet[Team] | None = None, referrals: QuerySet[Referral] | None = None
) -> list[RefusedMailbox]:
    """Mailboxes that refuse, the longest first: those of teams, and those with mail that waits; two queries.

    ``teams``, ``referrals``: of these alone, and with mail about these alone.
    """
    unsent = _unsent() if referrals is None else _unsent().filter(referral__in=referrals)
    refusing = RefusingMailbox.objects.filter(ended_at=None)
    waiting = dict(
        unsent.filter(recipient__in=refusing.values("address")).values_list("recipient").annotate(Count("pk"))
    )
    of_teams = (Team.objects.all() if teams is None else teams).values("mailbox")
    found = refusing.filter(Q(address__in=of_teams) | Q(address__in=list(waiting)))
    return [
        RefusedMailbox(
            each.address, each.since, each.last_tried_at, each.reply_code, waiting.get(each.address, 0)
        )
        for each in found.order_by("since", "address")
    ]


def _unsent() -> QuerySet[Notification]:
    return Notification.objects.filter(sent_at__isnull=True, abandoned_at__isnull=True)
