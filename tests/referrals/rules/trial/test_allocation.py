"""What holds of every scheme: one sequence for one key, an urn's exact counts, and no position it has not."""

import itertools
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Scheme,
    arm_at,
    arms_of,
)
from tests.referrals.rules.trial.designs import (
    BOROUGHS,
    KEY,
    MINIMISED,
    SCHEMES,
    keys,
    sequence,
)

LENGTH = 30
of_every_scheme = pytest.mark.parametrize("name", SCHEMES)
key = st.binary(min_size=32, max_size=32)
ratio = st.sampled_from([(1, 1), (2, 1), (1, 2), (3, 2), (9, 1)])


@of_every_scheme
@given(key=key, asked=st.permutations(range(1, LENGTH + 1)), last=st.integers(1, LENGTH))
def test_the_arm_of_a_position_does_not_depend_on_which_others_were_asked_for(
    name: str, key: bytes, asked: list[int], last: int
) -> None:
    design, stratum = SCHEMES[name], SCHEMES[name].strata[-1]
    in_order = list(itertools.islice(arms_of(key, design, stratum=stratum), LENGTH))
    for position in asked[:last]:
        assert arm_at(key, design, position=position, stratum=stratum) == in_order[position - 1]


@of_every_scheme
def test_every_key_has_a_sequence_of_its_own(name: str) -> None:
    assert len({tuple(sequence(key, SCHEMES[name], LENGTH)) for key in keys(20)}) == 20


def test_every_stratum_has_a_sequence_of_its_own() -> None:
    for name in ("stratified", "stratified 1:2"):
        assert len({tuple(sequence(KEY, SCHEMES[name], LENGTH, stratum)) for stratum in BOROUGHS}) == 4


def test_a_stratum_has_the_same_sequence_whatever_other_strata_there_are() -> None:
    alone = Design(Scheme.STRATIFIED_BLOCKS, target=60, block_sizes=(4, 6, 8), strata=BOROUGHS[2:3])
    assert sequence(KEY, alone, LENGTH) == sequence(KEY, SCHEMES["stratified"], LENGTH, BOROUGHS[2])


@given(key=key, ratio=ratio, times=st.integers(1, 12))
def test_the_complete_scheme_is_exact_at_its_target(key: bytes, ratio: tuple[int, int], times: int) -> None:
    design = Design(Scheme.COMPLETE, target=sum(ratio) * times, ratio=ratio)
    counts = Counter(arms_of(key, design))
    assert (counts[Arm.SRC], counts[Arm.CONTROL]) == (ratio[0] * times, ratio[1] * times)


def test_the_complete_scheme_ends_at_its_target() -> None:
    design = SCHEMES["complete"]
    assert len(list(arms_of(KEY, design))) == 30
    with pytest.raises(ValueError, match="has 30 positions: there is no 31"):
        arm_at(KEY, design, position=31)


@of_every_scheme
def test_there_is_no_position_before_the_first(name: str) -> None:
    for position in (0, -1):
        with pytest.raises(ValueError, match="count from 1"):
            arm_at(KEY, SCHEMES[name], position=position, stratum=SCHEMES[name].strata[0])


@of_every_scheme
def test_a_stratum_that_the_design_has_not_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no such stratum"):
        arm_at(KEY, SCHEMES[name], position=1, stratum="E09000001")


def test_minimisation_has_no_sequence_without_its_units() -> None:
    with pytest.raises(ValueError, match="without its units"):
        arms_of(KEY, MINIMISED)


@st.composite
def block_designs(draw: st.DrawFn) -> Design:
    shares = draw(ratio)
    times = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True))
    sizes = tuple(sum(shares) * number for number in times)
    if draw(st.booleans()):
        return Design(Scheme.BLOCKS, target=100, ratio=shares, block_sizes=sizes)
    strata = tuple(draw(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=3, unique=True)))
    return Design(Scheme.STRATIFIED_BLOCKS, target=100, ratio=shares, block_sizes=sizes, strata=strata)


def cut_into_blocks(arms: Sequence[Arm], design: Design) -> bool:
    """Whether the arms can be cut into whole blocks in the ratio, each of a size that the design has.

    The last may be broken off, but no arm of it may be over its share.
    """
    if not arms:
        return True
    for size in design.block_sizes:
        counts = Counter(arms[:size])
        shares = [share * size // sum(design.ratio) for share in design.ratio]
        within = counts[Arm.SRC] <= shares[0] and counts[Arm.CONTROL] <= shares[1]
        if within and (len(arms) <= size or cut_into_blocks(arms[size:], design)):
            return True
    return False


@given(key=key, design=block_designs(), length=st.integers(1, 60))
def test_blocks_are_whole_blocks_in_the_ratio(key: bytes, design: Design, length: int) -> None:
    for stratum in design.strata:
        arms = list(itertools.islice(arms_of(key, design, stratum=stratum), length))
        assert cut_into_blocks(arms, design)


@given(key=key, design=block_designs())
def test_blocks_are_never_further_from_the_ratio_than_their_largest_can_bring_them(
    key: bytes, design: Design
) -> None:
    """Within a block of size B at SRC:control = r:c, SRC times c less control times r is at most rcB/(r+c).

    Whole blocks add nothing to it, so it holds at every position.
    """
    src, control = design.ratio
    bound = src * control * max(design.block_sizes) // (src + control)
    for stratum in design.strata:
        counts: Counter[Arm] = Counter()
        for arm in itertools.islice(arms_of(key, design, stratum=stratum), 60):
            counts[arm] += 1
            assert abs(counts[Arm.SRC] * control - counts[Arm.CONTROL] * src) <= bound


@given(key=key, design=block_designs().filter(lambda design: len(design.block_sizes) == 1))
def test_blocks_of_one_size_are_exact_at_the_end_of_each(key: bytes, design: Design) -> None:
    (size,) = design.block_sizes
    arms = list(itertools.islice(arms_of(key, design, stratum=design.strata[-1]), 4 * size))
    for start in range(0, 4 * size, size):
        assert Counter(arms[start : start + size])[Arm.SRC] == design.ratio[0] * size // sum(design.ratio)
