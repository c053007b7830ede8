"""From the bytes of an extract to its rows: text in columns, or a sheet of a spreadsheet, under headings."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from referrals.intake.columns import REQUIRED, Column, column_of
from referrals.intake.text import NotATable, text_of
from referrals.intake.workbook import is_workbook, sheets_of

Name = TypeVar("Name", bound=str)
Recognise = Callable[[str], Name | None]
_SEPARATORS = (",", ";", "\t")
# Characters in which the first line of a text must end, and rows above the headings of a sheet.
_LOOKED_AT = 65_536
_ROWS_ABOVE = 20


@dataclass(frozen=True)
class Record:
    """One row: the physical line it starts on, and its cells; ``None`` where its quoting is broken."""

    line: int
    cells: list[str] | None = field(repr=False)


@dataclass(frozen=True)
class Table:
    """The headings as they stand, the known ones at their places, and the rows that are not blank."""

    headings: list[str]
    columns: dict[Column, int]
    records: list[Record] = field(repr=False)


def read_table(content: bytes) -> Table:
    """The extract's rows; raises :class:`NotATable` with one sentence that says what to do."""
    headings, records = read_rows(content, column_of)
    return Table(
        headings=headings,
        columns=places_of(headings, column_of, required=REQUIRED),
        records=list(records),
    )


def read_rows(content: bytes, known: Recognise[Name]) -> tuple[list[str], Iterator[Record]]:
    """The headings and the rows under them; raises :class:`NotATable`, also on the way.

    In a text they are on the first line, and of comma, semicolon and tab that one separates which gives the
    most headings that are known. A row's line is where it starts: a quoted cell may span several. Blank rows
    are left out.
    """
    if is_workbook(content):
        return _rows_of_workbook(content, known)
    text = text_of(content)
    records = _records(text, _separator(text, known))
    first = next(records, None)
    if first is None or first.cells is None:
        raise NotATable("The file is empty or its first line cannot be read: the headings belong there.")
    return [heading.strip() for heading in first.cells], records


def _rows_of_workbook(content: bytes, known: Recognise[Name]) -> tuple[list[str], Iterator[Record]]:
    """The headings may stand under a title; of several sheets one must be the table."""
    found: list[tuple[int, str, int, list[list[str]]]] = []
    for name, rows in sheets_of(content):
        scores = [sum(known(cell) is not None for cell in row) for row in rows[:_ROWS_ABOVE]]
        if best := max(scores, default=0):
            found.append((best, name, scores.index(best), rows))
    if not found:
        raise NotATable("No row of the spreadsheet names the columns: the headings belong above the reports.")
    most = max(score for score, *_ in found)
    tables = [each for each in found if each[0] == most]
    if len(tables) > 1:
        names = ", ".join(name for _, name, *_ in tables)
        raise NotATable(
            f"Several sheets hold a table ({names}): save the one to import as a file of its own."
        )
    _, _, top, rows = tables[0]
    below = enumerate(rows[top + 1 :], start=top + 2)
    records = (Record(line, cells) for line, cells in below if any(cell.strip() for cell in cells))
    return [heading.strip() for heading in rows[top]], records


def _separator(text: str, known: Recognise[Name]) -> str:
    def headings(separator: str) -> int:
        try:
            first = next(_records(text[:_LOOKED_AT], separator), None)
        except NotATable:
            return 0
        return sum(known(cell) is not None for cell in (first and first.cells) or ())

    return max(_SEPARATORS, key=headings)


def _records(text: str, separator: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "expected after" not in str(error):
                raise NotATable(
                    f"A quotation mark in the row that starts on line {line:,} is never closed: "
                    "close it and try again."
                ) from None
            # The reader goes on with the next line, so one badly quoted row spoils no other.
            yield Record(line, None)
        else:
            if any(cell.strip() for cell in cells):
                yield Record(line, cells)


def places_of(
    headings: Sequence[str], known: Recognise[Name], *, required: Sequence[Name]
) -> dict[Name, int]:
    """Where each known column stands; raises :class:`NotATable` for one that is missing or there twice."""
    places: dict[Name, int] = {}
    for place, heading in enumerate(headings):
        name = known(heading)
        if name is None:
            continue
        if name in places:
            first = headings[places[name]]
            if first.casefold() == heading.casefold():
                raise NotATable(f"The heading {heading} is there twice: take one of the two columns out.")
            raise NotATable(f"{first} and {heading} both mean {name}: take one of the two columns out.")
        places[name] = place
    missing = [name for name in required if name not in places]
    if missing:
        raise NotATable(
            f"The headings must name the columns; {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not there."
        )
    return places
