"""From the bytes of a file to its text, whatever program saved it."""

import codecs
import re

from referrals.actions import Refused

_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_TEXT = re.compile(r"[\x01-\x08\x0e-\x1f]")
# How much of the file tells whether its every second byte is empty.
_LOOKED_AT = 4_096


class NotATable(Refused):
    """The whole file cannot be read; nothing of it is saved."""


def text_of(content: bytes) -> str:
    """The text: UTF-8 or UTF-16, with or without a mark, else Windows-1252. Raises :class:`NotATable`.

    No refusal carries a cause: a decoder's message quotes the bytes, and so a victim's data.
    """
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Windows-1252 gives nearly every byte a meaning, so there any control character tells of no text.
        if "\0" not in text and not (encoding == "cp1252" and _NO_TEXT.search(text)):
            return text.removeprefix("\ufeff")
    raise NotATable("The file is not plain text: save it as “CSV UTF-8” and try again.")


def _encodings(content: bytes) -> tuple[str, ...]:
    """What the file may be in, the likeliest first."""
    if content.startswith(_UTF_16_MARKS):
        return ("utf-16",)
    sample = content[:_LOOKED_AT]
    for encoding, empty in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if empty.count(0) > len(empty) / 2:
            return (encoding,)
    return ("utf-8", "cp1252")
