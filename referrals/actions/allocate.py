"""The arm of a case in a trial, derived when its turn has come and at no other time."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Max

from referrals.models import Allocation, Borough, Case, Submission, Trial, UnitKey
from referrals.rules.allocation import Arm, arm_at
from referrals.rules.seal import allocation_key, chain_hash, chain_key


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
    first = first_of_unit(case, [trial])
    if first is None:
        position = _next_position(trial, stratum)
        key = allocation_key(seed, trial.protocol_digest)
        arm = arm_at(key, trial.design, position=position, stratum=stratum.code)
    else:
        position, arm = None, Arm(first.arm)
    last = Allocation.objects.filter(trial=trial).order_by("-number").first()
    allocation = Allocation(
        trial=trial,
        number=last.number + 1 if last else 1,
        stratum=stratum,
        position=position,
        case=case,
        follows=first,
        arm=arm.value,
        submission=submission,
        allocated_at=at,
        previous_hash=last.row_hash if last else "",
    )
    allocation.row_hash = _row_hash(allocation, seed)
    allocation.save()
    known = UnitKey.objects.filter(trial=trial).values_list("key_hash", flat=True)
    UnitKey.objects.bulk_create(
        UnitKey(trial=trial, key_hash=key, allocation=allocation)
        for key in sorted(_keys(case) - set(known.filter(key_hash__in=_keys(case))))
    )
    return allocation


def first_of_unit(case: Case, trials: Collection[Trial]) -> Allocation | None:
    """The earliest allocated report of the case's unit; where it joins two units, the earlier unit's."""
    known = UnitKey.objects.filter(trial__in=trials, key_hash__in=_keys(case))
    firsts = [key.allocation.follows or key.allocation for key in known.select_related("allocation__follows")]
    return min(firsts, key=lambda first: (first.allocated_at, first.number), default=None)


def _keys(case: Case) -> set[str]:
    return {key for key in (case.incident_hash, case.victim_hash) if key}


def _row_hash(allocation: Allocation, seed: bytes) -> str:
    return chain_hash(
        chain_key(seed, allocation.trial.protocol_digest),
        previous=allocation.previous_hash,
        row={
            "number": allocation.number,
            "stratum": allocation.stratum.code,
            "position": allocation.position,
            "case": allocation.case_id,
            "follows": allocation.follows.number if allocation.follows else None,
            "arm": allocation.arm,
            "at": allocation.allocated_at.isoformat(),
        },
    )


def _next_position(trial: Trial, stratum: Borough) -> int:
    taken = Allocation.objects.filter(trial=trial, stratum=stratum).aggregate(last=Max("position"))
    return (taken["last"] or 0) + 1
