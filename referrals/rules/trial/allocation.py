"""Which arm a unit of a trial falls to: pure, and the same for ever for the same key and design.

Every arm is drawn when its position is taken, from the positions before it: no later arm is ever worked out.
Positions count from 1.

Sources: Efron (1971) on balance and selection bias; Matts and Lachin (1988) on permuted blocks of random
size; Pocock and Simon (1975) on minimisation, with the range as the measure of imbalance.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain, count, islice
from math import gcd

from referrals.rules.trial.draws import draw

# No force could recruit more: the largest had 22,421 hate crime investigations in a year. What a design costs
# to look at grows with it.
MOST_UNITS = 50_000


class Arm(Enum):
    """The two arms."""

    SRC = "src"
    CONTROL = "control"


ARMS = tuple(Arm)


class Scheme(Enum):
    """How positions fall to arms."""

    SIMPLE = "simple"
    COMPLETE = "complete"
    BLOCKS = "blocks"
    STRATIFIED_BLOCKS = "stratified_blocks"
    MINIMISATION = "minimisation"


class ImpossibleDesign(ValueError):
    """No trial can be allocated so; says in one sentence what to change."""


@dataclass(frozen=True)
class Factor:
    """What minimisation balances: its levels, and how much it counts beside the others (a whole number)."""

    name: str
    levels: tuple[str, ...]
    weight: int = 1


@dataclass(frozen=True)
class Design:
    """How a trial allocates. Raises :class:`ImpossibleDesign`.

    ``ratio``: SRC to control. ``target``: units, of the whole trial; the complete scheme ends there. At most
    ``MOST_UNITS``, and there are bounds for the number of block sizes, strata, factors and levels too.
    ``strata``: of stratified blocks; the other schemes have one, called "". ``coin``: of 100, how often
    minimisation gives the arm that balances better.
    """

    scheme: Scheme
    target: int
    ratio: tuple[int, int] = (1, 1)
    block_sizes: tuple[int, ...] = ()
    strata: tuple[str, ...] = ("",)
    factors: tuple[Factor, ...] = ()
    coin: int = 80

    def __post_init__(self) -> None:
        """Nothing that cannot be allocated exists."""
        _check(self)

    @property
    def whole(self) -> int:
        """The least number of units that can be split exactly in the ratio."""
        return sum(self.ratio)


@dataclass(frozen=True)
class Given:
    """A unit that has its arm: what minimisation looks at, level by factor."""

    arm: Arm
    levels: Mapping[str, str] = field(default_factory=dict)


def arm_at(
    key: bytes,
    design: Design,
    *,
    position: int,
    stratum: str = "",
    levels: Mapping[str, str] | None = None,
    before: Sequence[Given] = (),
) -> Arm:
    """The arm of a position of a stratum.

    Minimisation needs the unit's ``levels`` and everybody given an arm ``before`` it, in order; the others
    need neither. Raises ValueError for a position or stratum that the design has not.
    """
    if position < 1:
        raise ValueError(f"Positions count from 1, not {position}.")
    if stratum not in design.strata:
        raise ValueError("The design has no such stratum.")
    match design.scheme:
        case Scheme.SIMPLE:
            return _from_urn(key, stratum, position, design.ratio)
        case Scheme.COMPLETE:
            if position > design.target:
                raise ValueError(f"The trial has {design.target} positions: there is no {position}.")
            return _nth(position, _emptied(key, stratum, 1, design.target, design))
        case Scheme.MINIMISATION:
            return _minimised(key, design, position, levels or {}, before)
        case _:
            blocks = _blocks(key, design, stratum)
            first, size = next((first, size) for first, size in blocks if position < first + size)
            return _nth(position - first + 1, _emptied(key, stratum, first, size, design))


def arms_of(key: bytes, design: Design, *, stratum: str = "") -> Iterator[Arm]:
    """The arms of a stratum from its first position on, each drawn when it is asked for.

    Of use only once a trial is revealed, or simulated. Not for minimisation, which needs the units.
    """
    match design.scheme:
        case Scheme.SIMPLE:
            return (_from_urn(key, stratum, position, design.ratio) for position in count(1))
        case Scheme.COMPLETE:
            return _emptied(key, stratum, 1, design.target, design)
        case Scheme.MINIMISATION:
            raise ValueError("Minimisation has no sequence without its units.")
        case _:
            blocks = _blocks(key, design, stratum)
            urns = (_emptied(key, stratum, first, size, design) for first, size in blocks)
            return chain.from_iterable(urns)


def _blocks(key: bytes, design: Design, stratum: str) -> Iterator[tuple[int, int]]:
    """The first position and the size of each block, in order."""
    first = 1
    for index in count():
        size = design.block_sizes[draw(key, ["size", stratum, index], len(design.block_sizes))]
        yield first, size
        first += size


def imbalance(arm: Arm, factors: Sequence[Factor], levels: Mapping[str, str], before: Sequence[Given]) -> int:
    """How far the arms would be apart over the unit's own levels if it fell to that arm.

    The weighted sum, over the factors, of the difference between the arms' counts at the unit's level.
    """
    total = 0
    for factor in factors:
        counts = Counter(given.arm for given in before if given.levels[factor.name] == levels[factor.name])
        counts[arm] += 1
        total += factor.weight * abs(counts[Arm.SRC] - counts[Arm.CONTROL])
    return total


def _minimised(
    key: bytes, design: Design, position: int, levels: Mapping[str, str], before: Sequence[Given]
) -> Arm:
    if len(before) != position - 1:
        raise ValueError(f"Position {position} follows {position - 1} units, not {len(before)}.")
    for factor in design.factors:
        if levels.get(factor.name) not in factor.levels:
            raise ValueError(f"The unit has no known level of {factor.name}.")
    src, control = (imbalance(arm, design.factors, levels, before) for arm in ARMS)
    if src == control:
        return ARMS[draw(key, ["arm", "", position], 2)]
    better, worse = ARMS if src < control else reversed(ARMS)
    return better if draw(key, ["arm", "", position], 100) < design.coin else worse


def _emptied(key: bytes, stratum: str, first: int, size: int, design: Design) -> Iterator[Arm]:
    """Draws, as they are asked for, from an urn of ``size`` units in the ratio, without replacement.

    Every order is as likely.
    """
    urn = [share * size // design.whole for share in design.ratio]
    for position in range(first, first + size):
        arm = _from_urn(key, stratum, position, urn)
        urn[ARMS.index(arm)] -= 1
        yield arm


def _from_urn(key: bytes, stratum: str, position: int, urn: Sequence[int]) -> Arm:
    return ARMS[0 if draw(key, ["arm", stratum, position], sum(urn)) < urn[0] else 1]


def _nth(number: int, arms: Iterator[Arm]) -> Arm:
    return next(islice(arms, number - 1, None))


_LARGEST_SHARE, _LARGEST_BLOCK, _LARGEST_WEIGHT = 9, 100, 9
# A BCU has some boroughs, the whole of London has 33.
_MOST_SIZES, _MOST_STRATA, _MOST_FACTORS = 10, 50, 5


def _check(design: Design) -> None:
    for is_wrong, sentence in _problems(design):
        if is_wrong:
            raise ImpossibleDesign(sentence)


def _problems(design: Design) -> Iterator[tuple[bool, str]]:
    """What may be wrong, in an order in which each may rely on those before."""
    whole, sizes = sum(design.ratio), design.block_sizes
    is_blocks = design.scheme in (Scheme.BLOCKS, Scheme.STRATIFIED_BLOCKS)
    yield (
        not all(1 <= share <= _LARGEST_SHARE for share in design.ratio),
        f"Each part of the ratio must be from 1 to {_LARGEST_SHARE}, so that each arm gets somebody.",
    )
    yield gcd(*design.ratio) > 1, "Write the ratio in its lowest terms: 1:1, not 2:2."
    yield design.target < whole, f"The target must be at least {whole}, one for each part of the ratio."
    yield (
        design.target > MOST_UNITS,
        f"The target must be at most {MOST_UNITS:,}: no force could recruit more.",
    )
    if design.scheme is Scheme.COMPLETE:
        yield (
            design.target % whole > 0,
            f"The target must be a multiple of {whole}, so that the ratio can be exact.",
        )
    if is_blocks:
        yield not sizes, "Give at least one block size."
        yield len(sizes) > _MOST_SIZES, f"Give at most {_MOST_SIZES} block sizes."
        yield len(set(sizes)) < len(sizes), "Give each block size once."
        yield (
            not all(whole <= size <= _LARGEST_BLOCK and size % whole == 0 for size in sizes),
            f"Each block size must be a multiple of {whole}, and at most {_LARGEST_BLOCK}.",
        )
        yield max(sizes, default=0) > design.target, "The target must be at least the largest block."
    else:
        yield bool(sizes), "Only blocks have block sizes."
    if design.scheme is Scheme.STRATIFIED_BLOCKS:
        yield (
            not design.strata or "" in design.strata or len(set(design.strata)) < len(design.strata),
            "Name each stratum once.",
        )
        yield len(design.strata) > _MOST_STRATA, f"Take at most {_MOST_STRATA} strata."
    else:
        yield design.strata != ("",), "Only stratified blocks have strata."
    if design.scheme is Scheme.MINIMISATION:
        yield design.ratio != (1, 1), "Minimisation allocates 1:1."
        names = [factor.name for factor in design.factors]
        yield not names or len(set(names)) < len(names), "Name each factor to balance once."
        yield len(names) > _MOST_FACTORS, f"Balance at most {_MOST_FACTORS} factors."
        for factor in design.factors:
            yield len(set(factor.levels)) < 2, f"{factor.name} needs two levels or more."
            yield len(factor.levels) > _MOST_STRATA, f"{factor.name} may have at most {_MOST_STRATA} levels."
            yield (
                not 1 <= factor.weight <= _LARGEST_WEIGHT,
                f"The weight of {factor.name} must be a whole number from 1 to {_LARGEST_WEIGHT}.",
            )
        yield (
            not 50 < design.coin < 100,
            "The coin must be from 51 to 99 of 100: at 100 the next arm could often be known.",
        )
    else:
        yield bool(design.factors), "Only minimisation balances factors."
