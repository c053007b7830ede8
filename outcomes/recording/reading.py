"""Reading a file of outcomes: crime reference, outcome code, and when it was recorded."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from referrals.intake.reading.rows import Rejection, shown
from referrals.table_files.cells import bare
from referrals.table_files.content import Content
from referrals.table_files.moments import read_moment
from referrals.table_files.read import Record, find_columns, read_rows
from referrals.table_files.shape import is_aside, is_remark, squared


class Column(StrEnum):
    """The headings of the file's first line; others are not read."""

    CRIME_REFERENCE = "crime_reference"
    OUTCOME_CODE = "outcome_code"
    RECORDED_AT = "recorded_at"


@dataclass(frozen=True)
class OutcomeRow:
    """One outcome as a row of the file gives it."""

    line: int
    crime_reference: str
    code: int
    recorded_at: datetime


@dataclass
class Reading:
    """All that a file says; a rejected row has one rejection for each of its faults."""

    rows: int = 0
    rejected: int = 0
    good: list[OutcomeRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


Value = TypeVar("Value")

# 1A, charged with an alternate offence, counts as 1.
_CODE = re.compile(r"0?([1-9]|1\d|2[0-2])|0?(1)a", re.ASCII | re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}.*", re.ASCII)


def _column_of(heading: str) -> Column | None:
    name = heading.strip().lower()
    return Column(name) if name in list(Column) else None


def read_outcomes(content: bytes, *, at: datetime) -> Reading:
    """The file's rows as of ``at``; raises :class:`~referrals.table_files.text.NotATable`."""
    reading = Reading()
    with read_rows(Content.of(content), _column_of) as table:
        places = find_columns(table.headings, _column_of, required=list(Column))
        for record in table.records:
            cells, headings = record.cells, table.headings
            if cells is not None and (is_aside(cells, headings) or is_remark(cells, headings)):
                continue
            reading.rows += 1
            rejections: list[Rejection] = []
            row = _read(record, len(table.headings), places, at, rejections)
            if row is None:
                reading.rejected += 1
                reading.rejections += rejections
            else:
                reading.good.append(row)
    return reading


def _read(
    record: Record, width: int, places: dict[Column, int], at: datetime, rejections: list[Rejection]
) -> OutcomeRow | None:
    if record.cells is None:
        reason = "A quotation mark inside a quoted cell must be doubled."
        rejections.append(Rejection(record.line, "", "", reason))
        return None
    given = squared(record.cells, width)
    if len(given) != width:
        count = len(record.cells)
        reason = f"The row has {count} cells where the headings have {width}."
        rejections.append(Rejection(record.line, "", str(count), reason))
        return None
    cells = {name: bare(given[place]) for name, place in places.items()}

    def read(column: Column, reader: Callable[[str], Value]) -> Value | None:
        try:
            return reader(cells[column])
        except ValueError as error:
            rejections.append(Rejection(record.line, column.value, shown(cells[column]), str(error)))
            return None

    reference = read(Column.CRIME_REFERENCE, _reference)
    code = read(Column.OUTCOME_CODE, _code)
    recorded_at = read(Column.RECORDED_AT, lambda text: _moment(text, at))
    if reference is None or code is None or recorded_at is None:
        return None
    return OutcomeRow(record.line, reference, code, recorded_at)


def _reference(text: str) -> str:
    if not text:
        raise ValueError("The crime reference is missing.")
    return text


def _code(text: str) -> int:
    found = _CODE.fullmatch(text)
    if not found:
        raise ValueError("There is no such outcome code: they are 1 (or 1A) to 22.")
    return int(found[1] or found[2])


def _moment(text: str, at: datetime) -> datetime:
    moment = _iso(text) if _ISO.fullmatch(text) else read_moment(text)[0]
    if moment > at:
        raise ValueError("The outcome lies in the future.")
    return moment


def _iso(text: str) -> datetime:
    """The moment that an ISO 8601 date and time names; without an offset, in London."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("There is no such date and time.") from None
    return read_moment(f"{moment:%d/%m/%Y %H:%M}")[0].replace(
        second=moment.second, microsecond=moment.microsecond
    )
