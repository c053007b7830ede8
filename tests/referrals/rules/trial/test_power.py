"""Power, cases needed and the smallest effect: compared with R, with a simulation and with each other."""

import subprocess
import sys
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.trial.allocation import MOST_UNITS
from referrals.rules.trial.power import (
    Assumed,
    Detectable,
    ImpossibleAssumption,
    detectable,
    power,
    units_needed,
)

ROOT = Path(__file__).parents[4]
PLAN = Assumed(250, control_rate=0.54, src_rate=0.42)

rates = st.floats(0.001, 0.999)
ratios = st.sampled_from([(1, 1), (2, 1), (1, 2), (3, 2), (9, 1)])
aims = st.floats(0.5, 0.99)


@st.composite
def assumptions(draw: st.DrawFn, /, **fixed: Any) -> Assumed:
    """Any that is possible, with rates that differ by a point or more."""
    control, src = draw(st.tuples(rates, rates).filter(lambda pair: abs(pair[0] - pair[1]) > 0.01))
    complied = draw(st.floats(0.3, 1))
    asked = {
        "units": draw(st.integers(10, 20_000)),
        "ratio": draw(ratios),
        "complied": complied,
        "contaminated": draw(st.floats(0, complied - 0.2)),
        "lost": draw(st.floats(0, 0.9)),
        "alpha": draw(st.floats(0.001, 0.2)),
        "one_sided": draw(st.booleans()),
    }
    return Assumed(control_rate=control, src_rate=src, **{**asked, **fixed})


# R 4.2.2: power.prop.test(n, p1, p2, sig.level, alternative, strict = TRUE); its own example is 0.50 v 0.75.
@pytest.mark.parametrize(
    ("each", "rates", "more", "known"),
    [
        (125, (0.54, 0.42), {}, 0.4755221145),
        (269, (0.54, 0.42), {}, 0.7972015614),
        (271, (0.54, 0.42), {}, 0.8001280118),
        (50, (0.50, 0.75), {}, 0.7401671935),
        (77, (0.50, 0.75), {}, 0.9011043177),
        (500, (0.31, 0.25), {}, 0.5609273393),
        (200, (0.10, 0.05), {}, 0.4753633954),
        (125, (0.54, 0.42), {"one_sided": True}, 0.6009800697),
        (125, (0.54, 0.42), {"alpha": 0.01}, 0.2476612548),
        # n = 112.5 and 0.534 v 0.432: what a tenth lost, a tenth not contacted and 5% by accident leave.
        (125, (0.54, 0.42), {"lost": 0.1, "complied": 0.9, "contaminated": 0.05}, 0.3333385574),
    ],
    ids=str,
)
def test_power_is_that_of_r(
    each: int, rates: tuple[float, float], more: dict[str, Any], known: float
) -> None:
    control, src = rates
    assumed = Assumed(2 * each, control_rate=control, src_rate=src, **more)
    assert power(assumed) == pytest.approx(known, abs=1e-9)


@pytest.mark.parametrize(
    ("rates", "aim", "each"),
    [
        ((0.54, 0.42), 0.8, 270.9119923),
        ((0.54, 0.42), 0.9, 362.1755793),
        ((0.50, 0.75), 0.9, 76.70691612),
        ((0.31, 0.25), 0.8, 877.8926154),
        ((0.10, 0.05), 0.8, 434.4310513),
        ((0.05, 0.10), 0.9, 581.0818708),
    ],
    ids=str,
)
def test_units_needed_are_those_of_r_rounded_up_in_each_arm(
    rates: tuple[float, float], aim: float, each: float
) -> None:
    assert units_needed(Assumed(2, *rates), aim) == 2 * int(each + 1)


def test_the_smallest_difference_is_that_of_r_on_the_side_of_the_assumed_one() -> None:
    fall, rise = detectable(PLAN), detectable(replace(PLAN, src_rate=0.6))
    assert fall is not None
    assert rise is not None
    assert fall.src_rate == pytest.approx(0.3644534325, abs=1e-9)
    assert fall.points == pytest.approx(17.55465675, abs=1e-7)
    assert rise.src_rate == pytest.approx(0.7107205754, abs=1e-9)
    assert rise.points == pytest.approx(17.07205754, abs=1e-7)


@given(assumptions())
def test_power_is_what_the_formula_gives_for_any_ratio(assumed: Assumed) -> None:
    assert power(assumed) == pytest.approx(by_hand(assumed), abs=1e-6)


def by_hand(assumed: Assumed) -> float:
    """Fleiss, Levin and Paik's formula with both tails, by the standard library's normal distribution."""
    normal, (src_part, control_part) = NormalDist(), assumed.ratio
    src_units = assumed.units * src_part // (src_part + control_part)
    control_units = assumed.units - src_units
    kept = 1 - assumed.lost
    whole = assumed.src_rate - assumed.control_rate
    src, control = (
        contacted * assumed.src_rate + (1 - contacted) * assumed.control_rate
        for contacted in (assumed.complied, assumed.contaminated)
    )
    pooled = (src_units * src + control_units * control) / assumed.units
    null = sqrt(pooled * (1 - pooled) * (1 / src_units + 1 / control_units) / kept)
    real = sqrt((src * (1 - src) / src_units + control * (1 - control) / control_units) / kept)
    critical = normal.inv_cdf(1 - assumed.alpha / (1 if assumed.one_sided else 2)) * null
    shift = (assumed.complied - assumed.contaminated) * abs(whole)
    near = normal.cdf((shift - critical) / real)
    return near if assumed.one_sided else near + normal.cdf((-shift - critical) / real)


SIMULATED = 40_000


@pytest.mark.parametrize(
    "assumed",
    [
        PLAN,
        replace(PLAN, units=542),
        replace(PLAN, units=600, ratio=(2, 1)),
        replace(PLAN, units=900, complied=0.9, contaminated=0.05, lost=0.1),
        replace(PLAN, units=1_000, ratio=(1, 3), complied=0.8, contaminated=0.1, lost=0.2, alpha=0.1),
        Assumed(1_200, control_rate=0.04, src_rate=0.08, one_sided=True),
    ],
    ids=str,
)
def test_power_is_how_often_simulated_trials_find_the_difference(assumed: Assumed) -> None:
    chance = power(assumed)
    error = sqrt(chance * (1 - chance) / SIMULATED)
    # Counts are whole: the exact power is up to 1.6 points from any normal approximation.
    assert abs(simulated(assumed) - chance) <= 4 * error + 0.016


def test_the_warned_of_approximation_is_nine_points_from_the_simulation() -> None:
    rare = Assumed(60, control_rate=0.02, src_rate=0.22)
    assert power(rare) == pytest.approx(0.672, abs=0.001)
    assert simulated(rare) == pytest.approx(0.763, abs=0.01)


def simulated(assumed: Assumed) -> float:
    """How many of many trials find it: case by case who is contacted, has the outcome, and is lost."""
    chance = np.random.default_rng(20221001)
    found = []
    for units, contacted in zip(assumed.per_arm, (assumed.complied, assumed.contaminated), strict=True):
        with_contact = chance.binomial(units, contacted, SIMULATED)
        known_with = chance.binomial(with_contact, 1 - assumed.lost)
        known_without = chance.binomial(units - with_contact, 1 - assumed.lost)
        hits = chance.binomial(known_with, assumed.src_rate)
        hits += chance.binomial(known_without, assumed.control_rate)
        found.append((hits, known_with + known_without))
    (src, of_src), (control, of_control) = found
    pooled = (src + control) / (of_src + of_control)
    error = np.sqrt(pooled * (1 - pooled) * (1 / of_src + 1 / of_control))
    difference = src / of_src - control / of_control
    z = np.divide(difference, error, out=np.zeros(SIMULATED), where=error > 0)
    if assumed.one_sided:
        towards = -z if assumed.src_rate < assumed.control_rate else z
        return float(np.mean(towards > NormalDist().inv_cdf(1 - assumed.alpha)))
    return float(np.mean(np.abs(z) > NormalDist().inv_cdf(1 - assumed.alpha / 2)))


@given(assumptions(), st.integers(1, 500))
def test_more_units_in_the_same_ratio_have_no_less_power(assumed: Assumed, more: int) -> None:
    whole = sum(assumed.ratio)
    exact = replace(assumed, units=whole * max(1, assumed.units // whole))
    assert power(replace(exact, units=exact.units + more * whole)) >= power(exact) - 1e-12


@given(assumptions(complied=0.8, contaminated=0.1), st.floats(0, 0.2), st.floats(0, 0.1))
def test_less_dilution_has_no_less_power_where_that_is_a_half_or_more(
    assumed: Assumed, complying: float, contaminating: float
) -> None:
    less = replace(assumed, complied=0.8 + complying, contaminated=0.1 - contaminating)
    diluted = power(assumed)
    assert diluted < 0.5 or power(less) >= diluted - 1e-9


@given(assumptions(lost=0.5), st.floats(0, 0.5))
def test_less_loss_has_no_less_power(assumed: Assumed, lost: float) -> None:
    assert power(replace(assumed, lost=lost)) >= power(assumed) - 1e-12


@given(assumptions(), aims)
def test_the_units_needed_reach_the_power_and_one_step_less_does_not(assumed: Assumed, aim: float) -> None:
    needed, whole = units_needed(assumed, aim), sum(assumed.ratio)
    if needed is None:
        assert power(replace(assumed, units=MOST_UNITS // whole * whole)) < aim
        return
    assert needed % whole == 0
    assert power(replace(assumed, units=needed)) >= aim
    assert needed == whole or power(replace(assumed, units=needed - whole)) < aim


@given(assumptions(), aims)
def test_the_smallest_difference_reaches_the_power_and_a_smaller_one_does_not(
    assumed: Assumed, aim: float
) -> None:
    least = detectable(assumed, aim)
    falls = assumed.src_rate < assumed.control_rate
    if least is None:
        assert power(replace(assumed, src_rate=0.001 if falls else 0.999)) < aim
        return
    gap = least.src_rate - assumed.control_rate
    assert (gap < 0) is falls
    assert least.points == pytest.approx(100 * abs(gap))
    if 0.001 <= least.src_rate <= 0.999:
        assert power(replace(assumed, src_rate=least.src_rate)) == pytest.approx(aim, abs=1e-6)
    smaller = assumed.control_rate + 0.9 * gap
    if 0.001 <= smaller <= 0.999:
        assert power(replace(assumed, src_rate=smaller)) < aim


def test_without_a_difference_the_power_is_the_significance_level() -> None:
    for one_sided in (False, True):
        assert power(replace(PLAN, src_rate=0.54, one_sided=one_sided)) == pytest.approx(0.05)


def test_both_arms_move_when_contact_is_not_as_allocated() -> None:
    diluted = replace(PLAN, complied=0.75, contaminated=0.25).diluted
    assert diluted == pytest.approx((0.45, 0.51))
    assert replace(PLAN, complied=0.75).diluted == pytest.approx((0.45, 0.54))


def test_arms_are_split_in_the_ratio_and_control_gets_what_is_left_over() -> None:
    assert PLAN.per_arm == (125, 125)
    assert replace(PLAN, ratio=(2, 1)).per_arm == (166, 84)
    assert replace(PLAN, units=251).per_arm == (125, 126)


def test_units_needed_allow_for_loss_and_keep_the_ratio_and_ignore_those_planned() -> None:
    assert units_needed(PLAN) == units_needed(replace(PLAN, units=9_000)) == 542
    assert units_needed(replace(PLAN, lost=0.5)) == 2 * 542
    assert units_needed(replace(PLAN, ratio=(2, 1))) == 609


def test_a_difference_that_no_trial_of_a_million_finds_needs_no_number() -> None:
    assert units_needed(replace(PLAN, src_rate=0.5395)) is None


def test_a_trial_too_small_for_any_difference_detects_none() -> None:
    assert detectable(replace(PLAN, units=10)) is None
    assert detectable(replace(PLAN, units=10, src_rate=0.6)) is None
    assert isinstance(detectable(replace(PLAN, units=24)), Detectable)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"ratio": (0, 1)}, "Each part of the ratio must be from 1 to 9, so that each arm gets somebody."),
        ({"ratio": (1, 10)}, "Each part of the ratio must be from 1 to 9, so that each arm gets somebody."),
        ({"ratio": (2, 2)}, "Write the ratio in its lowest terms: 1:1, not 2:2."),
        ({"ratio": (3, 2), "units": 4}, "Plan at least 5 cases, one for each part of the ratio."),
        ({"units": 50_001}, "Plan at most 50,000 cases."),
        ({"control_rate": 0.0}, "The rate without contact must be from 0.1% to 99.9%."),
        ({"control_rate": 54.0}, "The rate without contact must be from 0.1% to 99.9%."),
        ({"src_rate": 1.0}, "The rate with contact must be from 0.1% to 99.9%."),
        ({"src_rate": float("nan")}, "The rate with contact must be from 0.1% to 99.9%."),
        ({"complied": 1.1}, "The share of SRC cases that get their contact must be from 0.1% to 100%."),
        ({"complied": 0.0}, "The share of SRC cases that get their contact must be from 0.1% to 100%."),
        (
            {"contaminated": 1.0},
            "The share of control cases that get the contact must be from 0% to less than 100%.",
        ),
        (
            {"complied": 0.4, "contaminated": 0.4},
            "More of the SRC cases than of the control cases must get the contact, or nothing is compared.",
        ),
        ({"lost": 1.0}, "The share of unknown outcomes must be from 0% to 99%."),
        ({"lost": -0.1}, "The share of unknown outcomes must be from 0% to 99%."),
        ({"alpha": 0.0}, "The significance level must be from 0.1% to 20%; 5% is usual."),
        ({"alpha": 0.5}, "The significance level must be from 0.1% to 20%; 5% is usual."),
    ],
    ids=str,
)
def test_what_no_trial_can_have_is_refused_in_a_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ImpossibleAssumption) as refused:
        replace(PLAN, **changed)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("asked", [units_needed, detectable])
def test_equal_rates_and_an_aim_out_of_reach_are_refused(asked: Any) -> None:
    for aim in (0.49, 0.995, float("nan")):
        with pytest.raises(ImpossibleAssumption, match=r"^The power to aim for must be from 50% to 99%; "):
            asked(PLAN, aim)
    with pytest.raises(ImpossibleAssumption, match=r"^The rates with and without contact must differ: "):
        asked(replace(PLAN, src_rate=0.54))


def test_who_does_not_ask_for_power_does_not_import_what_works_it_out() -> None:
    heavy = "{'numpy', 'scipy', 'pandas', 'statsmodels'}"
    code = (
        "import sys; import referrals.management.commands.trial_power; "
        "from referrals.rules.trial import power; "
        "plan = power.Assumed(250, 0.54, 0.42); "
        f"early = {heavy} & sys.modules.keys(); power.power(plan); "
        f"print(sorted(early), {heavy} <= sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[] True\n"
