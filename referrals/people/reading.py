"""A list of people as text: its rows under their headings, as a spreadsheet saves or pastes them."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

from src_app.lists.cells import as_it_was
from src_app.refused import Refused

MOST_ROWS = 1_000
MOST_BYTES = 1_000_000
# Each column with the words of its heading; those that must be there, and others.
REQUIRED = {"username": "User name", "display_name": "Name", "role": "Role", "email": "E-mail"}
HEADINGS = {**REQUIRED, "team": "Team", "bcu": "BCU"}
WHY = "Why refused"
_COMMON = {"emailaddress": "email", "workemail": "email", "workemailaddress": "email", "teams": "team"}


@dataclass(frozen=True)
class PersonRow:
    """A row: its first line in the text, its cells as they came, and the same by column."""

    line: int
    cells: list[str]
    columns: dict[str, str]


@dataclass(frozen=True)
class PeopleTable:
    """The headings as they came, and the rows in order."""

    headings: list[str]
    rows: list[PersonRow]


def decoded(content: bytes) -> str:
    """The text of a file; raises :class:`Refused`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            "The file is no CSV file in UTF-8: save it as “CSV UTF-8” and choose it again."
        ) from error


def read_people(text: str) -> PeopleTable:
    """The rows of the text, between commas, semicolons or tabs; raises :class:`Refused` for what has none."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise Refused("The list is larger than 1 MB: split it into smaller ones, each with the headings.")
    text = text.removeprefix("\ufeff").lstrip("\r\n")
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    records, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((line, cells))
            line = reader.line_num + 1
            if len(records) > MOST_ROWS + 1:
                raise Refused(f"The list has more than {MOST_ROWS:,} rows: split it, each with the headings.")
    except csv.Error as error:
        raise Refused(f"Line {line} cannot be read: a quotation mark may be missing.") from error
    if len(records) < 2:
        raise Refused("There is no row under the headings: the first line names the columns.")
    (_, headings), *rows = records
    columns = _columns(headings)
    return PeopleTable(headings, [_row(number, cells, columns) for number, cells in rows])


def _row(line: int, cells: list[str], columns: list[str]) -> PersonRow:
    own = [as_it_was(cell) for cell in cells]
    by_column = {column: cell.strip() for column, cell in zip(columns, own, strict=False) if column}
    return PersonRow(line, own, {**dict.fromkeys(HEADINGS, ""), **by_column})


def _columns(headings: list[str]) -> list[str]:
    """The column that each heading means; none for the reasons of a file of refused rows."""
    known = {_letters(words): column for column, words in HEADINGS.items()} | _COMMON | {_letters(WHY): ""}
    known |= {_letters(column): column for column in HEADINGS}
    found = []
    for heading in headings:
        if _letters(heading) not in known:
            raise Refused(f"The heading “{heading[:60]}” is not known: use {', '.join(HEADINGS.values())}.")
        found.append(known[_letters(heading)])
    if missing := [words for column, words in REQUIRED.items() if column not in found]:
        raise Refused(f"A column is missing: {', '.join(missing)}.")
    if twice := [column for column, count in Counter(found).items() if count > 1 and column]:
        raise Refused(f"The column {HEADINGS[twice[0]]} is there twice: leave one of them out.")
    return found


def _letters(heading: str) -> str:
    return "".join(sign for sign in heading.casefold() if sign.isalnum())
