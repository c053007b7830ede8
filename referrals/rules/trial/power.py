"""What a trial of two arms can and cannot detect: power, cases needed, smallest effect. Pure.

Two proportions are compared by the z test with the pooled variance (the chi-squared test without a continuity
correction), arms as allocated. Source: Fleiss, Levin and Paik (2003), *Statistical Methods for Rates and
Proportions*, chapter 4. Their normal approximation is statsmodels' ``power_proportions_2indep`` and R's
``power.prop.test(strict = TRUE)``.
"""

from bisect import bisect_left
from dataclasses import dataclass, replace

from referrals.rules.trial import power_words
from referrals.rules.trial.allocation import MOST_UNITS
from referrals.rules.trial.assumed import Assumed, ImpossibleAssumption, Pair

__all__ = [
    "AIM",
    "Assumed",
    "Detectable",
    "ImpossibleAssumption",
    "Summary",
    "detectable",
    "for_a_decision",
    "power",
    "sentences",
    "summary_of",
    "units_needed",
]

AIM = 0.8


@dataclass(frozen=True)
class Detectable:
    """The smallest true difference that is found often enough.

    ``src_rate``: the rate with contact that it means. ``points``: how many hundredths that is from the rate
    without, never negative.
    """

    src_rate: float
    points: float


@dataclass(frozen=True)
class Summary:
    """What a page shows of a trial's power.

    ``units_needed`` and ``detectable``: for the power aimed for. ``per_arm``: units. ``diluted``: the rates
    of the arms as allocated. ``sentences`` begin with the ``warnings``, if a figure is not to be relied on.
    """

    power: float
    units_needed: int | None
    detectable: Detectable | None
    sentences: tuple[str, ...]
    per_arm: tuple[int, int]
    diluted: Pair
    warnings: tuple[str, ...] = ()


def power(assumed: Assumed) -> float:
    """The chance, from 0 to 1, that such a trial finds the difference; ``alpha`` where there is none."""
    return _power(assumed, assumed.src_rate)


def units_needed(assumed: Assumed, power: float = AIM) -> int | None:
    """The least units to allocate, a multiple of the ratio's sum, that find the difference so often.

    It allows for what is lost. ``assumed.units`` is not looked at. None: more than ``MOST_UNITS``. Raises
    ImpossibleAssumption.
    """
    _check_aim(assumed, power)

    def reaches(wholes: int) -> bool:
        return _power(replace(assumed, units=wholes * assumed.whole), assumed.src_rate) >= power

    # In one ratio more units always have more power. Formulas for the number count the near tail alone.
    wholes = range(1, MOST_UNITS // assumed.whole + 1)
    found = bisect_left(wholes, True, key=reaches)
    return wholes[found] * assumed.whole if found < len(wholes) else None


def detectable(assumed: Assumed, power: float = AIM) -> Detectable | None:
    """The smallest difference, on the side where ``src_rate`` lies, that such a trial finds so often.

    None: not even a rate of 0 or 1 with contact would be found so often. Raises ImpossibleAssumption.
    """
    _check_aim(assumed, power)
    furthest = 0.0 if assumed.falls else 1.0
    if _power(assumed, furthest) < power:
        return None
    # Imported here for the reason that _power gives.
    from scipy.optimize import brentq

    # For half or more the level is crossed once: the difference, linear in the rate, must exceed a sum of two
    # standard errors, each concave in it, which is the greater where there is no difference.
    rate = brentq(lambda rate: _power(assumed, rate) - power, assumed.control_rate, furthest)
    return Detectable(src_rate=rate, points=100 * abs(rate - assumed.control_rate))


def sentences(assumed: Assumed, power: float = AIM) -> list[str]:
    """What the trial could and could not detect, in plain words. Raises ImpossibleAssumption."""
    return list(summary_of(assumed, power).sentences)


def summary_of(assumed: Assumed, power: float = AIM) -> Summary:
    """All of it. Raises ImpossibleAssumption."""
    chance = _power(assumed, assumed.src_rate)
    needed, least = units_needed(assumed, power), detectable(assumed, power)
    least_rate = least.src_rate if least else None
    warnings = tuple(power_words.warnings(assumed, needed, least_rate))
    plain = power_words.plain(assumed, aim=power, chance=chance, needed=needed, least_rate=least_rate)
    return Summary(
        power=chance,
        units_needed=needed,
        detectable=least,
        sentences=(*warnings, *plain),
        per_arm=assumed.per_arm,
        diluted=assumed.diluted,
        warnings=warnings,
    )


def for_a_decision(assumed: Assumed) -> list[str]:
    """What the trial could find and what it could not, for whoever decides. Raises ImpossibleAssumption."""
    often, half = (
        (assumed.control_rate, found.src_rate) if (found := detectable(assumed, aim)) else None
        for aim in (AIM, 0.5)
    )
    is_rough = bool(summary_of(assumed).warnings)
    return list(power_words.for_a_decision(assumed, often=often, half=half, is_rough=is_rough))


def _check_aim(assumed: Assumed, power: float) -> None:
    if assumed.src_rate == assumed.control_rate:
        raise ImpossibleAssumption("The rates with and without contact must differ: no trial finds nothing.")
    # Below a half, more difference can mean less power in unequal arms: none is the smallest.
    if not 0.5 <= power <= 0.99:
        raise ImpossibleAssumption("The power to aim for must be from 50% to 99%; 80% is usual.")


def _power(assumed: Assumed, src_rate: float) -> float:
    # Imported by who asks for power, and by nobody else: with scipy and pandas it costs a web worker of
    # 120 MB another 107 MB for as long as it lives, and 0.8 s once.
    from statsmodels.stats.proportion import power_proportions_2indep

    src, control = assumed.diluted_at(src_rate)
    src_units, control_units = assumed.known
    side = "smaller" if assumed.falls else "larger"
    return float(
        power_proportions_2indep(
            diff=src - control,
            prop2=control,
            nobs1=src_units,
            ratio=control_units / src_units,  # of the second sample to the first: not the trial's ratio
            alpha=assumed.alpha,
            alternative=side if assumed.one_sided else "two-sided",
            return_results=False,
        )
    )
