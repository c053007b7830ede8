"""Finds what must stay secret of a trial in anything that the system wrote, showed or kept.

Secrets are found in parts and in every form that bytes are written in, also inside of what is itself encoded
or compressed; arms to come are found as a run of them, whatever they are called and parted by.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote_to_bytes

from referrals.rules.trial.allocation import Arm

FORMS: Mapping[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "hexadecimal": lambda secret: secret.hex().encode(),
    "HEXADECIMAL": lambda secret: secret.hex().upper().encode(),
    "bytea": lambda secret: rb"\x" + secret.hex().encode(),
    "base64": base64.b64encode,
    "base64 for addresses": base64.urlsafe_b64encode,
    "as Python shows it": lambda secret: repr(secret)[2:-1].encode(),
    "text in JSON": lambda secret: json.dumps(secret.decode("latin-1"))[1:-1].encode(),
    "numbers": lambda secret: ", ".join(map(str, secret)).encode(),
    "numbers without spaces": lambda secret: ",".join(map(str, secret)).encode(),
}
# What SRC and control may be called.
NAMES_OF_ARMS = (
    *(("src", "control"), ("src", "usual service"), ("s", "c")),
    *(("1", "0"), ("0", "1"), ("true", "false")),
)
# So many arms to come in a row are no chance, unless one arm, and then the other, is all there is.
FEWEST_ARMS = 12
_FEWEST_CHANGES = 3
# Bytes of a part: base64 of a part is a part of the base64.
_PART = 15
_DEEPEST = 3
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{40,}")
_ESCAPED = re.compile(rb'\\(["\\/])')
_MARKS = re.compile(rb"(?:<[^<>]*>|\s)+")
_HEXADECIMAL = re.compile(rb"(?:[0-9A-Fa-f]{2}){24,}")


@dataclass(frozen=True)
class Traces:
    """What to look for: secrets by name, and the arms to come of each stratum."""

    secrets: Mapping[str, bytes]
    to_come: Mapping[str, Sequence[Arm]]

    def found_in(self, content: bytes) -> set[str]:
        """What there is a trace of, by name."""
        found = set()
        for layer in _layers(content):
            lower = layer.lower()
            found |= {
                name
                for name, parts in self._parts.items()
                if any(part in layer for part in parts) or any(part in lower for part in parts)
            }
            found |= {name for name, windows in self._windows.items() if _shows(lower, windows)}
        return found

    @cached_property
    def _parts(self) -> dict[str, set[bytes]]:
        return {
            name: {
                form(part) for part in (secret[:_PART], secret[_PART : 2 * _PART]) for form in FORMS.values()
            }
            for name, secret in self.secrets.items()
        }

    @cached_property
    def _windows(self) -> dict[str, set[str]]:
        return {
            f"arms of {stratum}": {
                window
                for window in _windows_of("".join("1" if arm is Arm.SRC else "0" for arm in arms))
                if window.count("01") + window.count("10") >= _FEWEST_CHANGES
            }
            for stratum, arms in self.to_come.items()
        }


def _layers(content: bytes) -> Iterator[bytes]:
    """The content, and whatever is encoded in it, in that, and so on, each once."""
    seen, latest = {content}, {content}
    yield content
    for _ in range(_DEEPEST):
        latest = {inner for outer in latest for inner in _inside(outer)} - seen
        seen |= latest
        yield from latest


def _inside(content: bytes) -> Iterator[bytes]:
    """What is encoded there in one step."""
    yield from map(_decoded, _BASE64.findall(content))
    yield from (bytes.fromhex(found.decode()) for found in _HEXADECIMAL.findall(content))
    # Escaped once more: JSON in JSON, or what COPY writes.
    yield _ESCAPED.sub(rb"\1", content)
    # The text of a page.
    yield _MARKS.sub(b" ", content)
    yield unquote_to_bytes(content)
    try:
        yield zlib.decompress(content)
    except zlib.error:
        return


def _decoded(found: bytes) -> bytes:
    filled = found.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(found) % 4)
    try:
        return base64.b64decode(filled)
    except binascii.Error:
        return base64.b64decode(filled[: len(found) // 4 * 4])  # one sign too many: not all of it


def _shows(content: bytes, windows: set[str]) -> bool:
    """Whether a run of arms there holds one of these; the content in lower case."""
    return any(window in windows for run in _runs(content) for window in _windows_of(run))


def _windows_of(arms: str) -> Iterator[str]:
    return (arms[start : start + FEWEST_ARMS] for start in range(len(arms) - FEWEST_ARMS + 1))


def _runs(content: bytes) -> Iterator[str]:
    """Every run of names of arms with the same few signs between them: 1 for SRC, 0 for control."""
    for src, control in NAMES_OF_ARMS:
        either = f"(?:{src}|{control})".encode()
        run = either + b"(?=([^a-z0-9]{0,6}))(?:\\1" + either + b"){%d,}" % (FEWEST_ARMS - 1)
        for found in re.finditer(run, content):
            yield "".join("1" if each == src.encode() else "0" for each in re.findall(either, found[0]))
