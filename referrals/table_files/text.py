"""From the bytes of a file to its text, whatever program saved it."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import TextIO

from referrals.table_files.content import Content
from src_app.refused import Refused

_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_TEXT = re.compile(r"[\x01-\x08\x0e-\x1f]")
# How much of the file tells whether its every second byte is empty.
_LOOKED_AT = 4_096
_PIECE = 1_048_576


class NotATable(Refused):
    """The whole file cannot be read; nothing of it is saved."""


def encoding_of(content: Content) -> str:
    """UTF-8 or UTF-16, with or without a mark, else Windows-1252. Raises :class:`NotATable`.

    No refusal carries a cause: a decoder's message quotes the bytes, and so a victim's data.
    """
    with content.open() as stream:
        sample = stream.read(_LOOKED_AT)
    for encoding in _encodings(sample):
        try:
            # Windows-1252 gives nearly every byte a meaning, so there any control character tells of no text.
            if all(_is_text(piece, encoding) for piece in _pieces(content, encoding)):
                return encoding
        except UnicodeDecodeError:
            continue
    raise NotATable("The file is not plain text: save it as “CSV UTF-8” and try again.")


def text_of(content: Content, encoding: str) -> TextIO:
    """The text as a stream, its line ends as they stand, without the mark at its beginning."""
    return io.TextIOWrapper(content.open(), encoding=encoding, newline="")


def _pieces(content: Content, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    with content.open() as stream:
        while piece := stream.read(_PIECE):
            yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _is_text(piece: str, encoding: str) -> bool:
    return "\0" not in piece and not (encoding == "cp1252" and _NO_TEXT.search(piece))


def _encodings(sample: bytes) -> tuple[str, ...]:
    """What the file may be in, the likeliest first."""
    if sample.startswith(_UTF_16_MARKS):
        return ("utf-16",)
    for encoding, empty in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if empty.count(0) > len(empty) / 2:
            return (encoding,)
    return ("utf-8-sig", "cp1252")
