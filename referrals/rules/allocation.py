"""Which arm a position of a trial falls to: pure, and the same for ever for the same seed.

Permuted blocks of random size, 1:1. Everything drawn comes from HMAC-SHA256 under the seed, with a label for
what it is drawn for, so that an arm can be derived for one position without keeping a list: neither a block
nor what remains of it is stored anywhere. Source of the scheme: Efron (1971) on balance and selection bias;
Matts and Lachin (1988) on permuted blocks of random size.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from enum import Enum


class Arm(Enum):
    """The two arms."""

    SRC = "src"
    CONTROL = "control"


def _bits(seed: bytes, label: str) -> Iterator[int]:
    """64-bit numbers from HMAC-SHA256 of the label and a counter."""
    counter = 0
    while True:
        digest = hmac.new(seed, f"{label}\x1f{counter}".encode(), hashlib.sha256).digest()
        for start in range(0, 32, 8):
            yield int.from_bytes(digest[start : start + 8], "big")
        counter += 1


def _draw(bits: Iterator[int], below: int) -> int:
    """A number from 0 to ``below`` - 1, each as likely: numbers from the uneven tail are drawn again."""
    limit = 2**64 - 2**64 % below
    return next(number for number in bits if number < limit) % below


def block(seed: bytes, *, trial: str, stratum: str, index: int, sizes: Sequence[int]) -> tuple[Arm, ...]:
    """The arms of one block, half of them SRC, in the order the seed gives them.

    Raises ValueError for sizes that cannot be halved.
    """
    if not sizes or any(size < 2 or size % 2 for size in sizes):
        raise ValueError(f"Block sizes must be even and at least 2, not {list(sizes)}.")
    bits = _bits(seed, f"block\x1f{trial}\x1f{stratum}\x1f{index}")
    size = sizes[_draw(bits, len(sizes))]
    arms = [Arm.SRC, Arm.CONTROL] * (size // 2)
    for last in range(size - 1, 0, -1):  # Fisher and Yates
        other = _draw(bits, last + 1)
        arms[last], arms[other] = arms[other], arms[last]
    return tuple(arms)


def arm_at(seed: bytes, *, trial: str, stratum: str, position: int, sizes: Sequence[int] = (4, 6, 8)) -> Arm:
    """The arm of a position (1, 2, 3 …) in a stratum of a trial."""
    if position < 1:
        raise ValueError(f"Positions count from 1, not {position}.")
    before, index = 0, 0
    while True:
        arms = block(seed, trial=trial, stratum=stratum, index=index, sizes=sizes)
        if position <= before + len(arms):
            return arms[position - before - 1]
        before += len(arms)
        index += 1


def chain_hash(seed: bytes, *, previous: str, row: dict[str, str | int | None]) -> str:
    """The hash (64 hex digits) of a row that follows ``previous``, under a key derived from the seed.

    Whoever lacks the seed can neither change a row nor write a new one that fits.
    """
    key = hmac.new(seed, b"allocation chain", hashlib.sha256).digest()
    body = json.dumps({"previous": previous, "row": row}, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
