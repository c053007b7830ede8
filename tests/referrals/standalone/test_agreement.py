"""Two programs that share no code give the same arms, keys and hashes: that is the proof of both."""

from collections.abc import Sequence
from dataclasses import replace
from math import gcd
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from referrals.rules.trial import draws, seal
from referrals.rules.trial.allocation import (
    Design,
    Factor,
    ImpossibleDesign,
    Scheme,
)
from referrals.standalone import trial_verify
from tests.referrals.standalone.bundles import DESIGNS, SEED, bundle_of, protocol_of, units

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = texts.filter(bool)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
keys = st.binary(min_size=32, max_size=32)
ratios = st.tuples(st.integers(1, 9), st.integers(1, 9)).filter(lambda ratio: gcd(*ratio) == 1)
factors = st.builds(
    Factor, names, st.lists(texts, min_size=2, max_size=3, unique=True).map(tuple), st.integers(1, 9)
)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    """Every scheme, with what it may have."""
    scheme, ratio = draw(st.sampled_from(Scheme)), draw(ratios)
    whole = sum(ratio)
    if scheme is Scheme.MINIMISATION:
        balanced = st.lists(factors, min_size=1, max_size=3, unique_by=lambda each: each.name)
        return Design(scheme, target=250, factors=tuple(draw(balanced)), coin=draw(st.integers(51, 99)))
    if scheme in (Scheme.SIMPLE, Scheme.COMPLETE):
        return Design(scheme, target=whole * draw(st.integers(1, 30)), ratio=ratio)
    sizes = st.lists(st.integers(1, min(100 // whole, 4)), min_size=1, max_size=3, unique=True)
    strata = st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
    return Design(
        scheme,
        target=250,
        ratio=ratio,
        block_sizes=tuple(whole * size for size in draw(sizes)),
        strata=draw(strata) if scheme is Scheme.STRATIFIED_BLOCKS else ("",),
    )


@given(designs(), st.data())
def test_both_give_every_position_of_any_design_the_same_arm(design: Design, data: st.DataObject) -> None:
    def choose(options: Sequence[str]) -> str:
        return data.draw(st.sampled_from(options)) if len(options) > 1 else options[0]

    count = data.draw(st.integers(1, min(design.target, 30)))
    replay = replayed(bundle_of(design, units(design, count, choose)))
    assert (replay.checked["arms"], replay.checked["allocations"]) == (count, count)


@pytest.mark.parametrize("scheme", DESIGNS)
def test_both_agree_over_the_whole_of_a_trial(scheme: str) -> None:
    design = replace(DESIGNS[scheme], target=252)
    assert replayed(bundle_of(design, units(design, 252))).checked["arms"] == 252


def replayed(bundle: dict[str, Any]) -> trial_verify.Replay:
    trial_verify.check_bundle(bundle)
    replay = trial_verify.Replay(bundle, {})
    replay.run()
    return replay


@given(keys, st.lists(texts | st.integers(), max_size=3), st.integers(1, 2**256))
def test_both_draw_the_same_number(key: bytes, label: list[str | int], below: int) -> None:
    assert trial_verify.draw(key, label, below) == draws.draw(key, label, below)


def test_both_draw_again_in_the_same_way() -> None:
    """Of a little more than half of all numbers: nearly every other draw is drawn again."""
    labels: list[list[str | int]] = [["arm", "", position] for position in range(1, 60)]
    below = 2**255 + 1
    drawn = [trial_verify.draw(SEED, label, below) for label in labels]
    assert drawn == [draws.draw(SEED, label, below) for label in labels]
    first = [
        int.from_bytes(trial_verify.keyed(SEED, ["src-trial-1", "draw", *label, 0]), "big")
        for label in labels
    ]
    assert sum(number != once for number, once in zip(drawn, first, strict=True)) > 15


@given(values)
@example({'\x00\x1f\x7f\u2028"\\/\b\t\n\f\r': "é😀", "\uffff": 1, "\U00010000": [True, False, None, -12]})
def test_both_write_a_value_in_the_same_form(value: Any) -> None:
    assert trial_verify.canonical(value) == draws.canonical(value)


@given(st.dictionaries(texts, values, max_size=4), keys, texts)
def test_both_have_the_same_commitment_and_keys(protocol: dict[str, Any], seed: bytes, previous: str) -> None:
    digest = seal.protocol_digest(protocol)
    assert trial_verify.commitment_of(protocol, seed.hex()) == seal.commitment(protocol, seed)
    assert trial_verify.key_for("allocation", protocol, seed.hex()) == seal.allocation_key(seed, digest)
    assert trial_verify.key_for("chain", protocol, seed.hex()) == seal.chain_key(seed, digest)


@st.composite
def settings_of_designs(draw: st.DrawFn) -> dict[str, Any]:
    """A possible design with one or two settings that may make it impossible."""
    design = draw(designs())
    odd: dict[str, st.SearchStrategy[Any]] = {
        "scheme": st.sampled_from(Scheme),
        "target": st.integers(-1, 120),
        "ratio": st.tuples(st.integers(-1, 10), st.integers(-1, 10)),
        "block_sizes": st.lists(st.integers(-4, 104), max_size=3).map(tuple),
        "strata": st.lists(st.sampled_from(["", "A", "B"]), max_size=3).map(tuple),
        "factors": st.lists(
            st.builds(
                Factor,
                st.sampled_from(["", "f", "g"]),
                st.lists(st.sampled_from(["", "a", "b"]), max_size=3).map(tuple),
                st.integers(-1, 10),
            ),
            max_size=2,
        ).map(tuple),
        "coin": st.integers(49, 101),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(odd)), max_size=2, unique=True))
    return vars(design) | {name: draw(odd[name]) for name in chosen}


LEVELS = ("a", "b")
LIMITS = [
    ("simple", {"ratio": (9, 8)}, True),
    ("simple", {"ratio": (9, 9)}, False),
    ("simple", {"ratio": (10, 1)}, False),
    ("simple", {"ratio": (1, 10)}, False),
    ("simple", {"ratio": (0, 2)}, False),
    ("simple", {"ratio": (2, 0)}, False),
    ("simple", {"ratio": (2, 1), "target": 3}, True),
    ("simple", {"ratio": (2, 1), "target": 2}, False),
    ("simple", {"block_sizes": (3,)}, False),
    ("simple", {"strata": ("A",)}, False),
    ("simple", {"strata": ()}, False),
    ("simple", {"strata": ("", "A")}, False),
    ("simple", {"factors": (Factor("f", LEVELS),)}, False),
    ("simple", {"coin": 0}, True),
    ("complete", {"target": 63}, True),
    ("complete", {"target": 61}, False),
    ("complete", {"block_sizes": (3,)}, False),
    ("blocks", {"block_sizes": ()}, False),
    ("blocks", {"block_sizes": (3, 3)}, False),
    ("blocks", {"block_sizes": (4,)}, False),
    ("blocks", {"block_sizes": (0,)}, False),
    ("blocks", {"block_sizes": (-3,)}, False),
    ("blocks", {"block_sizes": (60,)}, True),
    ("blocks", {"block_sizes": (63,)}, False),
    ("blocks", {"block_sizes": (99,), "target": 250}, True),
    ("blocks", {"block_sizes": (102,), "target": 250}, False),
    ("blocks", {"strata": ("A",)}, False),
    ("blocks", {"factors": (Factor("f", LEVELS),)}, False),
    ("stratified_blocks", {"strata": ("A",)}, True),
    ("stratified_blocks", {"strata": ()}, False),
    ("stratified_blocks", {"strata": ("",)}, False),
    ("stratified_blocks", {"strata": ("A", "")}, False),
    ("stratified_blocks", {"strata": ("A", "B", "A")}, False),
    ("stratified_blocks", {"block_sizes": (4, 4)}, False),
    ("minimisation", {"ratio": (2, 2)}, False),
    ("minimisation", {"factors": ()}, False),
    ("minimisation", {"factors": (Factor("", LEVELS),)}, True),
    ("minimisation", {"factors": (Factor("f", LEVELS), Factor("f", LEVELS))}, False),
    ("minimisation", {"factors": (Factor("f", ("a", "a", "b")),)}, True),
    ("minimisation", {"factors": (Factor("f", ("a", "a")),)}, False),
    ("minimisation", {"factors": (Factor("f", LEVELS, 1), Factor("g", LEVELS, 9))}, True),
    ("minimisation", {"factors": (Factor("f", LEVELS, 0),)}, False),
    ("minimisation", {"factors": (Factor("f", LEVELS, 10),)}, False),
    ("minimisation", {"block_sizes": (4,)}, False),
    ("minimisation", {"coin": 51}, True),
    ("minimisation", {"coin": 99}, True),
    ("minimisation", {"coin": 50}, False),
    ("minimisation", {"coin": 100}, False),
]


@pytest.mark.parametrize(("scheme", "changes", "possible"), LIMITS)
def test_both_draw_the_line_at_the_same_place(scheme: str, changes: dict[str, Any], possible: bool) -> None:
    assert verdicts(vars(DESIGNS[scheme]) | changes) == (possible, possible)


@given(settings_of_designs())
def test_both_find_the_same_designs_impossible(settings: dict[str, Any]) -> None:
    by_rules, by_verifier = verdicts(settings)
    assert by_rules == by_verifier


def verdicts(settings: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the rules find it possible, and whether the verifier does."""
    unchecked = object.__new__(Design)
    vars(unchecked).update(settings)
    by_verifier = trial_verify.design_problem(protocol_of(unchecked)["allocation"]) is None
    try:
        Design(**settings)
    except ImpossibleDesign:
        return False, by_verifier
    return True, by_verifier
