"""How the outbox fares: what waits in it, and whose mailbox refuses; and who is told of what came up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from referrals.mail.refusals import FOR_GOOD
from referrals.models import (
    BcuMembership,
    Leave,
    Notification,
    Referral,
    RefusingMailbox,
    Team,
    TeamMembership,
)
from src_app.accounts.models import User
from src_app.accounts.roles import Role


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


def in_charge_of(referral: Referral, at: datetime) -> Sequence[User]:
    """Who can act on what came up: the team's supervisors and its BCU's HCOPs; one query.

    Those at work on that day who have an address. Where there are none, the supervisors of the BCU.
    """
    day = timezone.localdate(at)
    team, bcu = referral.team.working_team, referral.ward.borough.bcu_id
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
