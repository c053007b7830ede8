"""The cases that wait for a decision, and how far the review of them has come."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet

from referrals.models import REFERRED_ANYWAY, Case
from referrals.review.readers.rows import ReviewRow
from referrals.scope import cases_visible_to
from src_app.accounts.models import User


@dataclass(frozen=True)
class ReviewProgress:
    """How far the morning's work has come."""

    waiting: int
    suitable: int
    refer_now: int
    not_suitable: int
    oldest: datetime | None

    @property
    def marked(self) -> int:
        return self.suitable + self.refer_now + self.not_suitable

    @property
    def unmarked(self) -> int:
        return self.waiting - self.marked


def waiting(user: User) -> QuerySet[Case]:
    """Cases without a submitted decision, the longest waiting first, with all that a row shows."""
    return as_rows(user).filter(decided_at__isnull=True).order_by("reported_at", "pk")


def as_rows(user: User) -> QuerySet[Case]:
    """Cases, decided or not, with all that a row shows."""
    return (
        cases_visible_to(user)
        .select_related("ward__borough", "decision__drafted_by", "decision__team__borough")
        .prefetch_related("texts", "reopened_decisions")
    )


def review_progress_of(rows: list[ReviewRow]) -> ReviewProgress:
    """Counts over ``rows``, which are all that waits, the longest waiting first."""
    decisions = [row.decision for row in rows if row.decision]
    suitable = sum(decision.suitable for decision in decisions)
    refer_now = sum(decision.referred_anyway for decision in decisions)
    return ReviewProgress(
        waiting=len(rows),
        suitable=suitable,
        refer_now=refer_now,
        not_suitable=len(decisions) - suitable - refer_now,
        oldest=rows[0].case.reported_at if rows else None,
    )


def review_progress(user: User) -> ReviewProgress:
    """Counts over all that waits."""
    counts = waiting(user).aggregate(
        waiting=Count("pk"),
        suitable=Count("pk", filter=Q(decision__suitable=True)),
        refer_now=Count("pk", filter=Q(decision__reason__in=REFERRED_ANYWAY)),
        not_suitable=Count(
            "pk", filter=Q(decision__suitable=False) & ~Q(decision__reason__in=REFERRED_ANYWAY)
        ),
        oldest=Min("reported_at"),
    )
    return ReviewProgress(**counts)
