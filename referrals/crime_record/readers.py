"""Flags to see to on the crime management system, and how a crime record stood."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import (
    QuerySet,
)

from referrals.models import (
    CrimeRecordEvent,
    Referral,
)
from referrals.rules.deadlines import UNDONE_WITHIN
from referrals.scope import referrals_visible_to
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def flags_to_confirm(user: User) -> QuerySet[Referral]:
    """Referrals whose flag on the crime management system is not confirmed yet, the oldest first."""
    flags = _flags(user).filter(flag_confirmed_at__isnull=True, ruled_out_since__isnull=True)
    return flags.order_by("made_at", "pk")


def flags_to_remove(user: User) -> QuerySet[Referral]:
    """Referrals whose flag was set and has to go, the first ruled out first."""
    flags = _flags(user).filter(
        flag_confirmed_at__isnull=False, ruled_out_since__isnull=False, flag_removed_at__isnull=True
    )
    return flags.order_by("ruled_out_since", "pk")


def just_confirmed(user: User, at: datetime) -> QuerySet[Referral]:
    """Referrals whose flag the account itself confirmed lately, unless it has to go since."""
    return _flags(user).filter(
        flag_confirmed_by=user, flag_confirmed_at__gt=at - UNDONE_WITHIN, ruled_out_since__isnull=True
    )


def just_removed(user: User, at: datetime) -> QuerySet[Referral]:
    """Referrals whose flag the account itself lately confirmed to be off."""
    return _flags(user).filter(flag_removed_by=user, flag_removed_at__gt=at - UNDONE_WITHIN)


def _flags(user: User) -> QuerySet[Referral]:
    if not user.can(Permission.CONFIRM_FLAGS):
        return Referral.objects.none()
    return referrals_visible_to(user).select_related("case", "ward", "team")


def crime_record_standings(case_ids: Collection[int]) -> dict[int, str]:
    """How the crime record of each case stood when it last changed after the decision, if it ever did."""
    latest = CrimeRecordEvent.objects.filter(case__in=case_ids).order_by("case", "-pk").distinct("case")
    return dict(latest.values_list("case", "kind"))
