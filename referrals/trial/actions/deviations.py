"""What did not go as it was allocated, as the HCOP records it, and the check of every control."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from referrals.models import (
    CONTROL_REFERRED,
    OF_CONTROL,
    OF_SRC,
    Allocation,
    Arm,
    ControlCheck,
    Deviation,
    DeviationKind,
    NotDelivered,
    Referral,
    Trial,
)
from referrals.scope import allocations_visible_to, trials_to_check
from referrals.trial.readers.controls import (
    OUTCOMES_STILL_OPEN,
    contacts_of_controls,
    controls_to_check,
    controls_with_src,
)
from referrals.trial.readers.deviations import standing_deviations
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import day


def record_deviation(
    *,
    allocation_id: int,
    kind: DeviationKind,
    happened_on: date,
    why: NotDelivered | None = None,
    ordered_by: str = "",
    by: User,
    at: datetime,
) -> Deviation:
    """Records a deviation; the arm stays. One of a kind stands for an allocation at a time.

    ``why``: of SRC that was not delivered. ``ordered_by``: who ordered a contact for safety. The same again
    returns the first. Raises ``Allocation.DoesNotExist`` for one out of scope.
    """
    with transaction.atomic():
        allocation = _locked(allocation_id, by)
        said: dict[str, Any] = {
            "kind": kind,
            "why": why or "",
            "ordered_by": ordered_by,
            "happened_on": happened_on,
        }
        if earlier := standing_deviations([allocation]).filter(kind=kind).first():
            if all(getattr(earlier, name) == value for name, value in said.items()):
                return earlier
            raise Refused("This is recorded already: withdraw what is wrong, then record it anew.")
        _check_arm(allocation, kind)
        _check_said(kind, why, ordered_by)
        _check_day(allocation, happened_on, at)
        deviation = Deviation.objects.create(allocation=allocation, **said, recorded_at=at, recorded_by=by)
        _record(Action.DEVIATION_RECORDED, allocation, by, ["deviations"])
    return deviation


def _check_arm(allocation: Allocation, kind: DeviationKind) -> None:
    if allocation.arm == Arm.SRC and kind in OF_CONTROL:
        raise Refused("The case is to get SRC: that is no deviation. Choose what happened to it.")
    if allocation.arm == Arm.CONTROL and kind in OF_SRC:
        raise Refused("The case is to get usual service, not SRC. Choose what happened to it.")
    contacted = Referral.objects.filter(allocation=allocation, contacted_at__isnull=False).first()
    if kind == DeviationKind.NOT_DELIVERED and contacted is not None:
        raise Refused(f"Contact was made on {contacted.number}: SRC was delivered.")


def _check_said(kind: DeviationKind, why: NotDelivered | None, ordered_by: str) -> None:
    if (kind == DeviationKind.NOT_DELIVERED) != bool(why):
        raise Refused("Say why SRC was not delivered, and say it of nothing else.")
    if (kind == DeviationKind.FOR_SAFETY) != bool(ordered_by):
        raise Refused("Say who ordered a contact for safety, and say it of nothing else.")


def _check_day(allocation: Allocation, happened_on: date, at: datetime) -> None:
    if not first_day(allocation) <= happened_on <= timezone.localdate(at):
        raise Refused(wrong_day(allocation))


def first_day(allocation: Allocation) -> date:
    """The first day on which something can deviate from it, in London."""
    return timezone.localdate(allocation.allocated_at)


def wrong_day(allocation: Allocation) -> str:
    """What is said of a day before the allocation, or to come."""
    return f"Give a day from {day(first_day(allocation))}, when the case entered the trial, to today."


def withdraw_deviation(*, deviation_id: int, by: User, at: datetime) -> Deviation:
    """Takes back what was recorded by mistake, by a further row; twice changes nothing.

    Raises ``Deviation.DoesNotExist`` for one out of scope, and for a row that withdraws another.
    """
    check_authority(by, Permission.RECORD_DEVIATIONS)
    with transaction.atomic():
        recorded = Deviation.objects.filter(allocation__in=allocations_visible_to(by), withdraws__isnull=True)
        deviation = recorded.get(pk=deviation_id)
        allocation = _locked(deviation.allocation_id, by)
        earlier = Deviation.objects.filter(withdraws=deviation).first()
        if earlier is not None:
            return earlier
        if deviation.kind in CONTROL_REFERRED:
            raise Refused("The victim was referred: that stays on record.")
        withdrawal = Deviation.objects.create(
            allocation=allocation,
            kind=deviation.kind,
            why=deviation.why,
            ordered_by=deviation.ordered_by,
            happened_on=deviation.happened_on,
            recorded_at=at,
            recorded_by=by,
            withdraws=deviation,
        )
        _record(Action.DEVIATION_WITHDRAWN, allocation, by, ["deviations"])
    return withdrawal


def check_controls(*, trial: Trial, allocation_ids: Collection[int], by: User, at: datetime) -> int:
    """Records that these controls were looked up on the crime record after their follow-up.

    A unit counts as contacted where within its follow-up a contact is recorded as a deviation, of its own
    report or of a linked one, or was made here outside the trial; otherwise as not. Returns how many were
    not checked before; passes over what is no control unit, out of scope, or still followed up. Raises
    ``Trial.DoesNotExist`` for another BCU's.
    """
    check_authority(by, Permission.RECORD_DEVIATIONS)
    with transaction.atomic():
        locked = trials_to_check(by).select_for_update(of=("self",)).get(pk=trial.pk)
        if locked.status not in OUTCOMES_STILL_OPEN:
            raise Refused(
                f"The outcomes of {locked.name} are locked: no more cases are looked up. Where a contact is "
                "found, record it as a deviation."
            )
        waiting = controls_to_check(trial, by, at).filter(pk__in=allocation_ids).select_related("case")
        controls = list(waiting)
        if not controls:
            return 0
        follow_up = timedelta(days=trial.conduct.follow_up_days)
        keys = [control.pk for control in controls]
        contacted = {unit for unit, _ in contacts_of_controls(keys, follow_up)}
        contacted |= controls_with_src(keys, follow_up)
        ControlCheck.objects.bulk_create(
            ControlCheck(allocation=control, contacted=control.pk in contacted, checked_at=at, checked_by=by)
            for control in controls
        )
        record(
            Action.CONTROLS_CHECKED,
            by=by,
            purpose=Purpose.EVALUATION,
            subject="case",
            references=[control.case.crime_reference for control in controls],
        )
    return len(controls)


def _locked(allocation_id: int, by: User) -> Allocation:
    """The allocation, its trial locked first.

    Also once outcomes are locked: what is recorded then enters no data set but a corrected one.
    """
    check_authority(by, Permission.RECORD_DEVIATIONS)
    allocation = allocations_visible_to(by).select_related("case").get(pk=allocation_id)
    Trial.objects.select_for_update(of=("self",)).only("pk").get(pk=allocation.trial_id)
    return allocation


def _record(action: Action, allocation: Allocation, by: User, fields: Collection[str]) -> None:
    record(
        action,
        by=by,
        purpose=Purpose.EVALUATION,
        subject="case",
        references=[allocation.case.crime_reference],
        fields=fields,
    )
