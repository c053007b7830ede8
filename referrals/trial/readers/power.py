"""What a design could and could not find, and how well its next arm is guessed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any

from django.core.cache import cache

from referrals.models import Trial
from referrals.rules.trial.allocation import (
    Design,
    Factor,
    ImpossibleDesign,
    Scheme,
)
from referrals.rules.trial.assumed import Assumed
from referrals.rules.trial.draws import Canonical, sha256
from referrals.rules.trial.guessing import rate_of
from referrals.rules.trial.power import for_a_decision, summary_of
from referrals.rules.trial.protocol import YES_OR_NO, Expected, allocation_of, design_of
from referrals.trial.readers.words import SCHEMES

# A rate is simulated once for a design: 20 trials of this many units at most, whose error is about a point.
_TRIALS, _MOST_UNITS, _KEPT_FOR = 20, 250, 24 * 60 * 60
_FACTORS = (Factor("borough", ("1", "2", "3", "4")), Factor("repeat_victim", YES_OR_NO))


@dataclass(frozen=True)
class PowerQuestion:
    """What a panel is about: nothing else of a protocol changes it.

    ``sides``: of the test, 1 or 2. Raises :class:`~referrals.rules.trial.assumed.ImpossibleAssumption`.
    """

    design: Design
    expected: Expected
    sides: int

    def __post_init__(self) -> None:
        self.assumed()

    def assumed(self) -> Assumed:
        """The same, as power is reckoned from it."""
        return Assumed(
            units=self.design.target,
            control_rate=self.expected.control / 100,
            src_rate=self.expected.src / 100,
            ratio=self.design.ratio,
            complied=self.expected.complied / 100,
            contaminated=self.expected.contaminated / 100,
            lost=self.expected.lost / 100,
            one_sided=self.sides == 1,
        )

    @property
    def document(self) -> dict[str, Canonical]:
        """The question as JSON has it."""
        return {
            "allocation": allocation_of(self.design),
            "expected_percent": asdict(self.expected),
            "sides": self.sides,
        }

    @property
    def digest(self) -> str:
        """What the question and its answer are known by."""
        return sha256(self.document)


def question_of(trial: Trial) -> PowerQuestion:
    """The question of the trial's own protocol."""
    return PowerQuestion(trial.design, trial.conduct.expected, trial.conduct.plan.sides)


def power_question_of(document: Mapping[str, Any]) -> PowerQuestion:
    """The question that a document holds."""
    return PowerQuestion(
        design=design_of(document), expected=Expected(**document["expected_percent"]), sides=document["sides"]
    )


@dataclass(frozen=True)
class Guessed:
    """Of 100 next arms, how many are guessed rightly by who knows every arm so far."""

    words: str
    of_100: float
    simulated: bool
    chosen: bool


@dataclass(frozen=True)
class Panel:
    """What pages say of a design: sentences on its primary outcome, on a rare one, and the guesses.

    ``plainly``: what whoever approves the trial is told of its primary outcome.
    """

    sentences: Sequence[str]
    rare: Sequence[str]
    guessed: Sequence[Guessed]
    plainly: Sequence[str]


def panel_of(question: PowerQuestion, before_each_step: Callable[[], None] = lambda: None) -> Panel:
    """What the panel says. It takes up to two seconds of a core, so no request works it out.

    ``before_each_step`` is called several times on the way, and may raise to end the work.
    """
    before_each_step()
    assumed = question.assumed()
    return Panel(
        sentences=summary_of(assumed).sentences,
        rare=_rare(assumed, question.expected.charge / 100),
        guessed=_guessed(question.design, before_each_step),
        plainly=for_a_decision(assumed),
    )


def kept_panel(digest: str) -> Panel | None:
    """The panel of the question with that digest, if it was worked out within a day."""
    kept = cache.get(_key(digest))
    if kept is None:
        return None
    return Panel(**{**kept, "guessed": [Guessed(**row) for row in kept["guessed"]]})


def keep_panel(digest: str, panel: Panel) -> None:
    """Has the panel there for whoever asks within a day."""
    cache.set(_key(digest), asdict(panel), _KEPT_FOR)


def _key(digest: str) -> str:
    return f"power-panel:{digest}"


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


def _guessed(design: Design, before_each_step: Callable[[], None]) -> list[Guessed]:
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
        before_each_step()
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
    return sha256(
        [
            design.scheme.value,
            design.target,
            list(design.ratio),
            list(design.block_sizes),
            len(design.strata),
            [[len(factor.levels), factor.weight] for factor in design.factors],
            design.coin,
        ]
    )
