"""Reading a file of outcomes: crime reference, outcome code, and when it was recorded.

Codes, days and headings are read as disposal systems write them: ``2A``, ``16.0``, ``Outcome 16``,
``16 - Victim does not support …``; a day without a time; ``Crime Ref No``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import TypeVar

from django.utils import timezone

from referrals.intake.reading.rows import Rejection, shown
from referrals.table_files.cells import bare
from referrals.table_files.content import Content
from referrals.table_files.moments import read_day, read_moment
from referrals.table_files.read import Record, find_columns, read_rows
from referrals.table_files.shape import is_aside, is_remark, squared


class Column(StrEnum):
    """The headings of the file's first line; others are not read."""

    CRIME_REFERENCE = "crime_reference"
    OUTCOME_CODE = "outcome_code"
    RECORDED_AT = "recorded_at"


@dataclass(frozen=True)
class OutcomeRow:
    """One outcome as a row of the file gives it.

    ``code``: None where the case is open. ``recorded_at``: the begin of the day where the file gives a day
    (``is_day``), and None where it says of an open case no more than that it is open.
    """

    line: int
    crime_reference: str
    code: int | None
    written: str
    recorded_at: datetime | None
    is_day: bool


@dataclass
class Reading:
    """All that a file says; a rejected row has one rejection for each of its faults."""

    rows: int = 0
    rejected: int = 0
    good: list[OutcomeRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


Value = TypeVar("Value")

# 1A, 2A and 3A, of an alternate offence, count as 1, 2 and 3.
_CODE = re.compile(
    r"(?:outcome(?: type| code)?[ :]*)?(?:0?([123])a|0?([1-9]|1\d|2[0-2])(?:\.0+)?)(?:\s*[-–—:]\s*\D.*)?",
    re.ASCII | re.IGNORECASE,
)
_OPEN = {
    *("", "0", "00", "0.0", "-", "none", "n/a", "open", "ongoing", "pending", "unassigned"),
    *("not assigned", "not yet assigned", "no outcome", "not finalised", "under investigation"),
}
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}.+", re.ASCII)
MOST_WRITTEN = 60

_HEADINGS = {
    Column.CRIME_REFERENCE: "crime reference,crime ref,crime ref no,crime reference number,crime number",
    Column.OUTCOME_CODE: "outcome code,outcome,outcome type,outcome number,disposal,disposal code,ho outcome",
    Column.RECORDED_AT: "recorded at,outcome date,date of outcome,disposal date,date recorded",
}
_KNOWN = {heading: column for column, several in _HEADINGS.items() for heading in several.split(",")}


def _column_of(heading: str) -> Column | None:
    return _KNOWN.get(" ".join(re.sub(r"[_.]", " ", heading).lower().split()))


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
    # Of a case that is open there may be nothing more to say.
    says_when = cells[Column.RECORDED_AT] or code
    recorded = read(Column.RECORDED_AT, lambda text: _moment(text, at)) if says_when else (None, False)
    if reference is None or code is None or recorded is None:
        return None
    written = cells[Column.OUTCOME_CODE][:MOST_WRITTEN]
    return OutcomeRow(record.line, reference, code or None, written, *recorded)


def _reference(text: str) -> str:
    if not text:
        raise ValueError("The crime reference is missing.")
    return text


def _code(text: str) -> int:
    """The code; 0 where the case is open."""
    if " ".join(text.lower().split()) in _OPEN:
        return 0
    found = _CODE.fullmatch(text)
    if not found:
        raise ValueError(
            "There is no such outcome code: they are 1 (or 1A) to 22. Leave it empty for an open case."
        )
    return int(found[1] or found[2])


def _moment(text: str, at: datetime) -> tuple[datetime, bool]:
    """The moment, or the begin of the day in London, and whether it is a day."""
    day = read_day(text)
    if day is not None:
        moment = timezone.make_aware(datetime.combine(day, time()))
    else:
        moment = _iso(text) if _ISO.fullmatch(text) else read_moment(text)[0]
    if moment > at:
        raise ValueError("The outcome lies in the future.")
    return moment, day is not None


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
