"""What is overdue, by name, and who is in charge of it; for those who chase referrals."""

from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from referrals.compliance.readers.contact import EVERYTHING, Chosen
from referrals.models import (
    ContactAttempt,
    MailKind,
    Notification,
    Referral,
    ReferralStatus,
    Team,
    TeamMembership,
)
from referrals.scope import referrals_led_by, today, wards_visible_to
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def teams_in_sight(user: User) -> QuerySet[Team]:
    """The teams of the wards in the account's sight, by name."""
    return Team.objects.filter(wards__in=wards_visible_to(user)).distinct().order_by("name", "pk")


def chased_officers(user: User) -> QuerySet[User]:
    """Who is in charge of referrals that the account chases; nobody for whoever chases none.

    The members of their teams today, and whoever has taken one that is still open.
    """
    if not user.can(Permission.CHASE_REFERRALS):
        return User.objects.none()
    teams = Team.objects.filter(wards__in=wards_visible_to(user)).values("pk")
    members = TeamMembership.objects.filter(TeamMembership.current(today()), team__in=teams)
    have_taken = referrals_led_by(user).filter(status=ReferralStatus.OPEN)
    return User.objects.filter(
        Q(pk__in=members.values("user")) | Q(pk__in=have_taken.values("taken_by"))
    ).order_by("display_name", "pk")


def overdue(user: User, *, at: datetime, chosen: Chosen = EVERYTHING) -> QuerySet[Referral]:
    """Open referrals whose due time has passed, the longest overdue first.

    Each with ``tries``, the attempts that stand, ``reminded_at``, when a reminder was last sent, and
    ``reminder_waits``, whether one is still to be sent. For those who chase referrals, and nobody else.
    """
    asked = Notification.objects.filter(referral=OuterRef("pk"), kind=MailKind.CHASED).order_by("-created_at")
    standing = ContactAttempt.objects.filter(
        referral=OuterRef("pk"), withdraws__isnull=True, withdrawn_by__isnull=True
    )
    return (
        referrals_led_by(user)
        .filter(chosen.where, chosen.taken, status=ReferralStatus.OPEN, due_at__lt=at)
        .select_related("ward", "taken_by")
        .annotate(
            # Of the rows shown alone: a join would count the attempts of all.
            tries=Coalesce(
                Subquery(standing.values("referral").annotate(Count("pk")).values("pk__count")), 0
            ),
            reminded_at=Subquery(asked.filter(sent_at__isnull=False).values("sent_at")[:1]),
            reminder_waits=Exists(asked.filter(sent_at__isnull=True, abandoned_at__isnull=True)),
        )
        .order_by("due_at", "pk")
    )
