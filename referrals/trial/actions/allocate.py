"""The arm of a case in a trial, derived when its turn has come and at no other time."""

import secrets
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from django.db.models import Max

from referrals.models import Allocation, Borough, Case, Strand, Submission, Trial, UnitKey
from referrals.rules.trial import seal
from referrals.rules.trial.allocation import (
    Arm,
    Given,
    Scheme,
    arm_at,
)
from referrals.rules.trial.draws import DOMAIN, Canonical, sha256
from referrals.rules.trial.protocol import stratum_of


def allocate(
    *,
    trial: Trial,
    seed: bytes,
    case: Case,
    borough: Borough,
    submission: Submission,
    follows: Allocation | None,
    at: datetime,
) -> Allocation:
    """Allocates one case; the caller holds the trial's row lock and decides the order.

    A report that ``follows`` an earlier one of its unit has its arm and takes no position; otherwise the next
    position of the stratum decides. What the case is like is frozen in the row. The database refuses a
    position, a unit or a link of the chain that is taken already.
    """
    known = _known(case, borough)
    levels = {factor.name: known[factor.name] for factor in trial.design.factors}
    salt = secrets.token_hex(16)
    last = Allocation.objects.filter(trial=trial).order_by("-number").first()
    allocation = Allocation(
        trial=trial,
        number=last.number + 1 if last else 1,
        unit=follows.unit if follows else secrets.token_hex(16),
        stratum=follows.stratum if follows else stratum_of(trial.stratified_by, known),
        levels=follows.levels if follows else levels,
        position=None,
        case=case,
        follows=follows,
        submission=submission,
        allocated_at=at,
        salt=salt,
        case_digest=case_digest(salt, case),
        moment_digest=moment_digest(salt, at),
        previous_hash=last.row_hash if last else "",
    )
    if follows:
        allocation.arm = follows.arm
    else:
        allocation.position = _next_position(allocation)
        allocation.arm = _arm(allocation, seed).value
    key = seal.chain_key(seed, trial.protocol_digest)
    allocation.row_hash = seal.chain_hash(key, previous=allocation.previous_hash, row=chained(allocation))
    allocation.save()
    _keep_keys(allocation)
    return allocation


def _known(case: Case, borough: Borough) -> dict[str, str]:
    """What of a case can be its stratum or a factor."""
    return {
        "borough": borough.code,
        "repeat_victim": "yes" if case.repeat_victim else "no",
        "race": "yes" if Strand.RACE in case.strands else "no",
    }


def _keep_keys(allocation: Allocation) -> None:
    """Makes the case's incident and victim part of this unit, unless they belong to one already."""
    keys = _keys(allocation.case)
    taken = UnitKey.objects.filter(trial=allocation.trial, key_hash__in=keys)
    UnitKey.objects.bulk_create(
        UnitKey(trial=allocation.trial, key_hash=key_hash, allocation=allocation)
        for key_hash in sorted(keys - set(taken.values_list("key_hash", flat=True)))
    )


def chained(allocation: Allocation) -> Mapping[str, Canonical]:
    """The part of an allocation that its hash covers: all of it can be published, as it names nobody."""
    return {
        "number": allocation.number,
        "unit": allocation.unit,
        "case": allocation.case_digest,
        "moment": allocation.moment_digest,
        "stratum": allocation.stratum,
        "levels": allocation.levels,
        "position": allocation.position,
        "follows": allocation.follows.number if allocation.follows else None,
        "arm": allocation.arm,
    }


def case_digest(salt: str, case: Case) -> str:
    """The digest that stands for the case in a bundle (64 hex digits); it tells nothing without the salt."""
    return sha256([DOMAIN, "case", salt, case.crime_reference])


def moment_digest(salt: str, at: datetime) -> str:
    """The digest that stands for the moment, to the microsecond, in a bundle (64 hex digits)."""
    return sha256([DOMAIN, "moment", salt, at.astimezone(UTC).isoformat(timespec="microseconds")])


def firsts_of_unit(case: Case, trials: Collection[Trial]) -> list[Allocation]:
    """The first allocated report of each unit that the case belongs to, the earliest first."""
    known = UnitKey.objects.filter(trial__in=trials, key_hash__in=_keys(case))
    firsts = [key.allocation.follows or key.allocation for key in known.select_related("allocation__follows")]
    return sorted(set(firsts), key=lambda first: first.pk)


def _keys(case: Case) -> set[str]:
    return {key for key in (case.incident_hash, case.victim_hash) if key}


def _next_position(allocation: Allocation) -> int:
    taken = Allocation.objects.filter(trial=allocation.trial, stratum=allocation.stratum)
    return (taken.aggregate(last=Max("position"))["last"] or 0) + 1


def _arm(allocation: Allocation, seed: bytes) -> Arm:
    trial = allocation.trial
    assert allocation.position is not None
    return arm_at(
        seal.allocation_key(seed, trial.protocol_digest),
        trial.design,
        position=allocation.position,
        stratum=allocation.stratum,
        levels=allocation.levels,
        before=_given(trial) if trial.design.scheme is Scheme.MINIMISATION else (),
    )


def _given(trial: Trial) -> list[Given]:
    """Every unit that was allocated so far, in order."""
    units = Allocation.objects.filter(trial=trial, position__isnull=False).order_by("number")
    return [Given(Arm(arm), levels) for arm, levels in units.values_list("arm", "levels")]
