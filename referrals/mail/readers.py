"""How the outbox fares: what waits in it, and whose mailbox refuses; and who is told of what came up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from referrals.models import BcuMembership, Leave, Notification, Referral, TeamMembership
from src_app.accounts.models import User
from src_app.accounts.roles import Role

# Classes of what the mail server said to one message, and not that it was away.
_REFUSED = ("SMTPRecipientsRefused", "SMTPSenderRefused", "SMTPDataError")


@dataclass(frozen=True)
class Outbox:
    """How many messages wait, since when the oldest does, and how many failed at their last attempt."""

    waiting: int
    oldest_at: datetime | None
    failed: int
    is_late: bool


@dataclass(frozen=True)
class RefusedMailbox:
    """A mailbox to which the mail server has refused messages more than once; ``error`` is what it was."""

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


def refused_mailboxes(**among: Any) -> list[RefusedMailbox]:
    """Mailboxes with waiting mail that was refused more than once, the longest first; one query.

    ``among``: conditions on the messages that are looked at.
    """
    # The attempt of a message that is with a worker has not failed yet.
    failed_twice = Q(attempts__gt=1, claim_token__isnull=True) | Q(attempts__gt=2)
    found = (
        _unsent()
        .filter(failed_twice, last_error__in=_REFUSED, **among)
        .values("recipient")
        .annotate(since=Min("created_at"), messages=Count("pk"), error=Max("last_error"))
        .order_by("since", "recipient")
    )
    return [RefusedMailbox(**each) for each in found]


def in_charge_of(referral: Referral, at: datetime) -> Sequence[User]:
    """Who can act on what came up: the team's supervisors and its BCU's HCOPs; one query.

    Those at work on that day who have an address. Where there are none, the supervisors of the BCU.
    """
    day = timezone.localdate(at)
    team, bcu = referral.team_id, referral.ward.borough.bcu_id
    in_team = TeamMembership.objects.filter(TeamMembership.current(day), user=OuterRef("pk"), team=team)
    in_bcu = BcuMembership.objects.filter(BcuMembership.current(day), user=OuterRef("pk"), bcu=bcu)
    away = Leave.objects.filter(Leave.current(day), user=OuterRef("pk"))
    people = (
        User.objects.filter(~Exists(away), is_active=True, email__isnull=False)
        .annotate(in_team=Exists(in_team), in_bcu=Exists(in_bcu))
        .filter(Q(role=Role.SUPERVISOR, in_team=True) | Q(role__in=(Role.SUPERVISOR, Role.HCOP), in_bcu=True))
        .order_by("pk")
    )
    found = list(people)
    nearest = [user for user in found if user.role == Role.HCOP or user.in_team]
    return nearest or found


def _unsent() -> QuerySet[Notification]:
    return Notification.objects.filter(sent_at__isnull=True, abandoned_at__isnull=True)
