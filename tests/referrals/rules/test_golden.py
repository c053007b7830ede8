"""Golden vectors, and the rules written again: past allocations can be checked as long as these hold."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.allocation import Design, Factor, Scheme
from referrals.rules.seal import allocation_key, protocol_digest
from tests.referrals.rules import written_again
from tests.referrals.rules.designs import MINIMISED, SCHEMES, letters, minimised, sequence

FILES = sorted((Path(__file__).parent / "golden").glob("*.json"))


def design_of(written: dict[str, Any]) -> Design:
    return Design(
        Scheme(written["scheme"]),
        target=written["target"],
        ratio=(written["ratio"][0], written["ratio"][1]),
        block_sizes=tuple(written["block_sizes"]),
        strata=tuple(written["strata"]),
        factors=tuple(
            Factor(each["name"], tuple(each["levels"]), each["weight"]) for each in written["factors"]
        ),
        coin=written["coin"],
    )


def written_of(design: Design) -> dict[str, Any]:
    return {**dataclasses.asdict(design), "scheme": design.scheme.value}


def named(design: Design, units: list[list[str]]) -> list[dict[str, str]]:
    names = [factor.name for factor in design.factors]
    return [dict(zip(names, levels, strict=True)) for levels in units]


def test_there_is_a_vector_of_every_scheme() -> None:
    assert {json.loads(file.read_text())["design"]["scheme"] for file in FILES} == {s.value for s in Scheme}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_arms_of_a_known_seed_never_change(file: Path) -> None:
    vector = json.loads(file.read_text())
    design = design_of(vector["design"])
    assert protocol_digest(vector["protocol"]) == vector["protocol_digest"]
    key = allocation_key(bytes.fromhex(vector["seed"]), vector["protocol_digest"])
    if design.scheme is Scheme.MINIMISATION:
        found = {"": letters(minimised(key, design, named(design, vector["units"])))}
    else:
        found = {
            stratum: letters(sequence(key, design, len(arms), stratum))
            for stratum, arms in vector["arms"].items()
        }
    assert found == vector["arms"]
    assert all(len(arms) >= 60 for arms in found.values())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_rules_written_again_find_the_same_arms(file: Path) -> None:
    vector = json.loads(file.read_text())
    design = vector["design"]
    key = written_again.key_of(bytes.fromhex(vector["seed"]), written_again.digest_of(vector["protocol"]))
    if design["scheme"] == "minimisation":
        found = {"": "".join(written_again.minimised(key, design, vector["units"]))}
    else:
        found = {
            stratum: written_again.sequence(key, design, len(arms), stratum)
            for stratum, arms in vector["arms"].items()
        }
    assert found == vector["arms"]


@pytest.mark.parametrize("name", SCHEMES)
@given(key=st.binary(min_size=32, max_size=32))
def test_they_find_the_same_arms_for_any_key(name: str, key: bytes) -> None:
    design, stratum = SCHEMES[name], SCHEMES[name].strata[-1]
    again = written_again.sequence(key, written_of(design), 30, stratum)
    assert letters(sequence(key, design, 30, stratum)) == again


@given(
    key=st.binary(min_size=32, max_size=32),
    units=st.lists(
        st.tuples(*(st.sampled_from(factor.levels) for factor in MINIMISED.factors)).map(list), max_size=40
    ),
)
def test_they_find_the_same_arms_for_any_units(key: bytes, units: list[list[str]]) -> None:
    again = "".join(written_again.minimised(key, written_of(MINIMISED), units))
    assert letters(minimised(key, MINIMISED, named(MINIMISED, units))) == again
