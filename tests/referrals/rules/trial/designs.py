"""Designs to prove the rules with, and the sequence of a design."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Factor,
    Given,
    Scheme,
    arm_at,
    arms_of,
)
from referrals.rules.trial.seal import allocation_key, protocol_digest

SEED = bytes(range(32))
PROTOCOL = protocol_digest({"name": "Pilot"})
KEY = allocation_key(SEED, PROTOCOL)
BOROUGHS = ("E09000021", "E09000024", "E09000027", "E09000032")
SCHEMES = {
    "simple": Design(Scheme.SIMPLE, target=60),
    "simple 2:1": Design(Scheme.SIMPLE, target=60, ratio=(2, 1)),
    "complete": Design(Scheme.COMPLETE, target=30),
    "complete 2:1": Design(Scheme.COMPLETE, target=30, ratio=(2, 1)),
    "blocks": Design(Scheme.BLOCKS, target=60, block_sizes=(4, 6, 8)),
    "blocks 2:1": Design(Scheme.BLOCKS, target=60, ratio=(2, 1), block_sizes=(3, 6, 9)),
    "blocks 3:2": Design(Scheme.BLOCKS, target=60, ratio=(3, 2), block_sizes=(5, 10)),
    "stratified": Design(Scheme.STRATIFIED_BLOCKS, target=60, block_sizes=(4, 6, 8), strata=BOROUGHS),
    "stratified 1:2": Design(
        Scheme.STRATIFIED_BLOCKS, target=60, ratio=(1, 2), block_sizes=(3, 6), strata=BOROUGHS
    ),
}
MINIMISED = Design(
    Scheme.MINIMISATION,
    target=60,
    factors=(Factor("borough", BOROUGHS, weight=2), Factor("repeat", ("first", "repeat"))),
    coin=80,
)


def sequence(key: bytes, design: Design, length: int, stratum: str | None = None) -> list[Arm]:
    """The arms of a stratum, the first unless it is named, each asked for by itself."""
    stratum = design.strata[0] if stratum is None else stratum
    return [arm_at(key, design, position=n, stratum=stratum) for n in range(1, length + 1)]


def keys(count: int) -> list[bytes]:
    """Keys of as many trials, always the same."""
    return [allocation_key(number.to_bytes(32, "big"), PROTOCOL) for number in range(count)]


def sequences(design: Design, trials: int, length: int) -> list[list[Arm]]:
    """The first stratum of as many trials."""
    strata = design.strata[0]
    return [list(itertools.islice(arms_of(key, design, stratum=strata), length)) for key in keys(trials)]


def minimised(key: bytes, design: Design, units: Sequence[Mapping[str, str]]) -> Iterator[Arm]:
    """The arm of each unit, given all before it."""
    before: list[Given] = []
    for position, levels in enumerate(units, start=1):
        arm = arm_at(key, design, position=position, levels=levels, before=before)
        before.append(Given(arm, levels))
        yield arm


def letters(arms: Iterator[Arm] | Sequence[Arm]) -> str:
    """One letter an arm: s or c."""
    return "".join(arm.value[0] for arm in arms)


# Where a chi-squared statistic is in one case of a million, by degrees of freedom.
_MILLIONTH = {
    1: 23.93,
    2: 27.63,
    3: 30.66,
    4: 33.38,
    5: 35.89,
    6: 38.26,
    7: 40.52,
    9: 44.81,
    15: 56.49,
    19: 63.68,
}


def assert_even(counts: Mapping[Any, int], *, among: int) -> None:
    """Each of ``among`` outcomes is as likely: chi-squared, p = 0.000001. Every one must have come."""
    assert len(counts) == among
    expected = sum(counts.values()) / among
    statistic = sum((count - expected) ** 2 / expected for count in counts.values())
    assert statistic < _MILLIONTH[among - 1], counts


def assert_share(count: int, of: int, share: float) -> None:
    """A count of independent draws is within 4.9 standard errors of its share (p = 0.000001)."""
    assert abs(count - of * share) < 4.9 * (of * share * (1 - share)) ** 0.5, (count, of, share)
