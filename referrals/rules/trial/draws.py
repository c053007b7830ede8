"""Random numbers that anybody can draw again who holds the key, and the form in which things are hashed.

Pure, and only the standard library: a sceptic can write it again from this page.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

Canonical = str | int | bool | None | Sequence["Canonical"] | Mapping[str, "Canonical"]
# Names the rules by which labels are built: other rules would have another name.
DOMAIN = "src-trial-1"
_RANGE = 2**256
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: Canonical) -> bytes:
    """The one form of a value: UTF-8 JSON, keys sorted, no spaces.

    Raises ValueError for a number that is not whole, a text that is no Unicode, and bytes: two programs
    might write these in two ways.
    """
    return _JSON.encode(_plain(value)).encode()  # UnicodeEncodeError is a ValueError


def derived_key(seed: bytes, purpose: str, protocol: str) -> bytes:
    """The key (32 bytes) for one purpose under one protocol (its digest, 64 hex digits)."""
    return _hmac(seed, [DOMAIN, "key", purpose, protocol])


def keyed_digest(key: bytes, value: Canonical) -> str:
    """HMAC-SHA256 of the canonical form, as 64 hex digits."""
    return _hmac(key, value).hex()


def draw(key: bytes, label: Sequence[str | int], below: int) -> int:
    """A whole number from 0 to ``below`` - 1, each as likely; the same for ever for a key and a label.

    The label's digest is read as a number of 256 bits; one in the uneven tail is drawn again, with a counter.
    """
    if not 1 <= below <= _RANGE:
        raise ValueError(f"No number from 0 to {below - 1} can be drawn.")
    limit = _RANGE - _RANGE % below
    counter = 0
    while True:
        number = int.from_bytes(_hmac(key, [DOMAIN, "draw", *label, counter]), "big")
        if number < limit:
            return number % below
        counter += 1


def sha256(value: Canonical) -> str:
    """SHA-256 of the canonical form, as 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _hmac(key: bytes, value: Canonical) -> bytes:
    return hmac.digest(key, canonical(value), "sha256")


def _plain(value: object) -> Canonical:
    """The value, in the types that JSON knows."""
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {_name(name): _plain(each) for name, each in value.items()}
    raise ValueError(f"Only texts and whole numbers can be hashed, not {type(value).__name__}.")


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise ValueError(f"A name must be a text, not {type(name).__name__}.")
    return name
