"""How often somebody who knows every arm so far guesses the next one: a simulation, pure.

Sources: Blackwell and Hodges (1957), whose convergence strategy guesses the arm that is behind, and the
expected number of right guesses in a block of one size.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import comb, sqrt
from random import Random

from referrals.rules.trial.allocation import (
    ARMS,
    Arm,
    Design,
    Factor,
    Given,
    Scheme,
    arm_at,
    arms_of,
    imbalance,
)

# Minimisation looks at everybody before each unit, and every order is tried out: fewer trials do for these.
MINIMISED_ONE_IN, ORDERED_ONE_IN = 10, 4
# Of a day's cases, how many the person would rather see in the SRC arm.
DAY, FAVOURED = 5, 2

Hits = tuple[int, int]  # of one trial: how many, and of how many


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``of`` over the simulated trials.

    ``error``: its Monte Carlo standard error, from how whole trials differ. ``known``: what theory says.
    """

    scheme: str
    who: str
    hits: int
    of: int
    error: float
    known: Fraction | None

    @property
    def share(self) -> float:
        """Hits of all."""
        return self.hits / self.of

    @property
    def agrees(self) -> bool:
        """Whether it is within four standard errors of what theory says, where that is known."""
        return self.known is None or abs(self.share - self.known) <= 4 * self.error


def rate(scheme: str, who: str, trials: Sequence[Hits], known: Fraction | None = None) -> Rate:
    """The rate over two trials or more, each a cluster of guesses that hang together."""
    hits, of = sum(right for right, _ in trials), sum(number for _, number in trials)
    squares = sum((right - number * hits / of) ** 2 for right, number in trials)
    error = sqrt(squares * len(trials) / (len(trials) - 1)) / of
    return Rate(scheme, who, hits, of, error, known)


def expected_in_block(size: int) -> Fraction:
    """How many arms of a block (even, half of it SRC) the convergence strategy is expected to guess."""
    return Fraction(size, 2) + (Fraction(2**size, comb(size, size // 2)) - 1) / 2


def converging(design: Design, arms: Iterable[Arm], chance: Random) -> Hits:
    """Guesses in one stratum by the convergence strategy: the arm behind its share, a coin when even."""
    counts: Counter[Arm] = Counter()
    right = 0
    for arm in arms:
        guess = _lesser(counts[Arm.SRC] * design.ratio[1], counts[Arm.CONTROL] * design.ratio[0], chance)
        right += guess is arm
        counts[arm] += 1
    return right, counts.total()


def knowing_the_size(design: Design, arms: Sequence[Arm], chance: Random) -> Hits:
    """Guesses by whoever knows the one block size: the arm of which more is left in the block."""
    (size,) = design.block_sizes
    right = 0
    for start in range(0, len(arms), size):
        src, control = (share * size // design.whole for share in design.ratio)
        for arm in arms[start : start + size]:
            right += _lesser(control, src, chance) is arm
            src, control = src - (arm is Arm.SRC), control - (arm is Arm.CONTROL)
    return right, len(arms)


def guessing(*, target: int, strata: int, trials: int, chance: Random) -> list[Rate]:
    """The rates of every scheme, in trials of ``target`` units.

    ``chance`` makes the trials' keys, the guesser's coin and the units' levels; arms come from the rules. Of
    minimisation there is one in ten of as many ``trials``, 20 or more. Raises ImpossibleDesign.
    """
    names = tuple(f"stratum {number}" for number in range(1, strata + 1))
    sizes = (4, 6, 8)
    designs = {
        "simple": Design(Scheme.SIMPLE, target),
        "complete": Design(Scheme.COMPLETE, target),
        "blocks of 4": Design(Scheme.BLOCKS, target, block_sizes=(4,)),
        "blocks of 6, 2:1": Design(Scheme.BLOCKS, target, (2, 1), block_sizes=(6,)),
        "blocks of 4, 6 or 8": Design(Scheme.BLOCKS, target, block_sizes=sizes),
        "stratified blocks of 4, 6 or 8": Design(
            Scheme.STRATIFIED_BLOCKS, target, block_sizes=sizes, strata=names
        ),
    }
    known = {
        "simple": Fraction(1, 2),
        "complete": expected_in_block(target) / target,
        "blocks of 4": expected_in_block(4) / 4,
    }
    rates = []
    for scheme, design in designs.items():
        made = [list(_strata(design, chance)) for _ in range(trials)]
        hits = [_sum(converging(design, arms, chance) for arms in each) for each in made]
        rates.append(rate(scheme, "convergence", hits, known.get(scheme)))
        if len(design.block_sizes) == 1:
            hits = [_sum(knowing_the_size(design, arms, chance) for arms in each) for each in made]
            rates.append(rate(scheme, "knows the block size", hits, known.get(scheme)))
    return rates + _minimising(target, names, trials // MINIMISED_ONE_IN, chance)


def rate_of(design: Design, *, trials: int, chance: Random) -> Rate:
    """How often somebody who knows every arm so far guesses the next arm of a design.

    They guess by the convergence strategy, or always the larger arm if that is right more often. For a ratio
    of 1:1 in one urn or in blocks the rate is worked out by theory. Otherwise it is simulated in ``trials``
    trials, of which there must be 2 or more.
    """
    scheme = design.scheme
    if design.ratio == (1, 1) and scheme is not Scheme.MINIMISATION:
        urns = design.block_sizes or ((design.target,) if scheme is Scheme.COMPLETE else ())
        right = sum((expected_in_block(size) for size in urns), Fraction(0))
        return _worked_out(scheme, "convergence", right / sum(urns) if urns else Fraction(1, 2))
    if scheme is Scheme.MINIMISATION:
        made = [[[arm for _, arm in _minimised(design, chance)]] for _ in range(trials)]
    else:
        made = [list(_strata(design, chance)) for _ in range(trials)]
    hits = [_sum(converging(design, arms, chance) for arms in each) for each in made]
    converged = rate(scheme.value, "convergence", hits)
    larger = Fraction(max(design.ratio), design.whole)
    return converged if converged.share > larger else _worked_out(scheme, "the larger arm", larger)


def _worked_out(scheme: Scheme, who: str, known: Fraction) -> Rate:
    return Rate(scheme.value, who, known.numerator, known.denominator, 0.0, known)


def ordering(*, target: int, trials: int, chance: Random) -> list[Rate]:
    """How many of the favoured cases get SRC, by who decides about the order within a day.

    In one in four of as many ``trials``.
    """
    rates = []
    half = Fraction(1, 2)
    # Where the past says nothing of the next arm, no order can gain: that proves the simulation.
    for design, scheme, gain in (
        (Design(Scheme.SIMPLE, target), "simple", half),
        (Design(Scheme.BLOCKS, target, block_sizes=(4,)), "blocks of 4", None),
        (Design(Scheme.BLOCKS, target, block_sizes=(4, 6, 8)), "blocks of 4, 6 or 8", None),
    ):
        made = [list(_days(design, chance)) for _ in range(trials // ORDERED_ONE_IN)]
        for who, order_of, known in (
            ("order chosen", wanted_order, gain),
            ("order of report", order_of_report, half),
            ("submitted one by one", one_by_one, gain),
        ):
            hits = [_sum(_favoured(day, order_of(day)) for day in days) for days in made]
            rates.append(rate(scheme, who, hits, known))
    return rates


@dataclass(frozen=True)
class Day:
    """The arms of a day's positions, and what the person knows or wishes before they are given.

    ``ahead``: by how many SRC is ahead after all days before. Cases are numbered by time of report.
    """

    arms: Sequence[Arm]
    ahead: int
    favoured: Set[int]


def wanted_order(day: Day) -> list[int]:
    """Favoured cases first while SRC is behind, last while it is ahead."""
    return sorted(range(DAY), key=lambda case: day.ahead * (case in day.favoured))


def order_of_report(day: Day) -> list[int]:
    """As a submission is allocated, in whatever order its cases were put in."""
    return sorted(wanted_order(day))


def one_by_one(day: Day) -> list[int]:
    """Every case in a submission of its own: the person sees each arm before the next case is chosen."""
    ahead = day.ahead
    order: list[int] = []
    for arm in day.arms:
        waiting = [case for case in range(DAY) if case not in order]
        waiting.sort(key=lambda case: case in day.favoured, reverse=ahead < 0)
        order.append(waiting[0])
        ahead += 1 if arm is Arm.SRC else -1
    return order


def _lesser(src: int, control: int, chance: Random) -> Arm:
    """The arm with the smaller number; a coin when they are the same."""
    if src == control:
        return chance.choice(ARMS)
    return Arm.SRC if src < control else Arm.CONTROL


def _strata(design: Design, chance: Random) -> Iterator[list[Arm]]:
    """One trial's arms by stratum, whole blocks of it where there is one size."""
    key = chance.randbytes(32)
    length = design.target
    if len(design.block_sizes) == 1:
        length -= length % design.block_sizes[0]
    units = Counter(chance.choices(design.strata, k=length))
    for stratum in design.strata:
        yield list(islice(arms_of(key, design, stratum=stratum), units[stratum]))


def _sum(parts: Iterable[Hits]) -> Hits:
    right, of = zip(*parts, strict=True)
    return sum(right), sum(of)


def _minimising(target: int, strata: tuple[str, ...], trials: int, chance: Random) -> list[Rate]:
    factors = (Factor("stratum", strata), Factor("repeat", ("first report", "repeat report")))
    design = Design(Scheme.MINIMISATION, target, factors=factors)
    converged, balancing = [], []
    for _ in range(trials):
        guesses, arms = zip(*_minimised(design, chance), strict=True)
        converged.append(converging(design, arms, chance))
        balancing.append((sum(guessed is arm for guessed, arm in zip(guesses, arms, strict=True)), target))
    return [
        rate("minimisation", "convergence", converged),
        rate("minimisation", "knows everybody's levels", balancing),
    ]


def _minimised(design: Design, chance: Random) -> Iterator[tuple[Arm, Arm]]:
    """For each unit the arm that would balance better, and the arm it gets."""
    key = chance.randbytes(32)
    before: list[Given] = []
    for position in range(1, design.target + 1):
        levels = {factor.name: chance.choice(factor.levels) for factor in design.factors}
        src, control = (imbalance(arm, design.factors, levels, before) for arm in ARMS)
        arm = arm_at(key, design, position=position, levels=levels, before=before)
        before.append(Given(arm, levels))
        yield _lesser(src, control, chance), arm


def _days(design: Design, chance: Random) -> Iterator[Day]:
    """Whole days of one trial."""
    arms = arms_of(chance.randbytes(32), design)
    counts: Counter[Arm] = Counter()
    for _ in range(design.target // DAY):
        day = list(islice(arms, DAY))
        ahead = counts[Arm.SRC] - counts[Arm.CONTROL]
        yield Day(day, ahead, favoured=set(chance.sample(range(DAY), FAVOURED)))
        counts.update(day)


def _favoured(day: Day, order: Sequence[int]) -> Hits:
    given = zip(day.arms, order, strict=True)
    return sum(arm is Arm.SRC for arm, case in given if case in day.favoured), FAVOURED
