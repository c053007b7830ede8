"""Golden vectors: a change here would make every trial allocated so far impossible to check."""

import json
from pathlib import Path
from typing import Any

import pytest

from referrals.rules.allocation import Design, Factor, Scheme
from referrals.rules.seal import allocation_key, protocol_digest
from tests.referrals.rules.designs import letters, minimised, sequence

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


def test_there_is_a_vector_of_every_scheme() -> None:
    assert {json.loads(file.read_text())["design"]["scheme"] for file in FILES} == {s.value for s in Scheme}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_arms_of_a_known_seed_never_change(file: Path) -> None:
    vector = json.loads(file.read_text())
    design = design_of(vector["design"])
    assert protocol_digest(vector["protocol"]) == vector["protocol_digest"]
    key = allocation_key(bytes.fromhex(vector["seed"]), vector["protocol_digest"])
    if design.scheme is Scheme.MINIMISATION:
        names = [factor.name for factor in design.factors]
        units = [dict(zip(names, levels, strict=True)) for levels in vector["units"]]
        found = {"": letters(minimised(key, design, units))}
    else:
        found = {
            stratum: letters(sequence(key, design, len(arms), stratum))
            for stratum, arms in vector["arms"].items()
        }
    assert found == vector["arms"]
    assert all(len(arms) >= 60 for arms in found.values())
