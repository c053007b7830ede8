"""Making a referral, and confirming that its flag is set on the crime management system, or gone from it."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from referrals.actions.notify import queue
from referrals.models import (
    Allocation,
    Case,
    MailKind,
    NumberSeries,
    Referral,
    Team,
    Ward,
)
from referrals.queries import flags_to_confirm, flags_to_remove
from referrals.rules.deadlines import due
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record


def next_number(at: datetime) -> str:
    """The next referral number of the year, ``SRC-2026-000123``; call it inside a transaction.

    The series counts referrals, never cases: a gap would tell who is a control.
    """
    year = timezone.localtime(at).year
    NumberSeries.objects.get_or_create(year=year)
    series = NumberSeries.objects.select_for_update().get(year=year)
    series.last += 1
    series.save(update_fields=["last"])
    return f"SRC-{year}-{series.last:06}"


def refer(
    *, case: Case, team: Team, ward: Ward, allocation: Allocation | None, by: User, at: datetime
) -> Referral:
    """Gives the case to the team and tells its mailbox; part of a submission's transaction."""
    check_authority(by, Permission.REVIEW_CASES)
    referral = Referral.objects.create(
        number=next_number(at),
        case=case,
        allocation=allocation,
        team=team,
        ward=ward,
        made_at=at,
        made_by=by,
        due_at=due(at, settings.REFERRAL_DUE_AFTER),
    )
    queue(
        kind=MailKind.REFERRAL_MADE,
        referral=referral,
        recipient=team.mailbox,
        unique_key=f"{MailKind.REFERRAL_MADE}:{referral.number}",
        at=at,
    )
    record(
        Action.REFERRALS_MADE,
        by=by,
        purpose=Purpose.REVIEW,
        subject="referral",
        references=[referral.number, case.crime_reference],
        recipients=[team.mailbox],
    )
    return referral


def confirm_flags(*, referral_ids: Collection[int], by: User, at: datetime) -> int:
    """Records that the flag is on the crime management system; returns how many were not yet confirmed."""
    check_authority(by, Permission.CONFIRM_FLAGS)
    with transaction.atomic():
        numbers = _locked(flags_to_confirm(by), referral_ids)
        Referral.objects.filter(pk__in=numbers).update(flag_confirmed_at=at, flag_confirmed_by=by)
        _record_flags(Action.FLAGS_CONFIRMED, numbers, by, ["flag_confirmed_at", "flag_confirmed_by"])
    return len(numbers)


def confirm_flags_removed(*, referral_ids: Collection[int], by: User, at: datetime) -> int:
    """Records that the flag is off the crime management system again; returns how many had still to go."""
    check_authority(by, Permission.CONFIRM_FLAGS)
    with transaction.atomic():
        numbers = _locked(flags_to_remove(by), referral_ids)
        Referral.objects.filter(pk__in=numbers).update(flag_removed_at=at, flag_removed_by=by)
        _record_flags(Action.FLAGS_REMOVED, numbers, by, ["flag_removed_at", "flag_removed_by"])
    return len(numbers)


def _locked(waiting: QuerySet[Referral], referral_ids: Collection[int]) -> dict[int, str]:
    """Keys and numbers of those that still wait, locked in the order every action locks referrals in."""
    still = waiting.filter(pk__in=referral_ids).order_by("pk").select_for_update(of=("self",))
    return dict(still.values_list("pk", "number"))


def _record_flags(action: Action, numbers: dict[int, str], by: User, fields: list[str]) -> None:
    if numbers:
        record(
            action,
            by=by,
            purpose=Purpose.REVIEW,
            subject="referral",
            references=numbers.values(),
            fields=fields,
        )
