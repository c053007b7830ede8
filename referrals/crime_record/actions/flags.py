"""Confirming that a flag is set on the crime management system, or gone from it; comparing all of them."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from referrals.crime_record.readers import (
    FlagCases,
    GivenList,
    flag_cases,
    flags_to_confirm,
    flags_to_remove,
    just_confirmed,
    just_removed,
)
from referrals.models import (
    Bcu,
    Referral,
)
from referrals.scope import bcus_to_confirm_flags_of
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

DAY_TO_COME = "Give the day on which the list was taken: today or earlier."


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


def unconfirm_flags(*, referral_ids: Collection[int], by: User, at: datetime) -> int:
    """Takes back what the same person confirmed by mistake a moment ago; returns of how many."""
    check_authority(by, Permission.CONFIRM_FLAGS)
    with transaction.atomic():
        numbers = _locked(just_confirmed(by, at), referral_ids)
        Referral.objects.filter(pk__in=numbers).update(flag_confirmed_at=None, flag_confirmed_by=None)
        _record_flags(Action.FLAGS_UNDONE, numbers, by, ["flag_confirmed_at", "flag_confirmed_by"])
    return len(numbers)


def unconfirm_flags_removed(*, referral_ids: Collection[int], by: User, at: datetime) -> int:
    """The same of flags confirmed to be off."""
    check_authority(by, Permission.CONFIRM_FLAGS)
    with transaction.atomic():
        numbers = _locked(just_removed(by, at), referral_ids)
        Referral.objects.filter(pk__in=numbers).update(flag_removed_at=None, flag_removed_by=None)
        _record_flags(Action.FLAGS_UNDONE, numbers, by, ["flag_removed_at", "flag_removed_by"])
    return len(numbers)


def reconcile_flags(*, bcu: Bcu, given: GivenList, by: User, at: datetime) -> FlagCases:
    """The BCU's cases by how their flags stand; records the look, and each reference that it gives.

    Raises ``Bcu.DoesNotExist`` for one out of scope, and :class:`Refused` for a list of a day to come.
    """
    check_authority(by, Permission.CONFIRM_FLAGS)
    if given.taken_on > timezone.localdate(at):
        raise Refused(DAY_TO_COME)
    found = flag_cases(bcus_to_confirm_flags_of(by).get(pk=bcu.pk), given)
    cases = [case for sorted_cases in found.values() for case in sorted_cases]
    record(
        Action.FLAGS_COMPARED,
        by=by,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[name for case in cases for name in (case.reference, case.number) if name],
        fields=["references", "taken_on"],
        rows=given.references,
    )
    return found


def _locked(flags: QuerySet[Referral], referral_ids: Collection[int]) -> dict[int, str]:
    """Keys and numbers of those asked for, locked in the order every action locks referrals in."""
    still = flags.filter(pk__in=referral_ids).order_by("pk").select_for_update(of=("self",))
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
