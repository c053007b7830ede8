"""From the bytes of an extract to its rows: text in columns, or a sheet of a spreadsheet, under headings."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TextIO, TypeVar

from django.conf import settings

from referrals.table_files.cells import may_be_heading, unwrapped
from referrals.table_files.content import Content
from referrals.table_files.shape import ROWS_ABOVE, best_row, refuse_a_page
from referrals.table_files.text import NotATable, encoding_of, text_of
from referrals.table_files.workbook import NamedRows, is_workbook, sheets_of

Name = TypeVar("Name", bound=str)
Recognise = Callable[[str], Name | None]
_SEPARATORS = (",", ";", "\t")
# A name that is to be chosen must fit where the choice is kept; most programs end at 31.
LONGEST_SHEET_NAME = 100
# A crime system writes some dozens of columns. Pages have a line for each heading and for each sheet.
MOST_COLUMNS, LONGEST_UNUSED_HEADING = 256, 200
_MOST_SHEETS_NAMED, _LONGEST_NAMED = 10, 50
# Characters in which the first line of a text must end.
_LOOKED_AT = 65_536


class SeveralSheets(NotATable):
    """More than one sheet may be the table; ``names`` are theirs, and not in what is kept, ``in_short``."""

    in_short = "Several sheets hold a table: choose the one to import."

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"Several sheets hold a table ({_some_of(names)}): name the one to import, "
            "or save it as a file of its own."
        )
        self.names = names


class Unmatched(NotATable):
    """The headings do not name every column that is needed; by hand they may be made to."""


@dataclass(frozen=True)
class Record:
    """One row: the physical line it starts on, and its cells; ``None`` where its quoting is broken."""

    line: int
    cells: list[str] | None = field(repr=False)


@dataclass(frozen=True)
class Rows:
    """The headings, and the rows under them that are not blank, as a stream to be read once.

    ``line`` is that of the headings; ``hidden`` counts the rows that the spreadsheet does not show; ``share``
    tells how much of the file is read, from 0 to 1. In a text, unlike a sheet, a line break may cut a row in
    two. Reading on may raise :class:`NotATable`.
    """

    headings: list[str]
    line: int
    records: Iterator[Record] = field(repr=False)
    share: Callable[[], float] = field(repr=False)
    hidden: int = 0
    is_sheet: bool = False


@contextmanager
def read_rows(content: Content, known: Recognise[Name], *, sheet: str = "") -> Iterator[Rows]:
    """The headings and the rows under them, while the file is open; raises :class:`NotATable`.

    The headings are that of the first ``ROWS_ABOVE`` rows with the most that are known; of comma, semicolon
    and tab that one separates which gives the most. A row's line is where it starts: a quoted cell may span
    several. ``sheet`` names the one of a workbook where several may be meant; a hidden one is not meant. A
    table has ``MOST_COLUMNS`` at most; columns without a heading are not counted.
    """
    if content.size > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
        raise NotATable(f"The file is larger than {limit} MB: split it into parts, each with the headings.")
    if is_workbook(content):
        top, chosen = _table_of_workbook(content, known, sheet)
        # Closed whatever happens: a process reads it.
        with closing(chosen.rows()) as rows:
            table = _rows_under(rows, top, chosen)
            _check_width(table.headings)
            yield table
        return
    encoding = encoding_of(content)
    with text_of(content, encoding) as text:
        beginning = text.read(_LOOKED_AT)
    refuse_a_page(beginning)
    separator, line = _headings_in(beginning, known)
    with text_of(content, encoding) as text:
        records = _records(text, separator)
        first = next((record for record in records if record.line >= line), None)
        if first is None or first.cells is None:
            raise NotATable("The file is empty or its first line cannot be read: the headings belong there.")
        headings = [heading.strip() for heading in first.cells]
        _check_width(headings)
        yield Rows(headings, first.line, records, lambda: text.buffer.tell() / max(content.size, 1))


def _check_width(headings: list[str]) -> None:
    count = sum(map(bool, headings))
    if count > MOST_COLUMNS:
        raise NotATable(
            f"The table has {count:,} columns, and at most {MOST_COLUMNS} are read: "
            "take out those that are not needed."
        )


def _table_of_workbook(content: Content, known: Recognise[Name], wanted: str) -> tuple[int, NamedRows]:
    """Of several sheets the one that is the table, and how many rows stand above its headings."""
    sheets = sheets_of(content)
    if wanted and wanted not in [sheet.name for sheet in sheets]:
        names = _some_of([sheet.name for sheet in sheets])
        raise NotATable(f"There is no sheet {_in_short(wanted)}: the sheets are {names}.")
    found = [
        (*best_row(sheet.above, known), sheet)
        for sheet in sheets
        if wanted in ("", sheet.name) and any(sheet.above)
    ]
    if not found:
        raise NotATable("No row of the spreadsheet names the columns: the headings belong above the reports.")
    shown = [each for each in found if wanted or each[2].is_visible]
    most = max((score for score, *_ in shown), default=0)
    tables = [each for each in shown if each[0] == most]
    if not most and len(found) > len(shown):
        tables = found  # only a hidden one may be the table: that is asked
    if len(tables) > 1 or tables[0] not in shown:
        alike = [sheet.name for *_, sheet in tables]
        if any(len(name) > LONGEST_SHEET_NAME for name in alike):
            raise NotATable(
                f"A sheet has a name longer than {LONGEST_SHEET_NAME} characters: shorten it and try again."
            )
        raise SeveralSheets(alike)
    _, top, sheet = tables[0]
    return top, sheet


def _some_of(names: list[str]) -> str:
    """The first of them, for a sentence."""
    some = ", ".join(_in_short(name) for name in names[:_MOST_SHEETS_NAMED])
    more = len(names) - _MOST_SHEETS_NAMED
    return f"{some} and {more} more" if more > 0 else some


def _in_short(name: str) -> str:
    """The beginning of what may be long, for a sentence."""
    return name if len(name) <= _LONGEST_NAMED else f"{name[: _LONGEST_NAMED - 1]}…"


def _rows_under(all_rows: Iterator[list[str]], top: int, sheet: NamedRows) -> Rows:
    rows = enumerate(all_rows, start=1)
    headings = _unwrapped(next(row for line, row in rows if line == top + 1))
    read = 0

    def records() -> Iterator[Record]:
        nonlocal read
        for line, cells in rows:
            read = line
            shown = _unwrapped(cells)
            if any(cell.strip() for cell in shown):
                yield Record(line, shown)

    return Rows(
        [heading.strip() for heading in headings],
        top + 1,
        records(),
        lambda: read / max(sheet.height, 1),
        sheet.hidden,
        is_sheet=True,
    )


def _headings_in(beginning: str, known: Recognise[Name]) -> tuple[str, int]:
    """What separates the cells of a text, and the line on which the headings are."""
    found: list[tuple[int, int, str, int]] = []
    for separator in _SEPARATORS:
        rows = list(_first_records(beginning, separator))
        if rows:
            score, place = best_row([row.cells or [] for row in rows], known)
            found.append((score, len(rows[place].cells or []), separator, rows[place].line))
    if not found:
        return _SEPARATORS[0], 1
    *_, separator, line = max(found, key=lambda each: each[:2])
    return separator, line


def _first_records(beginning: str, separator: str) -> Iterator[Record]:
    """The first rows of the text, up to one with a quotation mark that is not closed in it."""
    with suppress(NotATable):
        yield from islice(_records(io.StringIO(beginning, newline=""), separator), ROWS_ABOVE)


def _records(text: TextIO, separator: str) -> Iterator[Record]:
    reader = csv.reader(text, delimiter=separator, strict=True)
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
            shown = _unwrapped(cells)
            if any(shown) and any(cell.strip() for cell in shown):
                yield Record(line, shown)


def _unwrapped(cells: list[str]) -> list[str]:
    return [unwrapped(cell) if cell.startswith("=") else cell for cell in cells]


def find_columns(
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
                raise NotATable(
                    f"The heading {_in_short(heading)} is there twice: take one of the two columns out."
                )
            raise Unmatched(
                f"{_in_short(first)} and {_in_short(heading)} both mean {name}: "
                "take one of the two columns out."
            )
        places[name] = place
    missing = [name for name in required if name not in places]
    if missing:
        words = (
            f"The headings must name the columns; {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not there."
        )
        if not all(may_be_heading(heading) for heading in headings if heading):
            # A report in the place of headings: shown as headings it would be kept as such, and lost.
            raise NotATable(
                f"The headings must stand above the reports; {' and '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} not there: add a line that names the columns."
            )
        raise (Unmatched if sum(map(bool, headings)) > 1 else NotATable)(words)
    if any(len(heading) > LONGEST_UNUSED_HEADING for heading in headings):
        raise NotATable(
            f"A heading has more than {LONGEST_UNUSED_HEADING} characters: shorten it and try again."
        )
    return places
