"""A commitment binds the whole protocol and the seed; a chain's hash binds the row and all before it."""

import copy
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.trial.draws import canonical
from referrals.rules.trial.seal import (
    allocation_key,
    chain_hash,
    chain_key,
    commitment,
    protocol_digest,
)
from tests.referrals.rules.trial.designs import PROTOCOL, SEED

DOCUMENT: dict[str, Any] = {
    "name": "Pilot",
    "target": 250,
    "ratio": [1, 1],
    "block_sizes": [4, 6, 8],
    "strata": ["E09000024", "E09000032"],
    "factors": [{"name": "borough", "levels": ["a", "b"], "weight": 1}],
    "unmasked": False,
}
ROW: dict[str, Any] = {"number": 1, "arm": "src", "position": None, "case": 5}
CHANGES: list[dict[str, Any]] = [
    {"name": "Pilot "},
    {"name": "pilot"},
    {"target": 251},
    {"target": "250"},
    {"ratio": [2, 1]},
    {"block_sizes": [4, 8, 6]},
    {"block_sizes": [4, 6]},
    {"strata": ["E09000024,E09000032"]},
    {"factors": [{"name": "borough", "levels": ["a", "b"], "weight": 2}]},
    {"factors": [{"name": "borough", "levels": ["b", "a"], "weight": 1}]},
    {"unmasked": None},
    {"unmasked": 0},
    {"more": None},
]
seeds = st.binary(min_size=32, max_size=32)


def test_the_commitment_is_what_its_docstring_says_written_by_hand() -> None:
    text = b'["src-trial-1","commitment",{"name":"Pilot"},"' + SEED.hex().encode() + b'"]'
    assert commitment({"name": "Pilot"}, SEED) == hashlib.sha256(text).hexdigest()
    assert (
        protocol_digest({"name": "Pilot"})
        == hashlib.sha256(b'["src-trial-1","protocol",{"name":"Pilot"}]').hexdigest()
    )


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_any_part_of_the_protocol_changes_commitment_digest_and_keys(change: dict[str, Any]) -> None:
    changed = {**copy.deepcopy(DOCUMENT), **change}
    assert commitment(changed, SEED) != commitment(DOCUMENT, SEED)
    digests = protocol_digest(DOCUMENT), protocol_digest(changed)
    assert digests[0] != digests[1]
    assert allocation_key(SEED, digests[0]) != allocation_key(SEED, digests[1])
    assert chain_key(SEED, digests[0]) != chain_key(SEED, digests[1])


def test_a_part_left_out_changes_the_commitment() -> None:
    for name in DOCUMENT:
        less = {each: value for each, value in DOCUMENT.items() if each != name}
        assert commitment(less, SEED) != commitment(DOCUMENT, SEED)


@given(seed=seeds, bit=st.integers(0, 255))
def test_any_bit_of_the_seed_changes_commitment_and_keys(seed: bytes, bit: int) -> None:
    other = (int.from_bytes(seed, "big") ^ 1 << bit).to_bytes(32, "big")
    assert commitment(DOCUMENT, other) != commitment(DOCUMENT, seed)
    assert allocation_key(other, PROTOCOL) != allocation_key(seed, PROTOCOL)
    assert chain_key(other, PROTOCOL) != chain_key(seed, PROTOCOL)


def test_the_order_of_names_in_the_protocol_changes_nothing() -> None:
    turned = dict(reversed(DOCUMENT.items()))
    assert commitment(turned, SEED) == commitment(DOCUMENT, SEED)


@given(seed=seeds)
def test_arms_and_rows_have_keys_of_their_own(seed: bytes) -> None:
    """And neither shows the seed or what was committed to."""
    secrets = [allocation_key(seed, PROTOCOL), chain_key(seed, PROTOCOL), seed]
    assert len({*secrets, bytes.fromhex(commitment(DOCUMENT, seed))}) == 4
    assert all(len(secret) == 32 for secret in secrets)


@pytest.mark.parametrize("part", ROW)
def test_any_part_of_a_row_changes_its_hash(part: str) -> None:
    key = chain_key(SEED, PROTOCOL)
    for value in (2, "2", True, "control"):
        assert chain_hash(key, previous="", row={**ROW, part: value}) != chain_hash(key, previous="", row=ROW)


def test_the_key_and_the_row_before_change_a_rows_hash() -> None:
    key = chain_key(SEED, PROTOCOL)
    hashes = {
        chain_hash(key, previous="", row=ROW),
        chain_hash(key, previous="a" * 64, row=ROW),
        chain_hash(chain_key(SEED[::-1], PROTOCOL), previous="", row=ROW),
        chain_hash(chain_key(SEED, "0" * 64), previous="", row=ROW),
        chain_hash(allocation_key(SEED, PROTOCOL), previous="", row=ROW),
    }
    assert len(hashes) == 5


def test_a_row_changed_long_ago_shows_in_the_last_hash() -> None:
    def last(rows: list[dict[str, Any]]) -> str:
        previous = ""
        for row in rows:
            previous = chain_hash(chain_key(SEED, PROTOCOL), previous=previous, row=row)
        return previous

    rows: list[dict[str, Any]] = [{"number": number, "arm": "src"} for number in range(1, 51)]
    for number in range(50):
        assert last([*rows[:number], {**rows[number], "arm": "control"}, *rows[number + 1 :]]) != last(rows)
        assert last([*rows[:number], *rows[number + 1 :]]) != last(rows)


def test_what_has_no_one_form_cannot_be_sealed() -> None:
    document: dict[str, Any] = {"coin": 0.8}
    with pytest.raises(ValueError, match="whole numbers"):
        commitment(document, SEED)
    assert canonical({"coin": 80}) == b'{"coin":80}'
