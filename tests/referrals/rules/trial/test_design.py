"""A design that cannot be allocated is refused in one sentence that says what to change."""

from typing import Any

import pytest

from referrals.rules.trial.allocation import (
    Design,
    Factor,
    ImpossibleDesign,
    Scheme,
)

GOOD: dict[str, dict[str, Any]] = {
    "simple": {"scheme": Scheme.SIMPLE, "target": 250},
    "complete": {"scheme": Scheme.COMPLETE, "target": 250},
    "blocks": {"scheme": Scheme.BLOCKS, "target": 250, "block_sizes": (4, 6)},
    "stratified": {
        "scheme": Scheme.STRATIFIED_BLOCKS,
        "target": 250,
        "block_sizes": (4, 6),
        "strata": ("a", "b"),
    },
    "minimisation": {
        "scheme": Scheme.MINIMISATION,
        "target": 250,
        "factors": (Factor("borough", ("a", "b")),),
    },
}
TWO = ("a", "b")
FIFTY_ONE = tuple(f"stratum {number}" for number in range(51))
TARGET = "The target must be at most 50,000: no force could recruit more."
SHARES = "Each part of the ratio must be from 1 to 9, so that each arm gets somebody."
SIZES = "Each block size must be a multiple of 2, and at most 100."
STRATA = "Name each stratum once."
COIN = "The coin must be from 51 to 99 of 100: at 100 the next arm could often be known."
WEIGHT = "The weight of borough must be a whole number from 1 to 9."


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_allocated_is_a_design(name: str) -> None:
    assert Design(**GOOD[name]).whole == 2


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("simple", {"ratio": (9, 1), "target": 10}),
        ("complete", {"target": 50_000}),
        ("blocks", {"block_sizes": tuple(range(2, 22, 2))}),
        ("stratified", {"strata": FIFTY_ONE[:50]}),
        ("minimisation", {"factors": tuple(Factor(name, FIFTY_ONE[:50]) for name in "abcde")}),
        ("complete", {"ratio": (2, 1), "target": 3}),
        ("blocks", {"block_sizes": (2, 100), "target": 100}),
        ("blocks", {"ratio": (3, 2), "block_sizes": (5, 100)}),
        ("stratified", {"strata": ("a",), "block_sizes": (100,), "target": 100}),
        ("minimisation", {"coin": 51}),
        ("minimisation", {"coin": 99, "factors": (Factor("borough", TWO, 9), Factor("type", TWO, 1))}),
    ],
    ids=str,
)
def test_the_last_value_within_each_limit_is_allowed(name: str, changed: dict[str, Any]) -> None:
    Design(**{**GOOD[name], **changed})


@pytest.mark.parametrize(
    ("name", "changed", "sentence"),
    [
        ("simple", {"ratio": (0, 1)}, SHARES),
        ("simple", {"ratio": (1, 0)}, SHARES),
        ("simple", {"ratio": (0, 0)}, SHARES),
        ("simple", {"ratio": (-1, 2)}, SHARES),
        ("blocks", {"ratio": (10, 1), "block_sizes": (11,)}, SHARES),
        ("blocks", {"ratio": (2, 2)}, "Write the ratio in its lowest terms: 1:1, not 2:2."),
        ("simple", {"ratio": (6, 3)}, "Write the ratio in its lowest terms: 1:1, not 2:2."),
        ("simple", {"target": 1}, "The target must be at least 2, one for each part of the ratio."),
        ("simple", {"target": -2}, "The target must be at least 2, one for each part of the ratio."),
        (
            "simple",
            {"target": 2, "ratio": (2, 1)},
            "The target must be at least 3, one for each part of the ratio.",
        ),
        ("complete", {"target": 251}, "The target must be a multiple of 2, so that the ratio can be exact."),
        (
            "complete",
            {"ratio": (2, 1)},
            "The target must be a multiple of 3, so that the ratio can be exact.",
        ),
        ("blocks", {"block_sizes": ()}, "Give at least one block size."),
        ("stratified", {"block_sizes": ()}, "Give at least one block size."),
        ("blocks", {"block_sizes": (4, 4)}, "Give each block size once."),
        ("blocks", {"block_sizes": (4, 5)}, SIZES),
        ("blocks", {"block_sizes": (0,)}, SIZES),
        ("blocks", {"block_sizes": (-2,)}, SIZES),
        ("stratified", {"block_sizes": (102,)}, SIZES),
        (
            "blocks",
            {"ratio": (2, 1), "block_sizes": (3, 4)},
            "Each block size must be a multiple of 3, and at most 100.",
        ),
        ("blocks", {"target": 5}, "The target must be at least the largest block."),
        ("simple", {"block_sizes": (4,)}, "Only blocks have block sizes."),
        ("complete", {"block_sizes": (4,)}, "Only blocks have block sizes."),
        ("minimisation", {"block_sizes": (4,)}, "Only blocks have block sizes."),
        ("stratified", {"strata": ()}, STRATA),
        ("stratified", {"strata": ("",)}, STRATA),
        ("stratified", {"strata": ("a", "b", "a")}, STRATA),
        ("blocks", {"strata": TWO}, "Only stratified blocks have strata."),
        ("simple", {"strata": ()}, "Only stratified blocks have strata."),
        ("minimisation", {"ratio": (2, 1)}, "Minimisation allocates 1:1."),
        ("minimisation", {"factors": ()}, "Name each factor to balance once."),
        (
            "minimisation",
            {"factors": (Factor("a", TWO), Factor("a", TWO))},
            "Name each factor to balance once.",
        ),
        ("minimisation", {"factors": (Factor("borough", ("a",)),)}, "borough needs two levels or more."),
        ("minimisation", {"factors": (Factor("borough", ("a", "a")),)}, "borough needs two levels or more."),
        ("minimisation", {"factors": (Factor("borough", TWO, 0),)}, WEIGHT),
        ("minimisation", {"factors": (Factor("borough", TWO, 10),)}, WEIGHT),
        ("minimisation", {"coin": 100}, COIN),
        ("minimisation", {"coin": 50}, COIN),
        ("minimisation", {"coin": 0}, COIN),
        ("blocks", {"factors": (Factor("borough", TWO),)}, "Only minimisation balances factors."),
        ("simple", {"target": 50_001}, TARGET),
        ("complete", {"target": 10**4_000}, TARGET),
        ("blocks", {"block_sizes": tuple(range(2, 24, 2))}, "Give at most 10 block sizes."),
        ("stratified", {"strata": FIFTY_ONE}, "Take at most 50 strata."),
        (
            "minimisation",
            {"factors": tuple(Factor(name, TWO) for name in "abcdef")},
            "Balance at most 5 factors.",
        ),
        ("minimisation", {"factors": (Factor("borough", FIFTY_ONE),)}, "borough may have at most 50 levels."),
    ],
    ids=str,
)
def test_what_cannot_be_allocated_is_refused(name: str, changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ImpossibleDesign) as refused:
        Design(**{**GOOD[name], **changed})
    assert str(refused.value) == sentence
