"""A trial's power in plain words, for who decides whether to run it. Pure; every number is worked out."""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil, floor

from referrals.rules.trial.allocation import MOST_UNITS
from referrals.rules.trial.assumed import Assumed, Pair

# With fewer expected cases that have the outcome, or have it not, the normal approximation misleads.
SCARCE = 10


def warnings(assumed: Assumed, needed: int | None, least_rate: float | None) -> Iterator[str]:
    """Which figures are not to be relied on, and what to do then; nothing where all are.

    ``needed``: units for the power aimed for. ``least_rate``: the rate with contact, if the smallest
    difference is found.
    """
    asked = {"the chance of finding it": _scarcest(assumed, assumed.diluted)}
    if needed is not None:
        asked["the cases needed"] = _scarcest(replace(assumed, units=needed), assumed.diluted)
    if least_rate is not None:
        asked["the smallest difference"] = _scarcest(assumed, assumed.diluted_at(least_rate))
    scarce = {figure: found for figure, found in asked.items() if found}
    for figure, found in scarce.items():
        yield f"Do not rely on {figure}: {found}, fewer than {SCARCE}."
    if scarce:
        yield (
            f"Below {SCARCE} the method, a normal approximation, can be wrong by many points either way. "
            "Ask a statistician to simulate the trial or to calculate it exactly."
        )


def plain(
    assumed: Assumed, *, aim: float, chance: float, needed: int | None, least_rate: float | None
) -> Iterator[str]:
    """What the trial could and could not detect; ``chance`` is its power, ``aim`` the one wished for."""
    often = f"in {_number(100 * aim)} of 100 such trials"
    yield _finding(assumed, chance)
    if (assumed.complied, assumed.contaminated) != (1, 0):
        yield _dilution(assumed)
    if assumed.lost:
        yield _loss(assumed)
    yield _need(assumed, often, needed)
    yield _smallest(assumed, often, least_rate)
    yield _false_alarm(assumed)


def for_a_decision(
    assumed: Assumed, *, often: Pair | None, half: Pair | None, is_rough: bool
) -> Iterator[str]:
    """What the trial could find and what it could not, for somebody who decides whether it goes ahead.

    Differences are of 100 victims. ``often``: the rates without and with contact that are found four times
    out of five; ``half``: those found every other time. ``is_rough``: a figure is not to be relied on.
    """
    yield (
        f"Without the contact {_number(100 * assumed.control_rate)} of 100 cases are expected to have the "
        f"outcome; it is hoped that with it {_number(100 * assumed.src_rate)} of 100 do."
    )
    size = f"With {assumed.units:,} cases it would find"
    if often is None:
        yield f"{size} no difference, however large, four times out of five."
    else:
        yield f"{size} a difference of {_of_100(often)} in 100, or larger, four times out of five."
    if half is not None:
        yield (
            f"It would find a difference of {_of_100(half)} in 100 every other time, and would usually miss "
            "a smaller one. If it finds nothing, the contact may still make a smaller difference."
        )
    if is_rough:
        yield "These figures are rough: few cases are expected to have the outcome. Ask for exact ones."


def _of_100(rates: Pair) -> int:
    """How many of 100 the two differ by; never fewer than they do."""
    return ceil(round(100 * abs(rates[0] - rates[1]), 6))


def _scarcest(assumed: Assumed, rates: Pair) -> str | None:
    """The arm and outcome with the fewest expected cases, in words, if they are too few."""
    counts = [
        (units * share, units, f"{arm} cases are expected {what} the outcome")
        for arm, units, rate in zip(("SRC", "control"), assumed.known, rates, strict=True)
        for share, what in ((rate, "to have"), (1 - rate, "not to have"))
    ]
    count, units, words = min(counts)
    if round(count, 9) >= SCARCE:  # 125 × (1 − 0.92) is 9.999…
        return None
    return f"about {floor(count * 10) / 10:g} of {units:,.0f} {words}"


def _finding(assumed: Assumed, chance: float) -> str:
    change = f"a {_change(assumed)} from {_percent(assumed.control_rate)} to {_percent(assumed.src_rate)}"
    match round(100 * chance):
        case 0:
            often = "fewer than 1 of 100"
        case 100:
            often = "more than 99 of 100"
        case times:
            often = f"about {times} of 100"
    return (
        f"With {assumed.units:,} cases, {_arms(*assumed.per_arm)}, {change} would be found in {often} such "
        "trials; the others would miss it."
    )


def _dilution(assumed: Assumed) -> str:
    src, control = assumed.diluted
    return (
        f"{_percent(assumed.complied)} of SRC cases are assumed to get their contact, and "
        f"{_percent(assumed.contaminated)} of control cases to get it by accident: the groups as allocated "
        f"would differ by {_points(src, control)} points, {_percent(control)} against {_percent(src)}, "
        f"not by {_points(assumed.src_rate, assumed.control_rate)}."
    )


def _loss(assumed: Assumed) -> str:
    (src_known, control_known), (src, control) = assumed.known, assumed.per_arm
    return (
        f"The outcomes of {_percent(assumed.lost)} of either group are assumed to be unknown at lock: about "
        f"{src_known:,.0f} of {src:,} SRC cases and {control_known:,.0f} of {control:,} control cases count."
    )


def _need(assumed: Assumed, often: str, needed: int | None) -> str:
    if needed is None:
        return f"No trial of up to {MOST_UNITS:,} cases would find it {often}."
    arms = _arms(*replace(assumed, units=needed).per_arm)
    more = needed - assumed.units
    enough = f"{more:,} more than planned" if more > 0 else f"the {assumed.units:,} planned are enough"
    return f"To find it {often} takes {needed:,} cases, {arms}: {enough}."


def _smallest(assumed: Assumed, often: str, least_rate: float | None) -> str:
    change, control = _change(assumed), _percent(assumed.control_rate)
    if least_rate is None:
        return (
            f"No {change} from {control}, not even to {'0%' if assumed.falls else '100%'}, would be found "
            f"{often}."
        )
    return (
        f"The smallest {change} that {assumed.units:,} cases find {often} is one of "
        f"{_points(least_rate, assumed.control_rate)} points, from {control} to {_percent(least_rate)}; a "
        "trial that finds nothing would not rule out a smaller one."
    )


def _false_alarm(assumed: Assumed) -> str:
    often = f"If the contact changed nothing, about {_number(100 * assumed.alpha)} of 100 such trials"
    if not assumed.one_sided:
        return f"{often} would find a difference all the same."
    other = "rise" if assumed.falls else "fall"
    return f"{often} would find a {_change(assumed)} all the same; no {other}, however large, would be found."


def _change(assumed: Assumed) -> str:
    return "fall" if assumed.falls else "rise"


def _arms(src: int, control: int) -> str:
    return f"{src:,} in each group" if src == control else f"{src:,} with SRC and {control:,} without"


def _points(rate: float, other: float) -> str:
    return _number(100 * abs(rate - other))


def _percent(rate: float) -> str:
    return f"{_number(100 * rate)}%"


def _number(amount: float) -> str:
    """To one decimal, and none where it would be 0."""
    if 0 < amount < 0.05:
        return "less than 0.1"
    return f"{amount:.1f}".removesuffix(".0")
