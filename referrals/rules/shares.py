"""Shares of small numbers: what chance alone explains.

Funnel limits are those of the exact binomial distribution around the share of the whole, interpolated
between whole numbers: Spiegelhalter (2005), "Funnel plots for comparing institutional performance",
Statistics in Medicine 24(8). The difference of two shares has Newcombe's interval: Newcombe (1998),
"Interval estimation for the difference between independent proportions", Statistics in Medicine 17(8).
Both come from libraries, which are slow to import and few processes need.
"""

from dataclasses import dataclass

# About 2 in 1,000 lie outside these by chance, and 1 in 20 outside the inner ones.
OUTER, INNER = 0.001, 0.025
FEWEST = 5


@dataclass(frozen=True)
class Limits:
    """Between what shares the share of ``number`` lies by chance: nearly always, and 19 times in 20."""

    number: int
    low: float
    inner_low: float
    inner_high: float
    high: float


def funnel(numbers: list[int], share: float) -> list[Limits]:
    """The limits around a share, from 0 to 1, at each of these numbers, which are above 0."""
    from scipy.stats import binom

    if share in (0, 1):
        return [Limits(number, share, share, share, share) for number in numbers]

    def at(tail: float) -> list[float]:
        reached = binom.ppf(tail, numbers, share)
        over = binom.cdf(reached, numbers, share) - tail
        step = binom.pmf(reached, numbers, share)
        shares = (reached - over / (step + (step == 0))) / numbers
        return list(shares.clip(0, 1))

    columns = [at(tail) for tail in (OUTER, INNER, 1 - INNER, 1 - OUTER)]
    return [Limits(number, *limits) for number, *limits in zip(numbers, *columns, strict=True)]


def beyond_chance(part: int, number: int, share: float) -> int:
    """-1 where so few of the number are not by chance, 1 where so many are not, and 0 otherwise.

    It is 0 of fewer than ``FEWEST``: small numbers shame no one.
    """
    from scipy.stats import binom

    if number < FEWEST:
        return 0
    if binom.cdf(part, number, share) < OUTER:
        return -1
    return 1 if binom.sf(part - 1, number, share) < OUTER else 0


def difference(part: int, number: int, other_part: int, other_number: int) -> tuple[float, float, float]:
    """How much larger the first share is, and its 95% interval, from -1 to 1; both numbers are above 0."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(
        part, number, other_part, other_number, method="newcomb", compare="diff", alpha=0.05
    )
    return part / number - other_part / other_number, float(low), float(high)
