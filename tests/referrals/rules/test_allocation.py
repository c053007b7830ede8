"""The sequence is fixed by the seed, balanced in every block, and fair."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.allocation import Arm, arm_at, block, chain_hash

seeds = st.binary(min_size=32, max_size=32)
SEED = bytes(range(32))


@given(seed=seeds, index=st.integers(0, 500))
def test_every_block_has_a_size_of_the_scheme_and_is_half_src(seed: bytes, index: int) -> None:
    arms = block(seed, trial="1", stratum="E09000024", index=index, sizes=(4, 6, 8))
    assert len(arms) in {4, 6, 8}
    assert Counter(arms) == {Arm.SRC: len(arms) // 2, Arm.CONTROL: len(arms) // 2}


@given(seed=seeds, length=st.integers(1, 120))
def test_at_no_point_are_the_arms_more_than_half_a_block_apart(seed: bytes, length: int) -> None:
    arms = [
        arm_at(seed, trial="1", stratum="E09000024", position=position) for position in range(1, length + 1)
    ]
    counts = Counter(arms)
    assert abs(counts[Arm.SRC] - counts[Arm.CONTROL]) <= 4


def test_positions_walk_through_the_blocks_in_order() -> None:
    blocks = [block(SEED, trial="7", stratum="s", index=index, sizes=(4, 6, 8)) for index in range(20)]
    flat = [arm for arms in blocks for arm in arms]
    walked = [arm_at(SEED, trial="7", stratum="s", position=n + 1) for n in range(len(flat))]
    assert walked == flat


def test_the_sequence_of_a_known_seed_never_changes() -> None:
    """The golden vector: a change here would make every past allocation unverifiable."""
    arms = "".join(arm_at(SEED, trial="1", stratum="E09000024", position=n).value[0] for n in range(1, 41))
    assert arms == "scsccscsssscscccscsssccccscsccsscssscccs"


def test_strata_and_trials_have_sequences_of_their_own() -> None:
    def sequence(trial: str, stratum: str) -> list[Arm]:
        return [arm_at(SEED, trial=trial, stratum=stratum, position=n) for n in range(1, 65)]

    assert sequence("1", "a") != sequence("1", "b")
    assert sequence("1", "a") != sequence("2", "a")


def test_first_positions_over_many_strata_are_even_and_block_sizes_too() -> None:
    """Over 6,000 strata a fair coin stays within 200 of 3,000 (five standard deviations)."""
    firsts = Counter(arm_at(SEED, trial="1", stratum=str(n), position=1) for n in range(6_000))
    assert abs(firsts[Arm.SRC] - 3_000) < 200
    sizes = Counter(
        len(block(SEED, trial="1", stratum=str(n), index=0, sizes=(4, 6, 8))) for n in range(6_000)
    )
    assert all(abs(count - 2_000) < 185 for count in sizes.values())


def test_every_order_of_a_block_of_four_is_as_likely() -> None:
    """Six orders, 1,000 each expected; chi-squared with 5 degrees of freedom, p = 0.0001 at 25.7."""
    orders = Counter(block(SEED, trial="1", stratum=str(n), index=0, sizes=(4,)) for n in range(6_000))
    assert len(orders) == 6
    assert sum((count - 1_000) ** 2 / 1_000 for count in orders.values()) < 25.7


@pytest.mark.parametrize("sizes", [(), (3,), (4, 5), (0,)])
def test_block_sizes_that_cannot_be_halved_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="even"):
        block(SEED, trial="1", stratum="s", index=0, sizes=sizes)


def test_there_is_no_position_before_the_first() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        arm_at(SEED, trial="1", stratum="s", position=0)


def test_the_chain_hash_changes_with_seed_row_and_predecessor() -> None:
    row: dict[str, str | int | None] = {"number": 1, "arm": "src", "position": None}
    hashes = {
        chain_hash(SEED, previous="", row=row),
        chain_hash(b"other seed", previous="", row=row),
        chain_hash(SEED, previous="a", row=row),
        chain_hash(SEED, previous="", row={**row, "arm": "control"}),
    }
    assert len(hashes) == 4
