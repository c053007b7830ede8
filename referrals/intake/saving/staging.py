"""An extract on its way in: its rows, and what is said of them, in this connection's temporary tables.

Rows arrive by COPY, a batch at a time, so that memory does not grow with the file. No postcode is among them.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection
from psycopg2 import sql

from referrals.intake.reading.columns import FIELD_OF, TEXT_OF, Column
from referrals.intake.reading.rows import (
    Extract,
    ExtractRow,
    Read,
    Rejection,
    Warned,
)
from referrals.models import Bcu, Postcode
from src_app.database import run

BATCH = 5_000
# The case's field for what a row leaves open; no column has it.
QUESTIONS = "questions"
# Told after each batch: rows read, and the share of the file that they are, from 0 to 1.
ReportProgress = Callable[[int, float], None]

_TABLES = ("staged_row", "staged_remark", "staged_twice", "staged_fate")
_DROP = f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{table}' for table in _TABLES)}"
_ROWS = "CREATE TEMPORARY TABLE staged_row AS SELECT 0 AS line, {columns} FROM referrals_case WITH NO DATA"
_NO_POSTCODE = sql.SQL("false AS no_postcode")
_NULL = "\\N"
_REMARKS = """
    CREATE TEMPORARY TABLE staged_remark (
        id bigint GENERATED ALWAYS AS IDENTITY,
        line integer NOT NULL, rejects boolean NOT NULL,
        column_name text NOT NULL, value text NOT NULL, reason text NOT NULL
    )
"""
# As COPY wants it; a character that PostgreSQL cannot hold is left out.
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\0": ""})


@dataclass(frozen=True)
class Staging:
    """What lies in the tables: ``rows`` of the file, and the place of each column in it."""

    rows: int
    places: Mapping[Column, int] = field(repr=False)

    @property
    def columns(self) -> list[Column]:
        """The columns the file has."""
        return [column for column in Column if column in self.places]

    @property
    def fields(self) -> dict[Column, str]:
        """The case's field, as the database calls it, that each column fills."""
        return {column: FIELD_OF[column] for column in self.columns if column in FIELD_OF}

    @property
    def texts(self) -> list[Column]:
        """The columns that are texts about a person."""
        return [column for column in self.columns if column in TEXT_OF]


@contextmanager
def staged(extract: Extract, *, bcu: Bcu, progress: ReportProgress | None = None) -> Iterator[Staging]:
    """Reads the file into the tables and takes them away at the end.

    Raises :class:`~referrals.table_files.text.NotATable`, and whatever ``progress`` raises to stop it.
    """
    # The ward comes last: it is known once a batch of rows is read.
    names = [
        FIELD_OF.get(column, column.value)
        for column in Column
        if column in extract.columns and column != Column.VICTIM_POSTCODE
    ]
    names.append(QUESTIONS)
    wards = Column.VICTIM_POSTCODE in extract.columns
    with connection.cursor() as cursor:
        cursor.execute(_DROP)
        columns = [_typed(name) for name in names] + [_NO_POSTCODE] + [sql.SQL("ward_id")] * wards
        run(cursor, _ROWS, columns=sql.SQL(", ").join(columns))
        cursor.execute(_REMARKS)
    try:
        _copy_remarks([_warning(warned) for warned in extract.warnings])
        rows = 0
        reads = iter(extract.rows)
        while (batch := _Batch(names, islice(reads, BATCH))).read:
            batch.copy(bcu if wards else None)
            rows += batch.rows
            if progress:
                progress(rows, extract.share())
        with connection.cursor() as cursor:
            # What the comparison joins by; the rest is read anyway.
            cursor.execute("ANALYZE staged_row (line, crime_reference)")
            cursor.execute("ANALYZE staged_remark")
        yield Staging(rows, extract.columns)
    finally:
        # A transaction that failed takes them away itself, and bears no other statement.
        if not connection.in_atomic_block or not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute(_DROP)


def _typed(name: str) -> sql.Composable:
    """A column of the case's own type, or a text."""
    if name in TEXT_OF:
        return sql.SQL("''::text AS {}").format(sql.Identifier(name))
    return sql.Identifier(name)


class _Batch:
    """A batch of rows, kept as text for COPY, which takes less memory than objects."""

    def __init__(self, names: list[str], reads: Iterable[Read]) -> None:
        # Rows that are reports, and all lines that were read.
        self.rows = self.read = 0
        self.lines: list[tuple[str, str]] = []
        self.rejections: list[str] = []
        self.warnings: list[str] = []
        empty = "\t\\N" * len(names)
        for read in reads:
            self.read += 1
            self.rows += bool(read.row or read.rejections)
            self.rejections += map(_rejection, read.rejections)
            self.warnings += map(_warning, read.warnings)
            if read.row:
                self.lines.append((_line(read.row, names), read.row.postcode or ""))
            elif read.crime_reference:
                # Rejected, and all the same the first of two rows with its reference.
                self.lines.append((f"{read.line}\t{_cell(read.crime_reference)}{empty}", ""))

    def copy(self, bcu: Bcu | None) -> None:
        """Puts it into the tables, each row with its ward of the BCU where rows have postcodes."""
        if bcu:
            postcodes = {postcode for _, postcode in self.lines if postcode}
            known = Postcode.objects.filter(pk__in=postcodes, ward__borough__bcu=bcu)
            wards = dict(known.values_list("pk", "ward_id"))
            text = "".join(f"{line}\t{wards.get(postcode, _NULL)}\n" for line, postcode in self.lines)
        else:
            text = "".join(f"{line}\n" for line, _ in self.lines)
        with connection.cursor() as cursor:
            cursor.copy_expert("COPY staged_row FROM STDIN", io.StringIO(text))
        _copy_remarks(self.rejections)
        _copy_remarks(self.warnings)


def _line(row: ExtractRow, names: list[str]) -> str:
    cells = [_cell(row.values[name]) for name in names]
    return "\t".join([str(row.line), *cells, "f" if row.postcode else "t"])


def _cell(value: Any) -> str:
    """The value as COPY reads it."""
    if isinstance(value, str):
        return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPED)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list):
        return "{" + ",".join(value) + "}"
    return _NULL if value is None else str(value)


def _rejection(rejection: Rejection) -> str:
    cells = map(_cell, (rejection.column, rejection.value, rejection.reason))
    return f"{rejection.line}\tt\t" + "\t".join(cells) + "\n"


def _warning(warned: Warned) -> str:
    return f"{warned.line}\tf\t{_cell(warned.column)}\t\t{_cell(warned.reason)}\n"


def _copy_remarks(lines: list[str]) -> None:
    if lines:
        with connection.cursor() as cursor:
            columns = "line, rejects, column_name, value, reason"
            cursor.copy_expert(f"COPY staged_remark ({columns}) FROM STDIN", io.StringIO("".join(lines)))
