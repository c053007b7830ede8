"""What is said of a design."""

from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from referrals.rules.trial import guessing
from referrals.rules.trial.allocation import MOST_UNITS, Design, Factor, Scheme
from referrals.rules.trial.assumed import ImpossibleAssumption
from referrals.rules.trial.protocol import YES_OR_NO, Expected
from referrals.trial.readers.power import (
    Panel,
    PowerQuestion,
    keep_panel,
    kept_panel,
    panel_of,
    power_question_of,
)

PILOT = PowerQuestion(
    Design(Scheme.STRATIFIED_BLOCKS, 250, block_sizes=(4, 6), strata=("a", "b")), Expected(31, 24, 5), 2
)


def test_fewer_contacts_and_more_losses_leave_less_to_find() -> None:
    found = [
        panel_of(replace(PILOT, expected=replace(PILOT.expected, **changed))).sentences[0]
        for changed in ({}, {"complied": 80}, {"complied": 80, "lost": 10})
    ]
    assert [sentence.split("found in about ")[1].split()[0] for sentence in found] == ["24", "17", "15"]


@pytest.mark.parametrize("charged", [0, 1, 50, 99, 100])
def test_whatever_share_is_charged_it_says_what_could_be_found(charged: int) -> None:
    assert "harge" in panel_of(replace(PILOT, expected=replace(PILOT.expected, charge=charged))).rare[0]


def test_a_question_and_its_answer_are_kept_as_they_are() -> None:
    assert power_question_of(PILOT.document) == PILOT
    panel = panel_of(PILOT)
    keep_panel(PILOT.digest, panel)
    kept = kept_panel(PILOT.digest)
    assert kept is not None
    assert (list(kept.sentences), list(kept.rare), kept.guessed) == (
        list(panel.sentences),
        list(panel.rare),
        panel.guessed,
    )


def test_every_part_of_a_question_makes_it_another() -> None:
    others = [
        replace(PILOT, sides=1),
        replace(PILOT, design=replace(PILOT.design, target=252)),
        *(
            replace(PILOT, expected=replace(PILOT.expected, **{name: 7}))
            for name in (field.name for field in fields(Expected))
        ),
    ]
    assert len({PILOT.digest, *(other.digest for other in others)}) == len(others) + 1


def test_what_no_trial_can_have_is_no_question() -> None:
    with pytest.raises(ImpossibleAssumption, match="the SRC cases than of the control cases"):
        replace(PILOT, expected=replace(PILOT.expected, complied=10, contaminated=10))


def _largest() -> Iterator[Design]:
    strata = tuple(f"stratum {number}" for number in range(50))
    for ratio in ((1, 1), (9, 8)):
        whole = sum(ratio)
        target = MOST_UNITS // whole * whole
        sizes = tuple(whole * times for times in range(1, 11) if whole * times <= 100)
        yield Design(Scheme.COMPLETE, target, ratio)
        yield Design(Scheme.STRATIFIED_BLOCKS, target, ratio, block_sizes=sizes, strata=strata)
    factors = (Factor("borough", strata, 9), *(Factor(name, YES_OR_NO) for name in ("b", "c", "d", "e")))
    yield Design(Scheme.MINIMISATION, MOST_UNITS, factors=factors)


@pytest.mark.parametrize("design", [*_largest()], ids=lambda design: f"{design.scheme.value} {design.ratio}")
def test_however_large_the_design_only_so_many_arms_are_drawn(
    design: Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: 20 trials of 250 units for each scheme that theory does not know."""
    simulated = []
    drawn = guessing.converging

    def counting(design: Design, arms: object, chance: object) -> guessing.Hits:
        right, of = drawn(design, arms, chance)  # type: ignore[arg-type]
        simulated.append(of)
        return right, of

    monkeypatch.setattr(guessing, "converging", counting)
    panel = panel_of(replace(PILOT, design=design))
    assert isinstance(panel, Panel)
    assert 0 < sum(simulated) <= 4 * 20 * 250


@pytest.mark.parametrize("steps", range(6))
def test_it_can_be_ended_before_each_step(steps: int) -> None:
    left = [None] * steps

    def goes_on() -> None:
        if not left:
            raise InterruptedError
        left.pop()

    with pytest.raises(InterruptedError):
        panel_of(PILOT, before_each_step=goes_on)
