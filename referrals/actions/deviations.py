"""What did not go as it was allocated, as the HCOP records it, and the check of every control."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from referrals.actions import Refused
from referrals.models import (
    OF_CONTROL,
    OF_SRC,
    Allocation,
    Arm,
    ControlCheck,
    Deviation,
    DeviationKind,
    NotDelivered,
    Trial,
    TrialStatus,
)
from referrals.queries import allocations_visible_to, controls_to_check, standing_deviations
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

_UNLOCKED = (TrialStatus.RECRUITING, TrialStatus.CLOSED)


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

    ``why``: of SRC that was not delivered. ``ordered_by``: who ordered a contact for safety. Raises
    ``Allocation.DoesNotExist`` for one out of scope.
    """
    with transaction.atomic():
        allocation = _locked(allocation_id, by)
        _check(allocation, kind, happened_on, at)
        if standing_deviations([allocation]).filter(kind=kind).exists():
            raise Refused("This is recorded already: withdraw what is wrong, then record it anew.")
        deviation = Deviation.objects.create(
            allocation=allocation,
            kind=kind,
            why=why or "",
            ordered_by=ordered_by,
            happened_on=happened_on,
            recorded_at=at,
            recorded_by=by,
        )
        _record(Action.DEVIATION_RECORDED, allocation, by, [kind])
    return deviation


def _check(allocation: Allocation, kind: DeviationKind, happened_on: date, at: datetime) -> None:
    arm = {**dict.fromkeys(OF_CONTROL, Arm.CONTROL), **dict.fromkeys(OF_SRC, Arm.SRC)}.get(kind)
    if arm is not None and allocation.arm != arm:
        raise Refused(f"The case is in the arm {allocation.get_arm_display()}: choose what happened to it.")
    first = timezone.localdate(allocation.allocated_at)
    if not first <= happened_on <= timezone.localdate(at):
        raise Refused(f"Give a day from {first:%-d %B %Y}, when the case was allocated, to today.")


def withdraw_deviation(*, deviation_id: int, by: User, at: datetime) -> Deviation:
    """Takes back what was recorded by mistake, by a further row; twice changes nothing."""
    check_authority(by, Permission.RECORD_DEVIATIONS)
    with transaction.atomic():
        recorded = Deviation.objects.filter(allocation__in=allocations_visible_to(by), withdraws__isnull=True)
        deviation = recorded.get(pk=deviation_id)
        allocation = _locked(deviation.allocation_id, by)
        earlier = Deviation.objects.filter(withdraws=deviation).first()
        if earlier is not None:
            return earlier
        if deviation.kind in OF_CONTROL and ControlCheck.objects.filter(allocation=allocation).exists():
            raise Refused("The check of this control counted it: it cannot be withdrawn any more.")
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
        _record(Action.DEVIATION_WITHDRAWN, allocation, by, [deviation.kind])
    return withdrawal


def check_controls(*, trial: Trial, allocation_ids: Collection[int], by: User, at: datetime) -> int:
    """Records that these controls were looked up on the crime record after their follow-up.

    Each counts as contacted where a contact is recorded as a deviation, and otherwise as not. Returns how
    many were not checked before.
    """
    check_authority(by, Permission.RECORD_DEVIATIONS)
    with transaction.atomic():
        Trial.objects.select_for_update(of=("self",)).get(pk=trial.pk)
        waiting = controls_to_check(trial, by, at).filter(pk__in=allocation_ids).select_related("case")
        controls = list(waiting)
        if not controls:
            return 0
        found = standing_deviations(controls).filter(kind__in=OF_CONTROL)
        contacted = set(found.values_list("allocation", flat=True))
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
    """The allocation, its trial locked first: nothing of it is recorded once outcomes are locked."""
    check_authority(by, Permission.RECORD_DEVIATIONS)
    allocation = allocations_visible_to(by).select_related("case").get(pk=allocation_id)
    trial = Trial.objects.select_for_update(of=("self",)).get(pk=allocation.trial_id)
    if trial.status not in _UNLOCKED:
        raise Refused(
            f"The outcomes of {trial.name} are locked: tell the trial lead, who can correct the data set."
        )
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
