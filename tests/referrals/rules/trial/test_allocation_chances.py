"""Chances: at every position each scheme gives SRC in its ratio, and nothing hangs together that must not.

Seeds are fixed, so none of these flickers; each bound would be passed by chance in one case of a million.
"""

import itertools
from collections import Counter

import pytest

from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Scheme,
    arm_at,
    arms_of,
)
from referrals.rules.trial.seal import allocation_key, protocol_digest
from tests.referrals.rules.trial.designs import (
    BOROUGHS,
    MINIMISED,
    SCHEMES,
    assert_even,
    assert_share,
    keys,
    letters,
    minimised,
    sequences,
)
from tests.thorough import repeated

# Trials that are drawn; and many, where a rare outcome or sixteen are counted.
TRIALS, MANY = repeated(2_000, 20_000), repeated(5_000, 50_000)


@pytest.mark.parametrize("name", SCHEMES)
def test_at_every_position_the_share_of_src_is_the_ratios(name: str) -> None:
    design = SCHEMES[name]
    share = design.ratio[0] / sum(design.ratio)
    for arms in zip(*sequences(design, TRIALS, 30), strict=True):
        assert_share(Counter(arms)[Arm.SRC], TRIALS, share)


def test_at_every_position_minimisation_gives_src_to_every_second_trial() -> None:
    units = [{"borough": BOROUGHS[n * 7 % 4], "repeat": ("first", "repeat")[n % 3 == 0]} for n in range(12)]
    trials = [list(minimised(key, MINIMISED, units)) for key in keys(TRIALS)]
    for arms in zip(*trials, strict=True):
        assert_share(Counter(arms)[Arm.SRC], TRIALS, 0.5)


@pytest.mark.parametrize("design", [SCHEMES["simple"], SCHEMES["simple 2:1"]], ids=["1:1", "2:1"])
def test_simple_positions_do_not_depend_on_each_other(design: Design) -> None:
    share = design.ratio[0] / sum(design.ratio)
    trials = sequences(design, TRIALS, 6)
    for first, second in itertools.combinations(range(6), 2):
        both = sum(arms[first] is arms[second] is Arm.SRC for arms in trials)
        assert_share(both, TRIALS, share**2)


@pytest.mark.parametrize(
    ("design", "orders"),
    [
        (Design(Scheme.BLOCKS, target=60, block_sizes=(4,)), 6),
        (Design(Scheme.COMPLETE, target=4), 6),
        (Design(Scheme.BLOCKS, target=60, ratio=(2, 1), block_sizes=(3,)), 3),
        (Design(Scheme.BLOCKS, target=60, ratio=(3, 2), block_sizes=(5,)), 10),
        (Design(Scheme.STRATIFIED_BLOCKS, target=60, block_sizes=(6,), strata=("a", "b")), 20),
    ],
    ids=["4", "complete", "3 at 2:1", "5 at 3:2", "stratified 6"],
)
def test_every_order_of_a_block_is_as_likely(design: Design, orders: int) -> None:
    (size,) = design.block_sizes or (design.target,)
    assert_even(Counter(letters(arms) for arms in sequences(design, MANY, size)), among=orders)


def test_the_orders_of_two_blocks_that_follow_do_not_hang_together() -> None:
    """Whether a block of two begins with SRC says nothing about whether the next does."""
    twos = Design(Scheme.BLOCKS, target=60, block_sizes=(2,))
    assert_even(Counter(letters(arms[::2]) for arms in sequences(twos, MANY, 4)), among=4)


def test_each_block_size_is_as_likely() -> None:
    """At 9:1 the first ten show it: a block of 10 has one control, a half block of 20 none, one or two.

    None and two have 9 parts of 38 each there, so half as much where every second block is one of 20.
    """
    design = Design(Scheme.BLOCKS, target=60, ratio=(9, 1), block_sizes=(10, 20))
    controls = Counter(Counter(arms)[Arm.CONTROL] for arms in sequences(design, TRIALS, 10))
    assert controls.keys() == {0, 1, 2}
    assert_share(controls[0], TRIALS, 9 / 76)
    assert_share(controls[2], TRIALS, 9 / 76)


def test_the_sizes_of_two_blocks_that_follow_do_not_hang_together() -> None:
    """Where the first ten show a block of twenty, the next block is one of twenty in every second trial."""
    design = Design(Scheme.BLOCKS, target=60, ratio=(9, 1), block_sizes=(10, 20))
    nexts = [
        Counter(arms[20:])[Arm.CONTROL]
        for arms in sequences(design, MANY, 30)
        if Counter(arms[:10])[Arm.CONTROL] != 1
    ]
    assert_share(sum(controls != 1 for controls in nexts), len(nexts), 18 / 76)


def test_strata_do_not_hang_together() -> None:
    """The first arms of the four boroughs: sixteen outcomes, each as likely over the trials."""
    design = SCHEMES["stratified"]
    firsts = Counter(
        letters([arm_at(key, design, position=1, stratum=borough) for borough in BOROUGHS])
        for key in keys(MANY)
    )
    assert_even(firsts, among=16)


def test_whole_blocks_of_two_strata_do_not_hang_together() -> None:
    design = Design(Scheme.STRATIFIED_BLOCKS, target=60, block_sizes=(2, 4), strata=("a", "b"))
    pairs: Counter[tuple[str, str]] = Counter()
    alone: dict[str, Counter[str]] = {"a": Counter(), "b": Counter()}
    for key in keys(MANY):
        orders = {
            stratum: letters(list(itertools.islice(arms_of(key, design, stratum=stratum), 3)))
            for stratum in design.strata
        }
        pairs[orders["a"], orders["b"]] += 1
        for stratum, order in orders.items():
            alone[stratum][order] += 1
    for (one, other), count in pairs.items():
        assert_share(count, MANY, alone["a"][one] * alone["b"][other] / MANY**2)


def test_trials_with_one_seed_and_two_protocols_do_not_hang_together() -> None:
    firsts: Counter[str] = Counter()
    for number in range(MANY):
        seed = number.to_bytes(32, "big")
        both = [allocation_key(seed, protocol_digest({"name": name})) for name in ("One", "Other")]
        firsts[letters([arm_at(key, SCHEMES["blocks"], position=1) for key in both])] += 1
    assert_even(firsts, among=4)
