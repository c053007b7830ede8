#!/usr/bin/env python3
"""Replays a randomised trial from its bundle, and says what that proves and what it does not.

    python3 trial_verify.py BUNDLE [--head FILE ...] [--json]

BUNDLE is the trial's export. Each FILE holds heads of its chain as an outside registrar received them: take
them from the registrars, not from the trial. This one file needs Python 3.8 or later and nothing else. It was
written from the definition, docs/trial-integrity.md, and shares no code with the program that allocated: that
the two agree is the proof.

Exit 0: everything agrees. 1: the first allocation that does not is named. 2: a file cannot be read.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import hmac
import itertools
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TextIO

FORMAT = "src-trial-1"
SRC, CONTROL = "src", "control"
HEX = set("0123456789abcdef")
LARGEST_FILE = 200 * 10**6  # bytes
MOST_DIGITS = 4_300  # of a whole number: more than that Python itself does not read

BUNDLE_NAMES = {"format", "protocol", "commitment", "seed", "allocations"}
SEALED_NAMES = {"number", "previous", "hash"}
ROW_NAMES = {"number", "unit", "case", "moment", "stratum", "levels", "position", "follows", "arm"}
DESIGN_NAMES = {"scheme", "target", "ratio", "block_sizes", "strata", "factors", "coin"}


class Unreadable(Exception):
    """A file that is no bundle and no list of heads; says in one line why."""


class Difference(Exception):
    """What does not agree: the number of the first allocation it shows in, or None, and one sentence."""

    def __init__(self, allocation: int | None, problem: str) -> None:
        super().__init__(problem)
        self.allocation = allocation
        self.problem = problem


# --- Reading: JSON in UTF-8, without doubled names and without numbers that are not whole -------------------


def read(path: str) -> Any:
    """What the file says. Raises Unreadable."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise Unreadable(f"it cannot be opened: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > LARGEST_FILE:
        raise Unreadable("it is larger than 200 MB")
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_whole_number,
            parse_float=_not_whole,
            parse_constant=_not_whole,
        )
    except UnicodeDecodeError as error:
        raise Unreadable("it is no text in UTF-8") from error
    except ValueError as error:
        raise Unreadable(f"it is no JSON, or not all of it: {error}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable("a name stands twice in one object")
    return found


def _whole_number(digits: str) -> int:
    if len(digits) > MOST_DIGITS or digits == "-0":
        raise Unreadable("a number is too long, or is -0")
    return int(digits)


def _not_whole(number: str) -> NoReturn:
    raise Unreadable(f"{number[:40]} is no whole number")


def is_whole(value: Any) -> bool:
    """Whether it is a whole number; true and false, which Python takes for numbers, are none."""
    return type(value) is int


def is_hex(value: Any, digits: int) -> bool:
    """Whether it is a text of so many hexadecimal digits, in lower case."""
    return isinstance(value, str) and len(value) == digits and not set(value) - HEX


def quoted(value: Any) -> str:
    """A text of the file, safe to print: nothing in it can steer a terminal."""
    written = json.dumps(value)
    return written if len(written) <= 80 else written[:77] + "..."


def named(path: str) -> str:
    """A file's name, safe to print."""
    return quoted(os.path.basename(path))


# --- The canonical form, keys and draws ---------------------------------------------------------------------

SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def canonical(value: Any) -> bytes:
    """The one form of a value that is hashed. Raises Unreadable for what has none."""
    try:
        return _written(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise Unreadable("a text in it is no Unicode") from error


def _written(value: Any) -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if is_whole(value):
        return str(value)
    if isinstance(value, str):
        return '"' + re.sub('["\\\\\x00-\x1f]', _escape, value) + '"'
    if isinstance(value, list):
        return "[" + ",".join([_written(each) for each in value]) + "]"
    if isinstance(value, dict):
        # In the order of the names' code points.
        return "{" + ",".join([_written(name) + ":" + _written(value[name]) for name in sorted(value)]) + "}"
    raise Unreadable(f"{type(value).__name__} cannot be hashed")


def _escape(found: re.Match[str]) -> str:
    return SHORT_ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"


def sha256(value: Any) -> str:
    """SHA-256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def keyed(key: bytes, value: Any) -> bytes:
    """HMAC-SHA256 of the canonical form, 32 bytes."""
    return hmac.new(key, canonical(value), hashlib.sha256).digest()


def commitment_of(protocol: Any, seed: str) -> str:
    """What was published when the trial was sealed."""
    return sha256([FORMAT, "commitment", protocol, seed])


def key_for(purpose: str, protocol: Any, seed: str) -> bytes:
    """The key for one purpose: "allocation" or "chain"."""
    return keyed(bytes.fromhex(seed), [FORMAT, "key", purpose, sha256([FORMAT, "protocol", protocol])])


def draw(key: bytes, label: list[Any], below: int) -> int:
    """A number from 0 to ``below`` - 1.

    256 bits as one number, and its remainder. The highest numbers, which would favour some remainders, are
    passed over for the next of the counter.
    """
    even = 2**256 // below * below
    counter = 0
    while True:
        number = int.from_bytes(keyed(key, [FORMAT, "draw", *label, counter]), "big")
        if number < even:
            return number % below
        counter += 1


# --- The protocol's allocation part -------------------------------------------------------------------------


def design_problem(design: Any) -> str | None:
    """What makes the allocation part of a protocol impossible, or None."""
    if not isinstance(design, dict) or set(design) != DESIGN_NAMES:
        return "it must have exactly " + ", ".join(sorted(DESIGN_NAMES))
    return _malformed(design) or _impossible(design)


def _malformed(design: dict[str, Any]) -> str | None:
    def all_of(kind: Callable[[Any], bool], values: Any) -> bool:
        return isinstance(values, list) and all(kind(each) for each in values)

    def is_factor(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and set(value) == {"name", "levels", "weight"}
            and is_text(value["name"])
            and all_of(is_text, value["levels"])
            and is_whole(value["weight"])
        )

    if not is_text(design["scheme"]):
        return "the scheme is no text"
    if not is_whole(design["target"]) or not is_whole(design["coin"]):
        return "target and coin must be whole numbers"
    if not all_of(is_whole, design["ratio"]) or len(design["ratio"]) != 2:
        return "the ratio must be two whole numbers"
    if not all_of(is_whole, design["block_sizes"]):
        return "block sizes must be whole numbers"
    if not all_of(is_text, design["strata"]):
        return "strata must be texts"
    if not all_of(is_factor, design["factors"]):
        return "each factor must have a name, levels and a weight"
    return None


def is_text(value: Any) -> bool:
    """Whether it is a text."""
    return isinstance(value, str)


def _impossible(design: dict[str, Any]) -> str | None:
    scheme, target, ratio = design["scheme"], design["target"], design["ratio"]
    if scheme not in ("simple", "complete", "blocks", "stratified_blocks", "minimisation"):
        return f"there is no scheme {quoted(scheme)}"
    if min(ratio) < 1 or max(ratio) > 9:
        return "each part of the ratio must be from 1 to 9"
    if math.gcd(*ratio) > 1:
        return "the ratio is not in its lowest terms"
    if target > 2**256:
        return "nothing can be drawn from so large a target"
    if target < sum(ratio):
        return "the target is less than the parts of the ratio together"
    if scheme == "complete" and target % sum(ratio):
        return "the target cannot be split exactly in the ratio"
    if scheme != "stratified_blocks" and design["strata"] != [""]:
        return 'only stratified blocks have strata; the others have one, ""'
    if scheme != "minimisation" and design["factors"]:
        return "only minimisation has factors"
    if scheme in ("blocks", "stratified_blocks"):
        return _impossible_blocks(design)
    if design["block_sizes"]:
        return "only blocks have block sizes"
    return _impossible_factors(design) if scheme == "minimisation" else None


def _impossible_blocks(design: dict[str, Any]) -> str | None:
    sizes, strata, whole = design["block_sizes"], design["strata"], sum(design["ratio"])
    if not sizes or len(set(sizes)) < len(sizes):
        return "it must have block sizes, each once"
    if any(size < 1 or size > 100 or size % whole for size in sizes):
        return f"each block size must be a multiple of {whole}, and at most 100"
    if max(sizes) > design["target"]:
        return "a block is larger than the target"
    if design["scheme"] == "stratified_blocks" and (
        not strata or "" in strata or len(set(strata)) < len(strata)
    ):
        return "it must name its strata, each once"
    return None


def _impossible_factors(design: dict[str, Any]) -> str | None:
    factors = design["factors"]
    names = [factor["name"] for factor in factors]
    if design["ratio"] != [1, 1]:
        return "minimisation allocates 1:1"
    if not names or len(set(names)) < len(names):
        return "it must name the factors to balance, each once"
    if any(len(set(factor["levels"])) < 2 for factor in factors):
        return "each factor must have two levels or more"
    if any(factor["weight"] < 1 or factor["weight"] > 9 for factor in factors):
        return "each weight must be from 1 to 9"
    if design["coin"] < 51 or design["coin"] > 99:
        return "the coin must be from 51 to 99"
    return None


# --- The schemes: the arms of the positions 1, 2, 3 ... of a stratum ----------------------------------------


def from_urn(key: bytes, stratum: str, position: int, src: int, control: int) -> str:
    """One draw from an urn with so many of each arm."""
    return SRC if draw(key, ["arm", stratum, position], src + control) < src else CONTROL


def simple_arms(key: bytes, design: dict[str, Any], stratum: str) -> Iterator[str]:
    """Every position is drawn from the same urn."""
    for position in itertools.count(1):
        yield from_urn(key, stratum, position, *design["ratio"])


def urn_sizes(key: bytes, design: dict[str, Any], stratum: str) -> Iterator[int]:
    """The sizes of the urns that are emptied one after another: the whole trial, or block after block."""
    if design["scheme"] == "complete":
        yield design["target"]
        return
    sizes = design["block_sizes"]
    for index in itertools.count():
        yield sizes[draw(key, ["size", stratum, index], len(sizes))]


def emptied_arms(key: bytes, design: dict[str, Any], stratum: str) -> Iterator[str]:
    """Every position is drawn from what is left in the urn."""
    position = 0
    for size in urn_sizes(key, design, stratum):
        share = size // sum(design["ratio"])
        src, control = design["ratio"][0] * share, design["ratio"][1] * share
        while src + control:
            position += 1
            arm = from_urn(key, stratum, position, src, control)
            if arm == SRC:
                src -= 1
            else:
                control -= 1
            yield arm


class Drawn:
    """Arms of strata that look at nothing but what was drawn before in the same stratum."""

    def __init__(self, key: bytes, design: dict[str, Any]) -> None:
        arms = simple_arms if design["scheme"] == "simple" else emptied_arms
        self._arms = {stratum: arms(key, design, stratum) for stratum in design["strata"]}

    def next_arm(self, stratum: str, levels: dict[str, str]) -> str | None:
        """The arm of the stratum's next position; None where there is no other."""
        return next(self._arms[stratum], None)


class Minimised:
    """Arms that balance the factors; by how much SRC leads at each level is kept, so no row is read twice."""

    def __init__(self, key: bytes, design: dict[str, Any]) -> None:
        self._key = key
        self._coin = design["coin"]
        self._weights = {factor["name"]: factor["weight"] for factor in design["factors"]}
        self._leads = {
            (factor["name"], level): 0 for factor in design["factors"] for level in factor["levels"]
        }
        self._position = 0

    def next_arm(self, stratum: str, levels: dict[str, str]) -> str | None:
        """The arm of the next position, for a unit of these levels."""
        self._position += 1
        own = [(name, levels[name]) for name in self._weights]
        with_src = sum(self._weights[at[0]] * abs(self._leads[at] + 1) for at in own)
        with_control = sum(self._weights[at[0]] * abs(self._leads[at] - 1) for at in own)
        if with_src == with_control:
            gives_src = draw(self._key, ["arm", "", self._position], 2) == 0
        else:
            gives_better = draw(self._key, ["arm", "", self._position], 100) < self._coin
            gives_src = gives_better == (with_src < with_control)
        for at in own:
            self._leads[at] += 1 if gives_src else -1
        return SRC if gives_src else CONTROL


# --- Files: what must be in them for anything to be checked -------------------------------------------------


def check_bundle(bundle: Any) -> None:
    """Raises Unreadable unless it has the form of a bundle."""
    if not isinstance(bundle, dict) or bundle.get("format") != FORMAT:
        raise Unreadable(f"it is no bundle of the format {FORMAT}")
    if set(bundle) != BUNDLE_NAMES:
        raise Unreadable("a bundle has exactly " + ", ".join(sorted(BUNDLE_NAMES)))
    if not isinstance(bundle["protocol"], dict):
        raise Unreadable("its protocol is no object")
    canonical(bundle["protocol"])
    if not is_hex(bundle["commitment"], 64):
        raise Unreadable("its commitment is not 64 hexadecimal digits")
    if bundle["seed"] is not None and not is_hex(bundle["seed"], 64):
        raise Unreadable("its seed is neither null nor 64 hexadecimal digits")
    if not isinstance(bundle["allocations"], list):
        raise Unreadable("its allocations are no list")
    names = SEALED_NAMES if bundle["seed"] is None else SEALED_NAMES | ROW_NAMES
    for index, row in enumerate(bundle["allocations"], start=1):
        if not isinstance(row, dict) or set(row) != names or not _has_kinds(row):
            when = "before" if bundle["seed"] is None else "after"
            raise Unreadable(f"row {index} of its allocations is none as there is {when} the reveal")


def _has_kinds(row: dict[str, Any]) -> bool:
    texts = ("previous", "hash", "unit", "case", "moment", "stratum", "arm")
    levels = row.get("levels", {})
    canonical([row.get("stratum"), levels])
    return (
        is_whole(row["number"])
        and all(is_text(row[name]) for name in texts if name in row)
        and all(row.get(name) is None or is_whole(row[name]) for name in ("position", "follows"))
        and isinstance(levels, dict)
        and all(is_text(each) for each in levels.values())
    )


def check_heads(file: Any) -> None:
    """Raises Unreadable unless it has the form of a file of heads."""
    if not isinstance(file, dict) or file.get("format") != FORMAT or "heads" not in file:
        raise Unreadable(f"it is no file of heads of the format {FORMAT}")
    if set(file) != {"format", "commitment", "heads"}:
        raise Unreadable("a file of heads has exactly commitment, format, heads")
    if not is_hex(file["commitment"], 64):
        raise Unreadable("its commitment is not 64 hexadecimal digits")
    if not isinstance(file["heads"], list) or not all(_is_head(head) for head in file["heads"]):
        raise Unreadable("each head must have a count, a hash and the day it was received on")


def _is_head(head: Any) -> bool:
    if not isinstance(head, dict) or set(head) != {"count", "hash", "on"}:
        return False
    if not is_whole(head["count"]) or head["count"] < 0:
        return False
    return is_day(head["on"]) and (is_hex(head["hash"], 64) if head["count"] else head["hash"] == "")


def is_day(value: Any) -> bool:
    """Whether it is a day written as 2026-11-24."""
    if not isinstance(value, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        datetime.date(int(value[:4]), int(value[5:7]), int(value[8:]))
    except ValueError:
        return False
    return True


# --- The replay ---------------------------------------------------------------------------------------------


class Replay:
    """Walks through a trial in the order of its numbers and stops at the first difference."""

    def __init__(self, bundle: dict[str, Any], head_files: dict[str, Any]) -> None:
        self.bundle = bundle
        self.rows: list[dict[str, Any]] = bundle["allocations"]
        self.revealed = bundle["seed"] is not None
        self.head_files = head_files
        self.last_head = 0  # the highest count at which a head was met
        self.checked = {
            "allocations": 0,
            "arms": 0,
            "followers": 0,
            "heads": 0,
            "head_files": len(head_files),
        }
        self._cases: dict[str, int] = {}  # numbers, by the digest of the case
        self._units: dict[str, int] = {}  # numbers of rows with a position, by unit
        self._firsts: dict[int, dict[str, Any]] = {}  # rows with a position, by number
        self._taken: dict[str, int] = {}  # the last position, by stratum

    def run(self) -> None:
        """Raises Difference."""
        self._check_seal()
        heads: dict[int, list[dict[str, Any]]] = {}
        for file in self.head_files.values():
            for head in file["heads"]:
                heads.setdefault(head["count"], []).append(head)
        self._meet(heads.get(0, []), "")
        previous = ""
        for number, row in enumerate(self.rows, start=1):
            self._check_link(row, number, previous)
            if self.revealed:
                self._check_content(row, number)
                self._check_hash(row, number)
            previous = row["hash"]
            self._meet(heads.get(number, []), previous)
            self.checked["allocations"] += 1
        self._check_end(heads)
        self._check_order_of_heads()

    def _check_seal(self) -> None:
        protocol, seed, commitment = (self.bundle[name] for name in ("protocol", "seed", "commitment"))
        if self.revealed and commitment_of(protocol, seed) != commitment:
            raise Difference(None, "Protocol and seed together are not those of the commitment.")
        for name, file in self.head_files.items():
            if file["commitment"] != commitment:
                raise Difference(None, f"The heads in {named(name)} are of a trial with another commitment.")
        self._design = protocol.get("allocation")
        problem = design_problem(self._design)
        if problem:
            raise Difference(None, f"The protocol's allocation part is impossible: {problem}.")
        if self.revealed:
            scheme = Minimised if self._design["scheme"] == "minimisation" else Drawn
            self._arms = scheme(key_for("allocation", protocol, seed), self._design)
            self._chain_key = key_for("chain", protocol, seed)

    def _check_link(self, row: dict[str, Any], number: int, previous: str) -> None:
        if row["number"] != number:
            raise unlike(number, f"is missing: in its place stands one numbered {quoted(row['number'])}")
        if row["previous"] != previous:
            raise unlike(number, "does not name the hash of the one before it as its previous one")
        if not is_hex(row["hash"], 64):
            raise unlike(number, "has no hash of 64 hexadecimal digits")

    def _check_content(self, row: dict[str, Any], number: int) -> None:
        for name, digits in (("unit", 32), ("case", 64), ("moment", 64)):
            if not is_hex(row[name], digits):
                raise unlike(number, f"has no {name} of {digits} hexadecimal digits")
        if row["arm"] not in (SRC, CONTROL):
            raise unlike(number, f"has an arm that the trial has not, {quoted(row['arm'])}")
        earlier = self._cases.setdefault(row["case"], number)
        if earlier != number:
            raise unlike(number, f"is of the same case as allocation {earlier}")
        if (row["position"] is None) == (row["follows"] is None):
            raise unlike(number, "must either have a position or follow another, and not both")
        if row["position"] is None:
            self._check_follower(row, number)
        else:
            self._check_position(row, number)
            self._check_arm(row, number)

    def _check_follower(self, row: dict[str, Any], number: int) -> None:
        followed = quoted(row["follows"])
        first = self._firsts.get(row["follows"])
        if first is None:
            raise unlike(number, f"follows {followed}, which is no earlier allocation with a position")
        if row["unit"] != first["unit"]:
            raise unlike(number, f"follows allocation {followed}, which is of another unit")
        if row["arm"] != first["arm"]:
            raise unlike(
                number, f"is {row['arm']}, but follows allocation {followed}, which is {first['arm']}"
            )
        self.checked["followers"] += 1

    def _check_position(self, row: dict[str, Any], number: int) -> None:
        stratum = row["stratum"]
        if stratum not in self._design["strata"]:
            raise unlike(number, f"is of a stratum that the protocol has not, {quoted(stratum)}")
        due = self._taken.get(stratum, 0) + 1
        if row["position"] != due:
            found = f"has position {quoted(row['position'])} of stratum {quoted(stratum)}, where {due} is due"
            raise unlike(
                number, f"{found}: one is missing" if row["position"] > due else f"{found}: one is doubled"
            )
        self._taken[stratum] = due
        earlier = self._units.setdefault(row["unit"], number)
        if earlier != number:
            raise unlike(number, f"has a position, but its unit has one already: allocation {earlier}")
        if len(self._firsts) == self._design["target"]:
            reached = f"its target of {self._design['target']} is reached"
            raise unlike(number, f"has a position after the last one of the protocol: {reached}")
        self._firsts[number] = row

    def _check_arm(self, row: dict[str, Any], number: int) -> None:
        for factor in self._design["factors"]:
            if row["levels"].get(factor["name"]) not in factor["levels"]:
                raise unlike(number, f"has no level that the protocol knows of {quoted(factor['name'])}")
        arm = self._arms.next_arm(row["stratum"], row["levels"])
        assert arm is not None  # Only the complete scheme ends, at its target.
        if row["arm"] != arm:
            raise unlike(number, f"is {row['arm']}, but protocol and seed give its position {arm}")
        self.checked["arms"] += 1

    def _check_hash(self, row: dict[str, Any], number: int) -> None:
        content = {name: row[name] for name in ROW_NAMES}
        if keyed(self._chain_key, [FORMAT, "row", row["previous"], content]).hex() != row["hash"]:
            raise unlike(
                number,
                "does not have the hash that its content gives: it was changed after it was chained, "
                "or written by somebody without the seed",
            )

    def _meet(self, heads: list[dict[str, Any]], row_hash: str) -> None:
        for head in heads:
            if head["hash"] != row_hash:
                raise unlike(
                    head["count"],
                    f"has another hash than the head received on {head['on']}: it or one after allocation "
                    f"{self.last_head} was changed, exchanged, added or removed",
                )
            self.checked["heads"] += 1
            self.last_head = head["count"]

    def _check_end(self, heads: dict[int, list[dict[str, Any]]]) -> None:
        count, most = len(self.rows), max(heads, default=0)
        if most > count:
            said = f"the head received on {heads[most][0]['on']} counts {quoted(most)}, and there are {count}"
            raise unlike(count + 1, f"is missing: {said}")

    def _check_order_of_heads(self) -> None:
        for name, file in self.head_files.items():
            before: dict[str, Any] = {"count": 0, "on": ""}
            for head in file["heads"]:
                if head["count"] < before["count"] or head["on"] < before["on"]:
                    raise unlike(
                        head["count"] + 1,
                        f"was there and is not, or the heads in {named(name)} are out of order: "
                        f"{head['count']} on {head['on']} stands after {before['count']} on {before['on']}",
                    )
                before = head


def unlike(number: int, how: str) -> Difference:
    """A difference at an allocation."""
    return Difference(number, f"Allocation {number} {how}.")


# --- What is said -------------------------------------------------------------------------------------------

BEFORE_THE_REVEAL = (
    "The seed is not revealed. Commitment, arms, positions, units and cases were not checked: only that the "
    "hashes are linked and counted, and the heads. Hashes that no head was received for are only claimed."
)
WITHOUT_HEADS = (
    "Without heads, allocations may have been removed from the end.",
    "Without heads, the whole chain may have been written anew by somebody who held the seed.",
)
FROM_THE_REGISTRARS = "Heads prove something only if they came from the registrars, and not from the trial."
NO_BUNDLE_SHOWS = (
    "No bundle shows whether strata, levels and links were recorded truly, of which case and time the "
    "digests are, or that no case was withheld before it was submitted."
)


def not_excluded(replay: Replay) -> list[str]:
    """What may be wrong though everything agrees."""
    last, commitment = replay.last_head, replay.bundle["commitment"]
    found = [] if replay.revealed else [BEFORE_THE_REVEAL]
    if replay.checked["heads"]:
        uncovered = (
            f"Allocations after the last head (which counts {last}): {len(replay.rows) - last}. No head "
            "covers them: whoever held the seed may have written them anew, or removed others."
        )
        found += [uncovered, FROM_THE_REGISTRARS]
    else:
        compare = f"Compare the commitment with the one published when the trial was sealed: {commitment}."
        found += [*WITHOUT_HEADS, compare]
    return [*found, NO_BUNDLE_SHOWS]


def report_of(replay: Replay, difference: Difference | None) -> dict[str, Any]:
    """The result, for a program to read."""
    if difference:
        result, left = "different", ["Only the first difference is named; nothing after it was checked."]
    else:
        result, left = ("verified" if replay.revealed else "linked"), not_excluded(replay)
    return {
        "result": result,
        "allocation": difference.allocation if difference else None,
        "problem": difference.problem if difference else None,
        "checked": replay.checked,
        "not_excluded": left,
    }


def as_text(report: dict[str, Any], *, as_json: bool) -> str:
    """The result, for a program or for a person to read."""
    return json.dumps(report, indent=2) if as_json else told(report)


def told(report: dict[str, Any]) -> str:
    """The result, for a person to read."""
    checked = report["checked"]
    if report["problem"]:
        lines = [
            "DIFFERENT",
            report["problem"],
            f"Allocations that agreed before it: {checked['allocations']}.",
        ]
    elif report["result"] == "verified":
        lines = [
            "VERIFIED",
            "Proved:",
            "  - The protocol and the seed are those of the commitment.",
            f"  - Allocations, each chained under a key from the seed: {checked['allocations']}.",
            f"  - Arms that protocol and seed give their positions: {checked['arms']}, which is every one.",
            f"  - Linked reports, each with the arm of the first of its unit: {checked['followers']}.",
            "  - No number and no position is missing or doubled.",
            "  - No unit is randomised twice, and no case counted twice.",
        ]
    else:
        lines = [
            "LINKED (the seed is not revealed yet)",
            "Proved:",
            f"  - Allocations, without a gap, each naming the hash before: {checked['allocations']}.",
        ]
    if checked["heads"] and not report["problem"]:
        lines.append(f"  - Heads met: {checked['heads']}, from files: {checked['head_files']}.")
    return "\n".join([*lines, "Not excluded:", *(f"  - {each}" for each in report["not_excluded"])])


class OneLine(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """Leaves with status 2."""
        self.exit(2, f"{message}\n")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for."""
    parser.add_argument("bundle", metavar="BUNDLE", help="the trial's export")
    parser.add_argument(
        "--head",
        metavar="FILE",
        action="extend",
        nargs="+",
        default=[],
        help="heads of the chain, as a registrar received them",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def load(path: str, check: Callable[[Any], None]) -> Any:
    """What the file says, if it has the form. Raises Unreadable, with the file's name."""
    try:
        found = read(path)
        check(found)
    except Unreadable as error:
        raise Unreadable(f"{named(path)} cannot be checked: {error}.") from error
    return found


def verify(bundle: str, heads: list[str], as_json: bool, out: TextIO, err: TextIO) -> int:
    """Says what the files prove. Returns the exit status."""
    difference = None
    try:
        replay = Replay(load(bundle, check_bundle), {path: load(path, check_heads) for path in heads})
        replay.run()
    except Difference as found:
        difference = found
    except Unreadable as error:
        err.write(f"{error}\n")
        return 2
    except (RecursionError, MemoryError):
        err.write("The files cannot be checked: something in them is nested too deeply, or too large.\n")
        return 2
    report = report_of(replay, difference)
    out.write(as_text(report, as_json=as_json) + "\n")
    return 1 if difference else 0


def main() -> int:
    """Returns the exit status."""
    parser = OneLine(description="Replays a randomised trial from its bundle.", allow_abbrev=False)
    add_arguments(parser)
    asked = parser.parse_args()
    return verify(asked.bundle, asked.head, asked.json, sys.stdout, sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
