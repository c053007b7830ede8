"""The simulation of guessing agrees with what theory says, and finds the gains that are there to be found."""

import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, permutations, product
from random import Random

import pytest

from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Factor,
    Scheme,
)
from referrals.rules.trial.guessing import (
    Day,
    Rate,
    converging,
    expected_in_block,
    guessing,
    knowing_the_size,
    one_by_one,
    order_of_report,
    ordering,
    rate,
    rate_of,
    wanted_order,
)

S, C = Arm.SRC, Arm.CONTROL
FOURS = Design(Scheme.BLOCKS, target=60, block_sizes=(4,))
SIXES = Design(Scheme.BLOCKS, target=60, ratio=(2, 1), block_sizes=(6,))


@pytest.fixture(scope="module")
def rates() -> dict[tuple[str, str], Rate]:
    found = guessing(target=120, strata=4, trials=300, chance=Random(1))
    return {(each.scheme, each.who): each for each in found}


@pytest.fixture(scope="module")
def orders() -> dict[tuple[str, str], Rate]:
    found = ordering(target=120, trials=1_200, chance=Random(1))
    return {(each.scheme, each.who): each for each in found}


@pytest.mark.parametrize("size", [2, 4, 6, 8])
def test_the_expected_guesses_in_a_block_are_those_of_all_its_orders(size: int) -> None:
    """Counted through: each order is as likely, and each coin is right every second time."""
    orders = set(permutations([S] * (size // 2) + [C] * (size // 2)))
    total = Fraction(0)
    for order in orders:
        ahead = 0
        for arm in order:
            step = 1 if arm is S else -1
            total += Fraction(1, 2) if ahead == 0 else Fraction(ahead * step < 0)
            ahead += step
    assert expected_in_block(size) == total / len(orders)


def test_what_theory_knows_is_found_within_four_standard_errors(rates: dict[tuple[str, str], Rate]) -> None:
    known = {key: each.known for key, each in rates.items() if each.known is not None}
    assert known == {
        ("simple", "convergence"): Fraction(1, 2),
        ("complete", "convergence"): expected_in_block(120) / 120,
        ("blocks of 4", "convergence"): Fraction(17, 24),
        ("blocks of 4", "knows the block size"): Fraction(17, 24),
    }
    for key, share in known.items():
        assert abs(rates[key].share - share) < 4 * rates[key].error
        assert 0 < rates[key].error < 0.005


def test_every_scheme_is_simulated_over_its_whole_target(rates: dict[tuple[str, str], Rate]) -> None:
    assert {key: each.of for key, each in rates.items()} == {
        ("simple", "convergence"): 36_000,
        ("complete", "convergence"): 36_000,
        ("blocks of 4", "convergence"): 36_000,
        ("blocks of 4", "knows the block size"): 36_000,
        ("blocks of 6, 2:1", "convergence"): 36_000,
        ("blocks of 6, 2:1", "knows the block size"): 36_000,
        ("blocks of 4, 6 or 8", "convergence"): 36_000,
        ("stratified blocks of 4, 6 or 8", "convergence"): 36_000,
        ("minimisation", "convergence"): 3_600,
        ("minimisation", "knows everybody's levels"): 3_600,
    }


def test_what_is_better_balanced_is_easier_guessed(rates: dict[tuple[str, str], Rate]) -> None:
    shares = [
        rates[scheme, "convergence"].share
        for scheme in ("simple", "complete", "blocks of 4, 6 or 8", "blocks of 4")
    ]
    assert shares == sorted(shares)


def test_whoever_knows_more_guesses_better(rates: dict[tuple[str, str], Rate]) -> None:
    sized = "blocks of 6, 2:1"
    assert rates[sized, "knows the block size"].share > rates[sized, "convergence"].share + 0.03
    assert (
        rates["minimisation", "knows everybody's levels"].share
        > rates["minimisation", "convergence"].share + 0.03
    )


def test_a_better_balancing_arm_is_never_guessed_more_often_than_the_coin_allows(
    rates: dict[tuple[str, str], Rate],
) -> None:
    assert 0.6 < rates["minimisation", "knows everybody's levels"].share < 0.8


def test_convergence_guesses_the_arm_that_is_behind_its_share() -> None:
    """No coin is tossed after the first: nothing of chance is left in these."""
    assert converging(FOURS, [S, C], Random(1))[1] == 2
    first = [converging(FOURS, [S, C], Random(seed))[0] for seed in range(200)]
    assert Counter(first).keys() == {1, 2}
    # After SRC twice at 2:1 it is CONTROL's turn; after CONTROL it is SRC's, twice.
    rights = {converging(SIXES, [S, C, S], Random(seed)) for seed in range(50)}
    assert rights == {(2, 3), (3, 3)}


def test_whoever_knows_the_size_is_certain_at_the_end_of_a_block() -> None:
    """At 2:1 in sixes SRC leads the urn at first, and what is left is known once one arm is used up."""
    assert knowing_the_size(SIXES, [S, S, S, S, C, C], Random(1))[0] in {5, 6}
    assert knowing_the_size(SIXES, [C, C, S, S, S, S] * 2, Random(1)) == (8, 12)


def test_the_standard_error_counts_trials_and_not_guesses() -> None:
    """Two trials, all right and all wrong: the mean of two has the standard error of one half."""
    found = rate("simple", "convergence", [(10, 10), (0, 10)])
    assert (found.hits, found.of, found.share) == (10, 20, 0.5)
    assert math.isclose(found.error, 0.5)


def test_a_rate_too_far_from_theory_does_not_agree() -> None:
    trials = [(n % 3, 10) for n in range(300)]
    assert not rate("simple", "convergence", trials, Fraction(1, 2)).agrees
    assert rate("simple", "convergence", trials, Fraction(1, 10)).agrees
    assert rate("simple", "convergence", trials).agrees


@pytest.mark.parametrize("scheme", ["blocks of 4", "blocks of 4, 6 or 8"])
def test_the_order_within_a_days_submission_gains_nothing_as_it_is_and_would_if_it_were_chosen(
    orders: dict[tuple[str, str], Rate], scheme: str
) -> None:
    fixed, chosen = orders[scheme, "order of report"], orders[scheme, "order chosen"]
    alone = orders[scheme, "submitted one by one"]
    assert fixed.agrees
    assert fixed.known == Fraction(1, 2)
    assert chosen.share > 0.5 + 4 * chosen.error
    assert alone.share > chosen.share
    assert {each.of for each in (fixed, chosen, alone)} == {300 * 24 * 2}


@pytest.mark.parametrize(
    ("who", "order_of"), [("order chosen", wanted_order), ("submitted one by one", one_by_one)]
)
def test_what_an_order_gains_in_blocks_of_four_is_what_counting_through_gives(
    orders: dict[tuple[str, str], Rate], who: str, order_of: Callable[[Day], list[int]]
) -> None:
    """A day of five begins at each of the four places of a block as often, and lies within two or three."""
    blocks = sorted(set(permutations([S, S, C, C])), key=str)
    found = []
    for start, three, favoured in product(range(4), product(blocks, repeat=3), combinations(range(5), 2)):
        arms = [arm for block in three for arm in block]
        before = Counter(arms[:start])
        day = Day(arms[start : start + 5], before[S] - before[C], set(favoured))
        found += [arm is S for arm, case in zip(day.arms, order_of(day), strict=True) if case in favoured]
    exact = sum(found) / len(found)
    assert abs(orders["blocks of 4", who].share - exact) < 4 * orders["blocks of 4", who].error


def test_where_the_past_says_nothing_no_order_gains(orders: dict[tuple[str, str], Rate]) -> None:
    for who in ("order chosen", "order of report", "submitted one by one"):
        assert orders["simple", who].known == Fraction(1, 2)
        assert orders["simple", who].agrees


def test_favoured_cases_are_wanted_first_while_src_is_behind_and_last_while_it_is_ahead() -> None:
    def day(ahead: int) -> Day:
        return Day([S, C, S, C, S], ahead, {1, 3})

    assert wanted_order(day(-1)) == [1, 3, 0, 2, 4]
    assert wanted_order(day(1)) == [0, 2, 4, 1, 3]
    assert wanted_order(day(0)) == [0, 1, 2, 3, 4]
    assert {tuple(order_of_report(day(ahead))) for ahead in (-1, 0, 1)} == {(0, 1, 2, 3, 4)}


def test_one_by_one_each_arm_is_seen_before_the_next_case_is_chosen() -> None:
    assert one_by_one(Day([C, S, C, S, S], 0, {3, 4})) == [0, 3, 1, 4, 2]


def test_the_same_seed_gives_the_same_figures() -> None:
    def again(seed: int) -> list[Rate]:
        return ordering(target=20, trials=40, chance=Random(seed))

    assert again(1) == again(1) != again(2)


@pytest.mark.parametrize(
    ("design", "share"),
    [
        (Design(Scheme.SIMPLE, target=250), 1 / 2),
        (FOURS, (17 / 6) / 4),
        (Design(Scheme.BLOCKS, target=250, block_sizes=(4, 6, 8)), 0.6812),
        (Design(Scheme.SIMPLE, target=300, ratio=(2, 1)), 2 / 3),
    ],
    ids=["simple", "fours", "random sizes", "two to one"],
)
def test_the_rate_of_a_design_is_worked_out_where_theory_knows_it(design: Design, share: float) -> None:
    found = rate_of(design, trials=2, chance=Random(1))
    assert found.known is not None
    assert found.share == pytest.approx(share, abs=5e-5)


def test_where_theory_is_silent_the_rate_of_a_design_is_simulated() -> None:
    design = Design(
        Scheme.MINIMISATION, target=60, factors=(Factor("a", ("x", "y")), Factor("b", ("x", "y")))
    )
    found = rate_of(design, trials=20, chance=Random(1))
    assert (found.known, found.of) == (None, 1200)
    assert 0.55 < found.share < 0.8
    assert rate_of(SIXES, trials=20, chance=Random(1)).share > 2 / 3
