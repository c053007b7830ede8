"""From the bytes of an extract to its rows: comma-separated UTF-8 with headings on the first line."""

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from referrals.actions import Refused
from referrals.intake.columns import NAMES, REQUIRED, Column


class NotATable(Refused):
    """The whole file cannot be read; nothing of it is saved."""


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
    headings, records = read_rows(content)
    places = places_of(headings, known=NAMES, required=REQUIRED)
    return Table(
        headings=headings,
        columns={Column(name): place for name, place in places.items()},
        records=list(records),
    )


def read_rows(content: bytes) -> tuple[list[str], Iterator[Record]]:
    """The headings of the first line and the rows under it; raises :class:`NotATable`, also on the way.

    A row's line is where it starts: a quoted cell may span several. Blank rows are left out.
    """
    records = _records(_text(content))
    first = next(records, None)
    if first is None or first.cells is None:
        raise NotATable("The file is empty or its first line cannot be read: the headings belong there.")
    return [heading.strip().lower() for heading in first.cells], records


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The cause is left out: its message quotes the bytes, and so a victim's data.
        raise NotATable(
            f"The file is not UTF-8 text (byte {error.start + 1:,}): save it as “CSV UTF-8” and try again."
        ) from None
    if "\0" in text:
        raise NotATable("The file is not plain text: save it as “CSV UTF-8” and try again.")
    return text


def _records(text: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
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


def places_of(headings: Sequence[str], *, known: Collection[str], required: Sequence[str]) -> dict[str, int]:
    """Where each known column stands; raises :class:`NotATable` for one that is missing or there twice."""
    found = [heading for heading in headings if heading in known]
    missing = [name for name in required if name not in found]
    if missing:
        raise NotATable(
            f"The first line must name the columns, separated by commas; {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not there."
        )
    for heading in found:
        if found.count(heading) > 1:
            raise NotATable(f"The heading {heading} is there twice: take one of the two columns out.")
    return {heading: headings.index(heading) for heading in found}
