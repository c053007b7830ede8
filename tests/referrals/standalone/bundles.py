"""Bundles of made-up trials, written with the rules of the system that allocates."""

import hashlib
import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from referrals.rules.trial import protocol, seal
from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Factor,
    Given,
    Scheme,
    arm_at,
)
from tests.factories import conduct

SEED = bytes(range(32))
OTHER_SEED = bytes(range(1, 33))
Row = dict[str, Any]
Bundle = dict[str, Any]

DESIGNS = {
    "simple": Design(Scheme.SIMPLE, target=60, ratio=(2, 1)),
    "complete": Design(Scheme.COMPLETE, target=60, ratio=(2, 1)),
    "blocks": Design(Scheme.BLOCKS, target=60, ratio=(1, 2), block_sizes=(6, 3, 9)),
    "stratified_blocks": Design(
        Scheme.STRATIFIED_BLOCKS, target=60, block_sizes=(4, 6, 8), strata=("Merton", "Wandsworth é")
    ),
    "minimisation": Design(
        Scheme.MINIMISATION,
        target=60,
        factors=(Factor("repeat_victim", ("yes", "no")), Factor("strand", ("a", "b", "c"), weight=2)),
        coin=70,
    ),
}


def protocol_of(design: Design) -> dict[str, Any]:
    """A protocol that allocates so."""
    return {
        "title": "Trial of “SRC”\n",
        "sites": ["Merton", "Wandsworth"],
        "analysis": {"alpha_percent": 5, "blinded": False, "stop": None},
        "allocation": protocol.protocol_of(name="", bcu="", design=design, conduct=conduct([]))["allocation"],
    }


def digest(*parts: object) -> str:
    """Stands for what is random or salted in a real bundle."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def row(number: int, *, position: int | None, arm: str, **rest: Any) -> Row:
    """A row without its links."""
    return {
        "number": number,
        "unit": digest("unit", number)[:32],
        "case": digest("case", number),
        "moment": digest("moment", number),
        "stratum": "",
        "levels": {},
        "position": position,
        "follows": None,
        "arm": arm,
    } | rest


def units(design: Design, count: int, choose: Callable[[Sequence[str]], str] | None = None) -> list[Row]:
    """Positions taken one after another; stratum and levels go round unless chosen."""
    turn = iter(range(10**9))
    pick = choose or (lambda values: values[(lambda n: n * n + n // 3)(next(turn)) % len(values)])
    key = seal.allocation_key(SEED, seal.protocol_digest(protocol_of(design)))
    taken: dict[str, int] = {}
    before: list[Given] = []
    rows = []
    for number in range(1, count + 1):
        stratum = pick(design.strata)
        levels = {factor.name: pick(factor.levels) for factor in design.factors}
        taken[stratum] = position = taken.get(stratum, 0) + 1
        known = before if design.scheme is Scheme.MINIMISATION else ()
        arm = arm_at(key, design, position=position, stratum=stratum, levels=levels, before=known)
        before.append(Given(arm, levels))
        rows.append(row(number, position=position, arm=arm.value, stratum=stratum, levels=levels))
    return rows


def following(rows: list[Row], followed: int) -> Row:
    """A linked report of the unit of an earlier row."""
    first, number = rows[followed - 1], len(rows) + 1
    shared = {name: first[name] for name in ("unit", "stratum", "arm")}
    return row(number, position=None, follows=followed, case=digest("linked", number), **shared)


def chained(rows: Sequence[Row], protocol: dict[str, Any], seed: bytes = SEED) -> list[Row]:
    """The rows with their links, as somebody with that seed writes them."""
    key = seal.chain_key(seed, seal.protocol_digest(protocol))
    previous, found = "", []
    for each in rows:
        content = {name: value for name, value in each.items() if name not in ("previous", "hash")}
        found.append(content | {"previous": previous})
        previous = found[-1]["hash"] = seal.chain_hash(key, previous=previous, row=content)
    return found


def bundle_of(design: Design, rows: Sequence[Row]) -> Bundle:
    """A whole trial, revealed."""
    protocol = protocol_of(design)
    return {
        "format": "src-trial-1",
        "protocol": protocol,
        "commitment": seal.commitment(protocol, SEED),
        "seed": SEED.hex(),
        "allocations": chained(rows, protocol),
    }


def trial(scheme: str, count: int = 40) -> Bundle:
    """A trial of that scheme; the last two rows but one follow the third and the first."""
    rows = units(DESIGNS[scheme], count - 3)
    for followed in (3, 1):
        rows.append(following(rows, followed))
    *_, last = units(DESIGNS[scheme], count - 2)
    rows.append(last | {"number": count})
    return bundle_of(DESIGNS[scheme], rows)


def before_reveal(bundle: Bundle) -> Bundle:
    """The same trial as it is shown while the seed is secret."""
    rows = [{name: each[name] for name in ("number", "previous", "hash")} for each in bundle["allocations"]]
    return bundle | {"seed": None, "allocations": rows}


def heads_of(bundle: Bundle, *counts: int) -> dict[str, Any]:
    """What a registrar received: one head a day."""
    hashes = ["", *(each["hash"] for each in bundle["allocations"])]
    return {
        "format": "src-trial-1",
        "commitment": bundle["commitment"],
        "heads": [
            {"count": count, "hash": hashes[count], "on": f"2026-11-{day:02}"}
            for day, count in enumerate(counts, start=1)
        ],
    }


def changed(bundle: Bundle, number: int, /, **fields: Any) -> Bundle:
    """A copy with other fields in one row, whose links are left as they were."""
    copy = deepcopy(bundle)
    copy["allocations"][number - 1].update(fields)
    return copy


def rechained(bundle: Bundle, rows: Sequence[Row], seed: bytes = SEED) -> Bundle:
    """A copy with these rows, numbered and chained anew by somebody who holds that seed."""
    numbered = [each | {"number": number} for number, each in enumerate(deepcopy(list(rows)), start=1)]
    return bundle | {"allocations": chained(numbered, bundle["protocol"], seed)}


def other_arm(arm: str) -> str:
    """The arm that it is not."""
    return Arm.CONTROL.value if arm == Arm.SRC.value else Arm.SRC.value


def write(path: Path, content: object) -> str:
    """The path of a file with that content: JSON, unless it is bytes."""
    path.write_bytes(
        content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    )
    return str(path)
