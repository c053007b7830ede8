"""Golden vectors: past allocations can be checked as long as these hold, for both programs."""

import json
from pathlib import Path
from typing import Any

import pytest

from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.protocol import design_of
from referrals.rules.trial.seal import allocation_key, protocol_digest
from referrals.standalone import trial_verify
from tests.referrals.rules.trial.designs import letters, minimised, sequence

FILES = sorted((Path(__file__).parent / "golden").glob("*.json"))


def levels_of(design: Design, units: list[list[str]]) -> list[dict[str, str]]:
    names = [factor.name for factor in design.factors]
    return [dict(zip(names, levels, strict=True)) for levels in units]


def test_there_is_a_vector_of_every_scheme() -> None:
    assert {json.loads(file.read_text())["design"]["scheme"] for file in FILES} == {s.value for s in Scheme}


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def vector(request: pytest.FixtureRequest) -> Any:
    return json.loads(request.param.read_text())


def test_the_arms_of_a_known_seed_never_change(vector: Any) -> None:
    design = design_of({"allocation": vector["design"]})
    assert protocol_digest(vector["protocol"]) == vector["protocol_digest"]
    key = allocation_key(bytes.fromhex(vector["seed"]), vector["protocol_digest"])
    if design.scheme is Scheme.MINIMISATION:
        found = {"": letters(minimised(key, design, levels_of(design, vector["units"])))}
    else:
        found = {
            stratum: letters(sequence(key, design, len(arms), stratum))
            for stratum, arms in vector["arms"].items()
        }
    assert found == vector["arms"]
    assert all(len(arms) >= 60 for arms in found.values())


def test_the_program_for_people_outside_finds_the_same_arms(vector: Any) -> None:
    design = vector["design"]
    key = trial_verify.key_for("allocation", vector["protocol"], vector["seed"])
    kind = trial_verify.Minimised if design["scheme"] == "minimisation" else trial_verify.Drawn
    program = kind(key, design)
    units = levels_of(design_of({"allocation": design}), vector.get("units", []))
    for stratum, arms in vector["arms"].items():
        found = [program.next_arm(stratum, levels) for levels in units or [{}] * len(arms)]
        assert "".join(str(arm)[0] for arm in found) == arms
