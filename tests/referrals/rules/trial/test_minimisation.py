"""Minimisation does what Pocock and Simon describe: compared with another program, ``smallerize``."""

import contextlib
import io
import math
import random
from collections import Counter

import pytest
import smallerize
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Factor,
    Given,
    Scheme,
    arm_at,
    imbalance,
)
from tests.referrals.rules.trial.designs import (
    BOROUGHS,
    KEY,
    MINIMISED,
    assert_share,
    keys,
    minimised,
)

LEVELS = {"borough": BOROUGHS, "repeat": ("first", "repeat"), "type": ("person", "staff", "child")}
names = st.lists(st.sampled_from(sorted(LEVELS)), min_size=1, max_size=3, unique=True)
units = st.fixed_dictionaries({name: st.sampled_from(levels) for name, levels in LEVELS.items()})
arms = st.sampled_from(Arm)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    factors = [Factor(name, LEVELS[name], draw(st.integers(1, 9))) for name in draw(names)]
    return Design(Scheme.MINIMISATION, target=60, factors=tuple(factors), coin=draw(st.integers(51, 99)))


def another(design: Design, before: list[Given]) -> smallerize.Minimizer:
    """The other program, told the same design and history."""
    with contextlib.redirect_stdout(io.StringIO()):
        minimiser = smallerize.Minimizer(
            factors=[smallerize.Factor(each.name, each.levels, each.weight) for each in design.factors],
            arms=[smallerize.Arm(arm.value) for arm in Arm],
            d_imbalance_method="range",
            total_imbalance_method="weighted_sum",
            probability_method="biased_coin",
            preferred_p=design.coin / 100,
        )
    for each in before:
        minimiser.add_existing_participant(dict(each.levels), each.arm.value)
    return minimiser


def of_factors(design: Design, levels: dict[str, str]) -> dict[str, str]:
    return {factor.name: levels[factor.name] for factor in design.factors}


histories = st.lists(st.tuples(arms, units), max_size=40)


@given(design=designs(), history=histories, unit=units)
def test_the_imbalance_is_what_the_other_program_finds(
    design: Design, history: list[tuple[Arm, dict[str, str]]], unit: dict[str, str]
) -> None:
    before = [Given(arm, levels) for arm, levels in history]
    theirs = another(design, before).get_new_total_imbalances(of_factors(design, unit))
    assert {arm.value: imbalance(arm, design.factors, unit, before) for arm in Arm} == theirs


@given(design=designs(), history=histories, unit=units)
def test_the_arm_that_balances_better_is_as_likely_as_in_the_other_program(
    design: Design, history: list[tuple[Arm, dict[str, str]]], unit: dict[str, str]
) -> None:
    """In a tie that program ranks by chance, then tosses the biased coin: each arm has one half there too."""
    before = [Given(arm, levels) for arm, levels in history]
    minimiser = another(design, before)
    totals = minimiser.get_new_total_imbalances(of_factors(design, unit))
    src, control = (imbalance(arm, design.factors, unit, before) for arm in Arm)
    chances = minimiser.get_arm_probability(totals)
    if src != control:
        better = Arm.SRC if src < control else Arm.CONTROL
        assert math.isclose(chances[better.value], design.coin / 100)
    assert math.isclose(sum(chances.values()), 1)


@pytest.mark.parametrize("coin", [51, 65, 80, 99])
@pytest.mark.parametrize("behind", Arm)
def test_the_coin_falls_to_the_better_arm_as_often_as_it_says(coin: int, behind: Arm) -> None:
    """Over 4,000 trials, and as often as the other program says."""
    design = Design(Scheme.MINIMISATION, target=60, factors=MINIMISED.factors, coin=coin)
    unit = {"borough": BOROUGHS[0], "repeat": "first"}
    ahead = Arm.CONTROL if behind is Arm.SRC else Arm.SRC
    before = [Given(ahead, unit)]
    minimiser = another(design, before)
    chances = minimiser.get_arm_probability(minimiser.get_new_total_imbalances(unit))
    fallen = Counter(arm_at(key, design, position=2, levels=unit, before=before) for key in keys(4_000))
    assert_share(fallen[behind], 4_000, chances[behind.value])


@pytest.mark.parametrize(
    "before",
    [
        [],
        [Given(Arm.SRC, {"borough": BOROUGHS[1], "repeat": "repeat"})],
        [Given(arm, {"borough": BOROUGHS[0], "repeat": "first"}) for arm in Arm],
    ],
    ids=["nobody", "nobody alike", "even"],
)
def test_a_tie_is_even(before: list[Given]) -> None:
    unit = {"borough": BOROUGHS[0], "repeat": "first"}
    fallen = Counter(
        arm_at(key, MINIMISED, position=len(before) + 1, levels=unit, before=before) for key in keys(4_000)
    )
    assert_share(fallen[Arm.SRC], 4_000, 0.5)


def test_a_weight_outvotes_the_other_factor() -> None:
    """SRC is ahead by one in the borough, which counts twice, and behind by one among first reports."""
    before = [
        Given(Arm.SRC, {"borough": BOROUGHS[0], "repeat": "repeat"}),
        Given(Arm.CONTROL, {"borough": BOROUGHS[1], "repeat": "first"}),
    ]
    unit = {"borough": BOROUGHS[0], "repeat": "first"}
    assert imbalance(Arm.SRC, MINIMISED.factors, unit, before) == 2 * 2 + 0
    assert imbalance(Arm.CONTROL, MINIMISED.factors, unit, before) == 0 + 2
    fallen = Counter(arm_at(key, MINIMISED, position=3, levels=unit, before=before) for key in keys(4_000))
    assert_share(fallen[Arm.CONTROL], 4_000, 0.8)


def test_whole_trials_are_balanced_about_as_well_as_the_other_programs() -> None:
    """The mean difference over the boroughs at the end of 200 trials of 60, within five standard errors."""
    chance = random.Random(1)
    apart: dict[str, list[int]] = {"ours": [], "theirs": []}
    random.seed(2)
    for key in keys(200):
        intake = [{name: chance.choice(LEVELS[name]) for name in ("borough", "repeat")} for _ in range(60)]
        minimiser = another(MINIMISED, [])
        given_arms = {
            "ours": [arm.value for arm in minimised(key, MINIMISED, intake)],
            "theirs": [minimiser.assign_participant(unit) for unit in intake],
        }
        for whose, arms_given in given_arms.items():
            counts = Counter((unit["borough"], arm) for unit, arm in zip(intake, arms_given, strict=True))
            apart[whose].append(sum(abs(counts[b, "src"] - counts[b, "control"]) for b in BOROUGHS))
    means = {whose: sum(values) / 200 for whose, values in apart.items()}
    variance = sum((value - means[whose]) ** 2 for whose, values in apart.items() for value in values) / 200
    assert abs(means["ours"] - means["theirs"]) < 5 * (variance / 200) ** 0.5


def test_the_same_history_gives_the_same_arm() -> None:
    chance = random.Random(3)
    intake = [{name: chance.choice(LEVELS[name]) for name in ("borough", "repeat")} for _ in range(40)]
    assert list(minimised(KEY, MINIMISED, intake)) == list(minimised(KEY, MINIMISED, intake))
    assert len({tuple(minimised(key, MINIMISED, intake)) for key in keys(20)}) == 20


@pytest.mark.parametrize("count", [0, 2])
def test_a_history_of_another_length_than_the_position_is_refused(count: int) -> None:
    unit = {"borough": BOROUGHS[0], "repeat": "first"}
    with pytest.raises(ValueError, match=f"Position 2 follows 1 units, not {count}"):
        arm_at(KEY, MINIMISED, position=2, levels=unit, before=[Given(Arm.SRC, unit)] * count)


@pytest.mark.parametrize("levels", [None, {"borough": BOROUGHS[0]}, {"borough": "Kent", "repeat": "first"}])
def test_a_unit_without_a_known_level_of_each_factor_is_refused(levels: dict[str, str] | None) -> None:
    with pytest.raises(ValueError, match=r"no known level of (borough|repeat)"):
        arm_at(KEY, MINIMISED, position=1, levels=levels)
