"""The rules written again, as a sceptic would: nothing of the project is imported.

A design is a mapping as in the golden vectors; arms are the letters s and c.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

DOMAIN = "src-trial-1"


def written(value: Any) -> bytes:
    """UTF-8 JSON, names sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(protocol: dict[str, Any]) -> str:
    return hashlib.sha256(written([DOMAIN, "protocol", protocol])).hexdigest()


def key_of(seed: bytes, digest: str) -> bytes:
    return hmac.new(seed, written([DOMAIN, "key", "allocation", digest]), hashlib.sha256).digest()


def drawn(key: bytes, label: list[str | int], below: int) -> int:
    for counter in range(1_000):
        found = hmac.new(key, written([DOMAIN, "draw", *label, counter]), hashlib.sha256)
        number = int(found.hexdigest(), 16)
        if number // below < 2**256 // below:
            return number % below
    raise AssertionError


def sequence(key: bytes, design: dict[str, Any], length: int, stratum: str) -> str:
    """The first arms of a stratum, by any scheme but minimisation."""
    src, control = design["ratio"]
    arms, left, blocks = "", "", 0
    while len(arms) < length:
        if design["scheme"] == "simple":
            left = "s" * src + "c" * control
        elif not left:
            sizes = design["block_sizes"] or [design["target"]]
            size = sizes[0] if len(sizes) == 1 else sizes[drawn(key, ["size", stratum, blocks], len(sizes))]
            left = ("s" * src + "c" * control) * (size // (src + control))
            blocks += 1
        left = "".join(sorted(left, reverse=True))
        arm = left[drawn(key, ["arm", stratum, len(arms) + 1], len(left))]
        left = left.replace(arm, "", 1)
        arms += arm
    return arms


def minimised(key: bytes, design: dict[str, Any], units: list[list[str]]) -> Iterator[str]:
    """The arm of each unit, of which the level of each factor is given."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for position, levels in enumerate(units, start=1):
        mine = [
            (factor["name"], level, factor["weight"])
            for factor, level in zip(design["factors"], levels, strict=True)
        ]
        # One more of an arm at a level that is d ahead makes |d + 1| or |d - 1|: only the sign of d counts,
        # by its weight.
        tilt = 0
        for name, level, weight in mine:
            ahead = counts[name, level, "s"] - counts[name, level, "c"]
            tilt += weight * ((ahead > 0) - (ahead < 0))
        if tilt == 0:
            arm = "sc"[drawn(key, ["arm", "", position], 2)]
        else:
            better, worse = "cs" if tilt > 0 else "sc"
            arm = better if drawn(key, ["arm", "", position], 100) < design["coin"] else worse
        for name, level, _ in mine:
            counts[name, level, arm] += 1
        yield arm
