"""What a senior leader asks first; counts alone, and no case or referral."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from referrals.compliance.readers.contact import (
    Chosen,
    Compliance,
    Span,
    WardContact,
    due_in,
    this_and_last_month,
)
from referrals.compliance.readers.periods import Period
from referrals.models import Case, CloseReason, Referral, ReferralStatus, Trial, TrialStatus
from referrals.scope import places_of, trials_visible_to
from src_app.accounts.models import User
from src_app.accounts.roles import Permission

WARDS_NAMED = 5


@dataclass(frozen=True)
class Overview:
    """The answers.

    ``worst``: wards with the most overdue; ``elsewhere``: what is overdue in the others. ``waiting``: reports
    without a decision, the oldest of them reported at ``oldest``. ``proposed``: trials that wait for this
    reader. ``reasons``: why referrals were closed without contact, and how many, the most frequent first.
    """

    worst: list[WardContact]
    elsewhere: int
    this_month: Span
    last_month: Span
    waiting: int
    oldest: datetime | None
    proposed: list[Trial]
    reasons: list[tuple[str, int]]


def overview_of(user: User, counted: Compliance, period: Period, at: datetime, chosen: Chosen) -> Overview:
    """In five queries; ``counted`` is what the page counts in the same period."""
    overdue = sorted(counted.wards, key=lambda row: -row.overdue_now)
    worst = [row for row in overdue[:WARDS_NAMED] if row.overdue_now]
    this_month, last_month = this_and_last_month(user, at=at, chosen=chosen)
    waiting = Case.objects.filter(chosen.where, bcu__in=places_of(user).bcus, decided_at__isnull=True)
    return Overview(
        worst=worst,
        elsewhere=counted.overdue_now - sum(row.overdue_now for row in worst),
        this_month=this_month,
        last_month=last_month,
        **waiting.aggregate(waiting=Count("pk"), oldest=Min("reported_at")),
        proposed=_proposed(user),
        reasons=_reasons(user, period, at, chosen),
    )


def _proposed(user: User) -> list[Trial]:
    if not user.can(Permission.SEAL_TRIALS):
        return []
    drafts = trials_visible_to(user).filter(status=TrialStatus.DRAFT, proposed_at__isnull=False)
    return list(drafts.exclude(proposed_by=user).order_by("proposed_at", "pk"))


def _reasons(user: User, period: Period, at: datetime, chosen: Chosen) -> list[tuple[str, int]]:
    counted = (
        Referral.objects.filter(
            due_in(period, at), status=ReferralStatus.CLOSED, ward__in=chosen.wards(user).values("pk")
        )
        .values_list("close_reason")
        .annotate(number=Count("pk"))
        .order_by("-number", "close_reason")
    )
    return [(CloseReason(reason).label, number) for reason, number in counted]
