"""What a design could and could not find, and how well its next arm is guessed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from django.core.cache import cache

from referrals.rules.trial.allocation import (
    Design,
    Factor,
    ImpossibleDesign,
    Scheme,
)
from referrals.rules.trial.assumed import Assumed
from referrals.rules.trial.draws import sha256
from referrals.rules.trial.guessing import rate_of
from referrals.rules.trial.power import Summary, summary_of
from referrals.rules.trial.protocol import YES_OR_NO, Conduct
from referrals.trial.readers.words import SCHEMES

# A rate is simulated once for a design: 20 trials of this many units at most, whose error is about a point.
_TRIALS, _MOST_UNITS, _KEPT_FOR = 20, 250, 24 * 60 * 60
_FACTORS = (Factor("borough", ("1", "2", "3", "4")), Factor("repeat_victim", YES_OR_NO))


@dataclass(frozen=True)
class Guessed:
    """Of 100 next arms, how many are guessed rightly by who knows every arm so far."""

    words: str
    of_100: float
    simulated: bool
    chosen: bool


@dataclass(frozen=True)
class Panel:
    """What the page says of a design."""

    summary: Summary
    rare: list[str]
    guessed: list[Guessed]


def panel_of(design: Design, conduct: Conduct, assumed: Assumed) -> Panel:
    """What the panel says; raises :class:`~referrals.rules.trial.assumed.ImpossibleAssumption`."""
    return Panel(
        summary=summary_of(assumed),
        rare=_rare(assumed, conduct.expected.charge / 100),
        guessed=_guessed(design),
    )


def _rare(assumed: Assumed, charged: float) -> list[str]:
    """What the design could find of a rare outcome, in words, with warnings."""
    if not 0 < charged < 1:
        return ["Give a share charged between 1% and 99% to see what could be found of charges."]
    doubled = replace(assumed, control_rate=charged, src_rate=min(2 * charged, 0.999), one_sided=False)
    found = summary_of(doubled)
    words = f"Of charges, {charged:.0%} without contact, no rise at all could be found."
    if found.detectable is not None:
        least = f"{found.detectable.src_rate:.0%}"
        words = (
            f"Of charges, {charged:.0%} without contact, only a rise to {least} or more would be found in 80 "
            "of 100 such trials."
        )
    return [words, *found.warnings]


def _guessed(design: Design) -> list[Guessed]:
    """The chosen design among one of each other scheme, of the same target and ratio where it can be."""
    sizes = design.block_sizes or tuple(design.whole * times for times in (2, 3, 4))
    others: dict[Scheme, dict[str, Any]] = {
        Scheme.SIMPLE: {},
        Scheme.COMPLETE: {},
        Scheme.BLOCKS: {"block_sizes": sizes},
        Scheme.STRATIFIED_BLOCKS: {
            "block_sizes": sizes,
            "strata": ("1", "2"),
        },
        Scheme.MINIMISATION: {"factors": _FACTORS},
    }
    rows = []
    for scheme, given in others.items():
        chosen = scheme is design.scheme
        made = design if chosen else _made(design, scheme, given)
        if made is not None:
            share, simulated = _rate_once(made)
            rows.append(Guessed(SCHEMES[scheme.value], round(100 * share, 1), simulated, chosen))
    return rows


def _made(design: Design, scheme: Scheme, given: dict[str, Any]) -> Design | None:
    try:
        return Design(scheme, target=design.target, ratio=design.ratio, **given)
    except ImpossibleDesign:
        return None


def _rate_once(design: Design) -> tuple[float, bool]:
    """The rate, and whether it was simulated; worked out once a day for a design."""
    smaller = min(design.target, _MOST_UNITS // design.whole * design.whole)
    simulated = replace(design, target=max(smaller, *design.block_sizes, design.whole))
    key = f"guessing:{_digest(design)}"
    found = cache.get(key)
    if found is None:
        made = design if design.ratio == (1, 1) and design.scheme is not Scheme.MINIMISATION else simulated
        rate = rate_of(made, trials=_TRIALS, chance=Random(1))  # noqa: S311 - a simulation, no secret
        found = rate.share, rate.known is None
        cache.set(key, found, _KEPT_FOR)
    share, is_simulated = found
    return share, is_simulated


def _digest(design: Design) -> str:
    factors: Sequence[Factor] = design.factors
    return sha256(
        [
            design.scheme.value,
            design.target,
            list(design.ratio),
            list(design.block_sizes),
            len(design.strata),
            [[len(factor.levels), factor.weight] for factor in factors],
            design.coin,
        ]
    )
