"""A list as a file: by django-tables2's export, a part at a time, so that memory stays as it is."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django_tables2.export import TableExport
from tablib import Dataset

from src_app.lists.cells import harmless
from src_app.lists.tables import ListTable

# A workbook is made as a whole; text flows row by row.
MOST_IN_WORKBOOK = 10_000
# Beyond it openpyxl cuts a cell without a word, as Excel cannot hold it.
MOST_IN_CELL = 32_767
# What Excel knows UTF-8 by.
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Format:
    """What a link says, and what the file is."""

    words: str
    content_type: str


FORMATS = {
    "csv": Format("CSV", TableExport.FORMATS[TableExport.CSV]),
    "xlsx": Format("Excel", TableExport.FORMATS[TableExport.XLSX]),
}


@dataclass(frozen=True)
class Rows:
    """All rows of a file: how many, what the audit log knows them by, and the rows a part at a time.

    ``is_cut``: there are more than a file holds.
    """

    count: int
    references: list[str]
    chunks: Iterator[list[Any]]
    is_cut: bool = False


def file_of(wanted: str, name: str, tables: Iterable[ListTable]) -> HttpResponseBase:
    """The tables, one after the other, as one file of the format and the name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{wanted}"'}
    content_type = FORMATS[wanted].content_type
    if wanted == "csv":
        return StreamingHttpResponse(_as_csv(tables), content_type=content_type, headers=headers)
    return HttpResponse(_as_workbook(name, tables), content_type=content_type, headers=headers)


def _as_csv(tables: Iterable[ListTable]) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    for number, table in enumerate(tables):
        headings, *rows = table.as_values()
        yield "".join(map(csv_line, rows if number else [headings, *rows]))


def csv_line(cells: Iterable[Any]) -> str:
    """A row as a line of a CSV file, harmless to spreadsheets: of every CSV file that is downloaded."""
    line = StringIO(newline="")
    csv.writer(line).writerow(map(_in_text, cells))
    return line.getvalue()


def _as_workbook(name: str, tables: Iterable[ListTable]) -> bytes:
    # Slow to import, and few processes ever make a workbook.
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    dataset = Dataset(title=name[:31])
    for table in tables:
        headings, *rows = table.as_values()
        dataset.headers = headings
        for row in rows:
            dataset.append([_in_workbook(cell, ILLEGAL_CHARACTERS_RE) for cell in row])
    content: bytes = dataset.export("xlsx")
    return content


def _in_text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return timezone.localtime(cell).isoformat()
    if isinstance(cell, int | float | Decimal):
        return str(cell)  # a number, with its sign, is no formula
    return "" if cell is None else harmless(str(cell))


def _in_workbook(cell: Any, unfit: re.Pattern[str]) -> Any:
    """Times as London's clocks show them, as a workbook knows no other; texts without what it cannot hold."""
    if isinstance(cell, datetime):
        return timezone.make_naive(cell)
    return _fitting(harmless(unfit.sub("", cell))) if isinstance(cell, str) else cell


def _fitting(cell: str) -> str:
    """The cell, or as much of it as fits and how much is missing."""
    if len(cell) <= MOST_IN_CELL:
        return cell
    kept = cell[: MOST_IN_CELL - 60]
    return f"{kept}… and {len(cell) - len(kept):,} characters more: see the CSV"
