"""Spreadsheets: Excel, old and new, and OpenDocument, as rows of text. Formulas and macros are not run."""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial

from django.conf import settings
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from referrals.intake.content import Content
from referrals.intake.text import NotATable

_BEGINNINGS = (b"PK\x03\x04", bytes.fromhex("D0CF11E0A1B11AE1"))
# A spreadsheet is packed; one that unpacks to much more than its like is made to fill the memory.
_MOST_TIMES_UNPACKED = 20
_UNREADABLE = "The spreadsheet cannot be read: save it without a password as “CSV UTF-8” and try again."

Cell = int | float | str | bool | time | date | datetime | timedelta


@dataclass(frozen=True)
class NamedRows:
    """One sheet; ``rows`` gives its rows from the first, as text, each time it is called."""

    name: str
    height: int
    rows: Callable[[], Iterator[list[str]]] = field(repr=False)


def is_workbook(content: Content) -> bool:
    """Whether the file begins as a spreadsheet does."""
    with content.open() as stream:
        return stream.read(8).startswith(_BEGINNINGS)


def sheets_of(content: Content) -> list[NamedRows]:
    """The sheets, in the workbook's order; raises :class:`NotATable`.

    A date is written as :func:`~referrals.intake.moments.read_moment` reads it, a whole number without a
    point. No refusal has a cause: a parser's message may quote a cell.
    """
    with content.open() as stream:
        workbook = _opened(stream.read())
    sheets = []
    for name in workbook.sheet_names:
        try:
            sheet = workbook.get_sheet_by_name(name)
        except CalamineError:
            sheet = None
        if sheet is None:
            raise NotATable(_UNREADABLE)
        sheets.append(NamedRows(name, sheet.end[0] + 1 if sheet.end else 0, partial(_rows, sheet)))
    return sheets


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [_text(cell) for cell in row]


def _opened(content: bytes) -> CalamineWorkbook:
    reason = "The spreadsheet is too large: save it as “CSV UTF-8”, in parts if need be." * _is_bomb(content)
    if not reason:
        try:
            return CalamineWorkbook.from_filelike(io.BytesIO(content))
        except PasswordError:
            reason = "The spreadsheet has a password: save it without one and try again."
        except CalamineError:
            reason = _UNREADABLE
    raise NotATable(reason)


def _is_bomb(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return False  # the older kind is not packed; anything else the reader refuses
    return unpacked > _MOST_TIMES_UNPACKED * settings.MAX_UPLOAD_BYTES


def _text(cell: Cell) -> str:
    match cell:
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return f"{cell:%d/%m/%Y %H:%M:%S}"
        case date():
            return f"{cell:%d/%m/%Y}"
        case float() if cell.is_integer():
            return str(int(cell))
    return str(cell)
