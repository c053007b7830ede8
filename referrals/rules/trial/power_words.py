"""A trial's power in plain words, for who decides whether to run it. Pure; every number is worked out."""

from collections.abc import Iterator
from dataclasses import replace
from math import floor

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
        f"{_percent(assumed.contaminated)} of control cases to get it by accident: the arms as allocated "
        f"would differ by {_points(src, control)} points, {_percent(control)} against {_percent(src)}, "
        f"not by {_points(assumed.src_rate, assumed.control_rate)}."
    )


def _loss(assumed: Assumed) -> str:
    (src_known, control_known), (src, control) = assumed.known, assumed.per_arm
    return (
        f"The outcomes of {_percent(assumed.lost)} of either arm are assumed to be unknown at lock: about "
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
    return f"{src:,} in each arm" if src == control else f"{src:,} in the SRC arm and {control:,} in control"


def _points(rate: float, other: float) -> str:
    return _number(100 * abs(rate - other))


def _percent(rate: float) -> str:
    return f"{_number(100 * rate)}%"


def _number(amount: float) -> str:
    """To one decimal, and none where it would be 0."""
    if 0 < amount < 0.05:
        return "less than 0.1"
    return f"{amount:.1f}".removesuffix(".0")
