"""How the outbox fares: what waits in it, and whose mailbox refuses."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Max, Min, Q, QuerySet

from referrals.models import Notification


@dataclass(frozen=True)
class Outbox:
    """How many messages wait, since when the oldest does, and how many failed at their last attempt."""

    waiting: int
    oldest_at: datetime | None
    failed: int
    is_late: bool


@dataclass(frozen=True)
class RefusedMailbox:
    """A mailbox whose messages have failed more than once; ``error`` is the class of the last failure."""

    recipient: str
    since: datetime
    messages: int
    error: str


def outbox(*, at: datetime) -> Outbox:
    """What waits at that moment; one query."""
    found = _unsent().aggregate(
        waiting=Count("pk"), oldest_at=Min("created_at"), failed=Count("pk", filter=~Q(last_error=""))
    )
    oldest_at = found["oldest_at"]
    return Outbox(**found, is_late=oldest_at is not None and oldest_at + settings.MAIL_LATE_AFTER < at)


def refused_mailboxes() -> list[RefusedMailbox]:
    """Mailboxes with waiting mail that has failed more than once, the longest first; one query."""
    # The attempt of a message that is with a worker has not failed yet.
    failed_twice = Q(attempts__gt=1, claim_token__isnull=True) | Q(attempts__gt=2)
    found = (
        _unsent()
        .filter(failed_twice, ~Q(last_error=""))
        .values("recipient")
        .annotate(since=Min("created_at"), messages=Count("pk"), error=Max("last_error"))
        .order_by("since", "recipient")
    )
    return [RefusedMailbox(**each) for each in found]


def _unsent() -> QuerySet[Notification]:
    return Notification.objects.filter(sent_at__isnull=True, abandoned_at__isnull=True)
