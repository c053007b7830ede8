"""Numbers drawn from a key, and the one form of what is hashed."""

import hashlib
import hmac
import math
import types
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.trial.draws import (
    DOMAIN,
    canonical,
    derived_key,
    draw,
    keyed_digest,
    sha256,
)
from tests.referrals.rules.trial.designs import KEY, SEED, assert_even
from tests.thorough import repeated

labels = st.lists(st.text(max_size=5) | st.integers(-3, 300), max_size=4)


def test_the_form_of_a_value_is_known() -> None:
    value: Any = {"b": [1, None, True, "é\n\u0001"], "a": {"z": -5, "y": ()}}
    assert canonical(value) == '{"a":{"y":[],"z":-5},"b":[1,null,true,"é\\n\\u0001"]}'.encode()


def test_the_order_in_which_names_were_given_does_not_matter_and_that_of_a_list_does() -> None:
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})
    assert canonical([1, 2]) != canonical([2, 1])


def test_a_mapping_or_sequence_of_another_type_has_the_same_form() -> None:
    assert canonical(types.MappingProxyType({"a": range(2)})) == canonical({"a": [0, 1]})


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        1.0,
        math.nan,
        math.inf,
        b"bytes",
        bytearray(b"bytes"),
        {1: "a"},
        {None: "a"},
        {"a": {True: 1}},
        "\ud800",
        {"\udfff": 1},
        ["a", ["b", "\ud800"]],
        {"a": [1, 2.0]},
        frozenset({"a"}),
    ],
)
def test_what_two_programs_could_write_in_two_ways_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"hashed|must be a text|surrogates"):
        canonical(value)


@given(one=labels, other=labels)
def test_two_label_lists_never_have_the_same_bytes(one: list[str | int], other: list[str | int]) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


def test_labels_that_read_the_same_when_joined_are_apart() -> None:
    alike: list[Any] = [
        ["a", "b"],
        ["a,b"],
        ['a","b'],
        ["a", "b", ""],
        ["ab"],
        ["a", 1],
        ["a", "1"],
        ["a1"],
        [["a"], 1],
    ]
    assert len({canonical(label) for label in alike}) == len(alike)


def test_a_draw_is_what_its_docstring_says_written_by_hand() -> None:
    text = b'["src-trial-1","draw","arm","E09000024",7,0]'
    number = int.from_bytes(hmac.digest(KEY, text, hashlib.sha256), "big")
    assert [draw(KEY, ["arm", "E09000024", 7], below) for below in (2, 3, 100)] == [
        number % below for below in (2, 3, 100)
    ]


def test_a_key_is_what_its_docstring_says_written_by_hand() -> None:
    text = b'["src-trial-1","key","allocation","abc"]'
    assert derived_key(SEED, "allocation", "abc") == hmac.digest(SEED, text, hashlib.sha256)
    assert keyed_digest(SEED, ["a"]) == hmac.digest(SEED, b'["a"]', hashlib.sha256).hex()
    assert sha256(["a"]) == hashlib.sha256(b'["a"]').hexdigest()


def test_a_number_of_the_uneven_tail_is_drawn_again() -> None:
    """Just over half of all numbers of 256 bits: nearly every second draw falls into the tail."""
    below = 2**255 + 1
    again = 0
    for number in range(200):
        firsts = [
            int.from_bytes(
                hmac.digest(KEY, canonical([DOMAIN, "draw", "tail", number, counter]), hashlib.sha256), "big"
            )
            for counter in range(40)
        ]
        again += firsts[0] >= below
        assert draw(KEY, ["tail", number], below) == next(first for first in firsts if first < below)
    assert 60 < again < 140


@given(label=labels, below=st.integers(1, 2**256))
def test_a_draw_is_below_its_limit_and_the_same_again(label: list[str | int], below: int) -> None:
    number = draw(KEY, label, below)
    assert 0 <= number < below
    assert draw(KEY, label, below) == number


@pytest.mark.parametrize("below", [0, -1, 2**256 + 1])
def test_what_no_draw_can_give_is_refused(below: int) -> None:
    with pytest.raises(ValueError, match="can be drawn"):
        draw(KEY, ["arm"], below)


@pytest.mark.parametrize("below", [2, 3, 5, 6, 7, 10, 16])
def test_over_many_draws_each_number_is_as_likely(below: int) -> None:
    """Of 16 numbers one that comes a quarter too often is found in 20,000 draws, a tenth in 100,000."""
    draws = range(repeated(20_000, 100_000))
    assert_even(Counter(draw(KEY, ["even", below, n], below) for n in draws), among=below)


def test_with_a_limit_where_a_remainder_alone_would_be_uneven_each_third_is_as_likely() -> None:
    """Below three quarters of the range, a remainder would give the first third twice as often."""
    below = 3 * 2**254
    thirds = Counter(draw(KEY, ["thirds", n], below) // 2**254 for n in range(20_000))
    assert_even(thirds, among=3)


def test_draws_next_to_each_other_do_not_hang_together() -> None:
    pairs = Counter((draw(KEY, ["arm", n], 4), draw(KEY, ["arm", n + 1], 4)) for n in range(0, 40_000, 2))
    assert_even(pairs, among=16)


def test_purposes_protocols_and_seeds_have_keys_of_their_own() -> None:
    derived = {
        derived_key(seed, purpose, protocol)
        for seed in (SEED, SEED[::-1])
        for purpose in ("allocation", "chain")
        for protocol in ("a", "b")
    }
    assert len(derived) == 8
