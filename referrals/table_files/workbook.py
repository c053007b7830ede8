"""Spreadsheets: Excel, old and new, and OpenDocument, as rows of text. Formulas and macros are not run."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from referrals.table_files import sheet_reader
from referrals.table_files.content import Content
from referrals.table_files.shape import ROWS_ABOVE
from referrals.table_files.text import NotATable

_BEGINNINGS = (b"PK\x03\x04", bytes.fromhex("D0CF11E0A1B11AE1"))
# A spreadsheet is packed; one that unpacks to much more than its like is made to fill the memory.
_MOST_TIMES_UNPACKED = 20
# A sheet, its relations and its drawings are parts; nobody's extract has hundreds of them.
_MOST_PARTS = 10_000
_TOO_LARGE = "The spreadsheet is too large: save it as “CSV UTF-8”, in parts if need be."
_REFUSED = {
    sheet_reader.HAS_PASSWORD: "The spreadsheet has a password: save it without one and try again.",
    sheet_reader.UNREADABLE: (
        "The spreadsheet cannot be read: save it without a password as “CSV UTF-8” and try again."
    ),
    sheet_reader.TOO_MANY_SHEETS: (
        f"The spreadsheet has more than {sheet_reader.MOST_SHEETS} sheets: "
        "save the one to import as a file of its own."
    ),
}


@dataclass(frozen=True)
class NamedRows:
    """One sheet: the beginning of its first rows, and all of them whole each time ``rows`` is called.

    ``hidden`` counts its rows that the program does not show; the oldest kind of workbook does not tell.
    """

    name: str
    height: int
    is_visible: bool
    hidden: int
    above: list[list[str]] = field(repr=False)
    rows: Callable[[], Generator[list[str], None, None]] = field(repr=False)


def is_workbook(content: Content) -> bool:
    """Whether the file begins as a spreadsheet does."""
    with content.open() as stream:
        return stream.read(8).startswith(_BEGINNINGS)


def sheets_of(content: Content) -> list[NamedRows]:
    """The sheets, in the workbook's order; raises :class:`NotATable`, also while rows are read.

    A date is written as :func:`~referrals.table_files.moments.read_moment` reads it, a whole number
    without a point. No refusal has a cause: a parser's message may quote a cell.
    """
    most = _MOST_TIMES_UNPACKED * settings.MAX_UPLOAD_BYTES
    if unpacked_size(content) > most or len(_parts_of(content)) > _MOST_PARTS:
        raise NotATable(_TOO_LARGE)
    with closing(_read(content)) as sheets:
        return [
            NamedRows(name, height, is_visible, hidden, above, partial(_read, content, str(number)))
            for number, (name, height, is_visible, hidden, above) in enumerate(sheets)
        ]


def _read(content: Content, *number: str) -> Generator[Any, None, None]:
    """What the reader writes, in a process that ends with this iterator at the latest.

    A sheet is told it by its number: no system starts a process with a name of 128 KB.
    """
    command = [sys.executable, "-I", str(Path(sheet_reader.__file__)), str(ROWS_ABOVE), *number]
    with subprocess.Popen(  # noqa: S603 - this project's own file
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        try:
            with content.open() as stream, reader.stdin as fed:
                _feed(stream.read(), fed)
            for line in reader.stdout:
                yield json.loads(line)
            status = reader.wait()
        finally:
            reader.kill()
    if status:
        raise NotATable(_REFUSED.get(status, _TOO_LARGE))


def _feed(content: bytes, reader: Any) -> None:
    try:
        reader.write(content)
        reader.flush()
    except BrokenPipeError:
        return  # it has ended, and its status tells why


def unpacked_size(content: Content) -> int:
    """The bytes that a spreadsheet unpacks to, as it says itself; the file's own where it is not packed."""
    return max(content.size, sum(part.file_size for part in _parts_of(content)))


def _parts_of(content: Content) -> list[zipfile.ZipInfo]:
    try:
        with content.open() as stream, zipfile.ZipFile(_seekable(stream)) as packed:
            return packed.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return []  # the older kind is not packed; anything else the reader refuses


def _seekable(stream: BinaryIO) -> BinaryIO:
    """The stream, or all of it in memory: what is held is decrypted piece by piece."""
    return stream if stream.seekable() else io.BytesIO(stream.read())
