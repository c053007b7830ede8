"""In what order wards begin: drawn from the seed, so that it can be proved, and by what is asked for."""

import hashlib
import hmac
import json
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.trial.draws import draw
from referrals.rules.trial.rollout import order_of, steps_of
from referrals.rules.trial.seal import allocation_key, chain_key, rollout_key
from tests.referrals.rules.trial.designs import (
    KEY,
    PROTOCOL,
    SEED,
    assert_even,
)

FIRST = date(2026, 12, 1)
GOLDEN = ["08", "03", "05", "07", "01", "02", "06", "09", "04", "12", "10", "11"]
codes = st.lists(st.text(min_size=1, max_size=9), unique=True, max_size=40)
keys = st.binary(min_size=32, max_size=32)


@given(key=keys, wards=codes)
def test_a_drawn_order_has_each_ward_once(key: bytes, wards: list[str]) -> None:
    assert sorted(order_of(key, wards)) == sorted(wards)


@given(key=keys, wards=codes, data=st.data())
def test_it_depends_on_key_and_wards_and_not_on_how_they_were_listed(
    key: bytes, wards: list[str], data: st.DataObject
) -> None:
    assert order_of(key, data.draw(st.permutations(wards))) == order_of(key, wards)


def test_each_order_of_three_wards_is_as_likely() -> None:
    orders = Counter(tuple(order_of(n.to_bytes(32, "big"), ["a", "b", "c"])) for n in range(12_000))
    assert_even(orders, among=6)


def test_each_of_five_wards_is_as_often_in_each_place() -> None:
    drawn = [order_of(n.to_bytes(32, "big"), list("abcde")) for n in range(5_000)]
    for place in range(5):
        assert_even(Counter(order[place] for order in drawn), among=5)


def test_a_key_is_what_the_definition_says_written_by_hand() -> None:
    text = f'["src-trial-1","key","rollout","{PROTOCOL}"]'.encode()
    assert rollout_key(SEED, PROTOCOL) == hmac.digest(SEED, text, hashlib.sha256)


def test_the_order_is_what_the_definition_says_written_by_hand() -> None:
    wards = ["E05000003", "E05000001", "E05000002"]
    order = sorted(wards)
    for number in (2, 1):
        text = json.dumps(["src-trial-1", "draw", "ward", number, 0], separators=(",", ":")).encode()
        other = int.from_bytes(hmac.digest(KEY, text, hashlib.sha256), "big") % (number + 1)
        order[number], order[other] = order[other], order[number]
    assert order_of(KEY, wards) == order


def test_the_order_of_a_known_seed_never_changes() -> None:
    """Golden: past roll-outs can be checked as long as this holds."""
    key = rollout_key(SEED, PROTOCOL)
    wards = [f"E050000{number:02}" for number in range(1, 13)]
    assert [ward[-2:] for ward in order_of(key, wards)] == GOLDEN


def test_the_order_of_wards_has_a_key_of_its_own() -> None:
    of_purposes = {derived(SEED, PROTOCOL) for derived in (allocation_key, chain_key, rollout_key)}
    assert len(of_purposes) == 3
    assert rollout_key(SEED, "a") != rollout_key(SEED, "b")
    label: list[str | int] = ["ward", 2]
    assert draw(rollout_key(SEED, PROTOCOL), label, 2**64) != draw(
        allocation_key(SEED, PROTOCOL), label, 2**64
    )


def test_a_ward_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        order_of(KEY, ["a", "b", "a"])


@given(wards=codes, a_step=st.integers(1, 50), between=st.integers(1, 60))
def test_steps_take_every_ward_once_in_order_so_many_at_a_time(
    wards: list[str], a_step: int, between: int
) -> None:
    steps = steps_of(wards, first_day=FIRST, wards_a_step=a_step, days_between=between)
    assert [ward for step in steps for ward in step.wards] == wards
    assert all(len(step.wards) == a_step for step in steps[:-1])
    assert [step.day for step in steps] == [FIRST + timedelta(days=between * n) for n in range(len(steps))]


@pytest.mark.parametrize(("a_step", "between"), [(0, 7), (-1, 7), (3, 0)])
def test_a_step_has_a_ward_and_a_day_of_its_own(a_step: int, between: int) -> None:
    with pytest.raises(ValueError, match="one ward or more"):
        steps_of(["a", "b"], first_day=FIRST, wards_a_step=a_step, days_between=between)
