"""What somebody must act on, and what is done."""

from datetime import datetime

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
)

from referrals.models import (
    ContactAttempt,
    FollowUp,
    FollowUpKind,
)
from referrals.scope import follow_ups_visible_to
from src_app.accounts.models import User


def follow_ups_open(user: User) -> QuerySet[FollowUp]:
    """Follow-ups that are not done, whoever owns them, the oldest first."""
    return _follow_ups(user).filter(done_at__isnull=True).order_by("raised_at", "pk")


def follow_ups_done_since(user: User, since: datetime) -> QuerySet[FollowUp]:
    """Follow-ups that are done, the latest first."""
    return _follow_ups(user).filter(done_at__gte=since).order_by("-done_at", "-pk")


def waiting_for(user: User, follow_ups: QuerySet[FollowUp]) -> QuerySet[FollowUp]:
    """Of these, what the account is to act on: what nobody owns yet, and its own that are not done."""
    return follow_ups.filter(Q(acknowledged_at__isnull=True) | Q(acknowledged_by=user), done_at__isnull=True)


def _follow_ups(user: User) -> QuerySet[FollowUp]:
    """Each with what may have settled it meanwhile, and why the case was referred outside any trial."""
    withdrawals = ContactAttempt.objects.filter(withdraws=OuterRef("attempt"))
    in_again = Q(
        kind__in=(FollowUpKind.TRANSFERRED, FollowUpKind.RULED_OUT), referral__ruled_out_since__isnull=True
    )
    return (
        follow_ups_visible_to(user)
        .select_related("referral__ward", "case__ward", "case__referral", "case__decision", "raised_by")
        .select_related("acknowledged_by", "done_by")
        .prefetch_related("case__found_not_suitable")
        .annotate(
            withdrawn=Exists(withdrawals),
            in_again=ExpressionWrapper(in_again, BooleanField()),
            reason=F("referral__case__decision__reason"),
        )
    )
