"""What somebody must act on: open, and acknowledged."""

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
    """Follow-ups nobody has acknowledged yet, the oldest first."""
    return _follow_ups(user).filter(acknowledged_at__isnull=True).order_by("raised_at", "pk")


def follow_ups_acknowledged_since(user: User, since: datetime) -> QuerySet[FollowUp]:
    """Follow-ups that somebody deals with, the latest first."""
    return _follow_ups(user).filter(acknowledged_at__gte=since).order_by("-acknowledged_at", "-pk")


def _follow_ups(user: User) -> QuerySet[FollowUp]:
    """Each with what may have settled it meanwhile, and why the case was referred outside any trial."""
    withdrawals = ContactAttempt.objects.filter(withdraws=OuterRef("attempt"))
    in_again = Q(
        kind__in=(FollowUpKind.TRANSFERRED, FollowUpKind.RULED_OUT), referral__ruled_out_since__isnull=True
    )
    return (
        follow_ups_visible_to(user)
        .select_related("referral__ward", "case__ward", "case__referral", "raised_by", "acknowledged_by")
        .annotate(
            withdrawn=Exists(withdrawals),
            in_again=ExpressionWrapper(in_again, BooleanField()),
            reason=F("referral__case__decision__reason"),
        )
    )
