"""The arm of a case in a trial, derived when its turn has come and at no other time."""

from datetime import datetime

from django.db.models import Max

from referrals.models import Allocation, Borough, Case, Submission, Trial, UnitKey
from referrals.rules.allocation import Arm, arm_at, chain_hash


def allocate(
    *,
    trial: Trial,
    seed: bytes,
    case: Case,
    stratum: Borough,
    submission: Submission,
    at: datetime,
) -> Allocation:
    """Allocates one case; the caller holds the trial's row lock and decides the order.

    A report that shares an incident or victim with an earlier one of the trial follows its arm and takes no
    position; otherwise the next position of the stratum decides. The database refuses a position, a unit or
    a link of the chain that is taken already.
    """
    keys = {key for key in (case.incident_hash, case.victim_hash) if key}
    known = UnitKey.objects.filter(trial=trial, key_hash__in=keys).select_related("allocation__follows")
    first = _first_of_unit(list(known))
    last = Allocation.objects.filter(trial=trial).order_by("-number").first()
    if first is None:
        position = _next_position(trial, stratum)
        arm = arm_at(
            seed,
            trial=str(trial.pk),
            stratum=stratum.code,
            position=position,
            sizes=trial.block_sizes,
        )
    else:
        position, arm = None, Arm(first.arm)
    number = last.number + 1 if last else 1
    previous = last.row_hash if last else ""
    allocation = Allocation.objects.create(
        trial=trial,
        number=number,
        stratum=stratum,
        position=position,
        case=case,
        follows=first,
        arm=arm.value,
        submission=submission,
        allocated_at=at,
        previous_hash=previous,
        row_hash=chain_hash(
            seed,
            previous=previous,
            row={
                "number": number,
                "stratum": stratum.code,
                "position": position,
                "case": case.pk,
                "follows": first.number if first else None,
                "arm": arm.value,
                "at": at.isoformat(),
            },
        ),
    )
    UnitKey.objects.bulk_create(
        UnitKey(trial=trial, key_hash=key, allocation=allocation)
        for key in sorted(keys - {unit.key_hash for unit in known})
    )
    return allocation


def _first_of_unit(known: list[UnitKey]) -> Allocation | None:
    """The earliest allocated report of the unit; where a report joins two units, the earlier unit's."""
    firsts = [unit.allocation.follows or unit.allocation for unit in known]
    return min(firsts, key=lambda allocation: allocation.number, default=None)


def _next_position(trial: Trial, stratum: Borough) -> int:
    taken = Allocation.objects.filter(trial=trial, stratum=stratum).aggregate(last=Max("position"))
    return (taken["last"] or 0) + 1
