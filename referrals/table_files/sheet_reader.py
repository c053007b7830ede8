"""Reads a spreadsheet in a process of its own, with a limit to its memory and time.

A sheet is as large as its furthest cell, however few it has; reading one that is made so, or has become so by
mistake, ends a process. Run by ``workbook.py``: the file on standard input; on standard output a line of JSON
for each sheet (name, rows, whether it is shown, how many rows are hidden, the first of them), or for each row
of the sheet whose number is given.
"""

import io
import json
import re
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from itertools import islice

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

MEMORY = 2 * 1024**3
SECONDS = 120
HAS_PASSWORD, UNREADABLE, TOO_MANY_SHEETS, TOO_LARGE = 3, 4, 5, 6
MOST_SHEETS = 100
# Of a row that may hold the headings; and characters in a row, which whoever asked has to hold at once.
CELLS_ABOVE, CHARACTERS_ABOVE, MOST_IN_A_ROW = 300, 200, 2_000_000

Cell = int | float | str | bool | time | date | datetime | timedelta


def main(above: int, wanted: int | None) -> int:
    """Writes what was asked for; returns the exit status. ``wanted`` is a sheet's number, from 0 on."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        content = sys.stdin.buffer.read()
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        if len(workbook.sheet_names) > MOST_SHEETS:
            return TOO_MANY_SHEETS
        hidden = _hidden_rows(content) if wanted is None else []
        for number, name in enumerate(workbook.sheet_names):
            if wanted in (None, number):
                sheet = workbook.get_sheet_by_index(number)
                rows = ([_text(cell) for cell in row] for row in sheet.iter_rows())
                if wanted is None:
                    first = [
                        [cell[:CHARACTERS_ABOVE] for cell in row[:CELLS_ABOVE]] for row in islice(rows, above)
                    ]
                    is_visible = workbook.sheets_metadata[number].visible == SheetVisibleEnum.Visible
                    count = hidden[number] if number < len(hidden) else 0
                    _write([name, sheet.end[0] + 1 if sheet.end else 0, is_visible, count, first])
                else:
                    for row in rows:
                        if sum(map(len, row)) > MOST_IN_A_ROW:
                            return TOO_LARGE
                        _write(row)
    except PasswordError:
        return HAS_PASSWORD
    except CalamineError:
        return UNREADABLE
    return 0


def _hidden_rows(content: bytes) -> list[int]:
    """How many rows with cells of each sheet are hidden, such as by a filter; empty where it is not told."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return []
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = set(packed.namelist())
        if "content.xml" in parts:
            tables = re.split(rb"<table:table[ >]", packed.read("content.xml"))[1:]
            return [len(_HIDDEN_IN_OPEN_DOCUMENT.findall(table)) for table in tables]
        if "xl/workbook.xml" not in parts:
            return []
        relations = map(_attributes, _RELATION.findall(packed.read("xl/_rels/workbook.xml.rels")))
        targets = {each.get(b"Id"): each.get(b"Target", b"").decode() for each in relations}
        sheets = map(_attributes, _SHEET.findall(packed.read("xl/workbook.xml")))
        paths = [targets.get(sheet.get(b"id"), "") for sheet in sheets]
        paths = [path.lstrip("/") if path.startswith("/") else f"xl/{path}" for path in paths]
        return [len(_HIDDEN.findall(packed.read(path))) if path in parts else 0 for path in paths]


def _attributes(tag: bytes) -> dict[bytes, bytes]:
    return dict(_ATTRIBUTE.findall(tag))


_SHEET, _RELATION = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>"), re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""(?:\s|:)(\w+)=["']([^"']*)["']""")
# A row without cells has no end of its own.
_HIDDEN = re.compile(rb"""<(?:\w+:)?row\b(?=[^>]*\shidden=["'](?:1|true)["'])[^>]*[^/>]>""")
_HIDDEN_IN_OPEN_DOCUMENT = re.compile(
    rb"""<table:table-row\b(?=[^>]*\stable:visibility="(?:filter|collapse)")(?![^>]*-repeated)[^>]*[^/>]>"""
)


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _text(cell: Cell) -> str:
    match cell:
        case bool():
            return "yes" if cell else "no"
        case datetime():  # kept as a fraction of a day, which may lie a little under the minute it shows
            return f"{cell + timedelta(seconds=0.5):%d/%m/%Y %H:%M:%S}"
        case date():  # a cell at midnight, with or without a time in its format
            return f"{cell:%d/%m/%Y} 00:00:00"
        case float() if cell.is_integer():
            return str(int(cell))
    return str(cell)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
