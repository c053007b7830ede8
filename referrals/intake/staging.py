"""An extract on its way in: its rows, and what is said of them, in this connection's temporary tables.

Rows arrive by COPY, a batch at a time, so that memory does not grow with the file. No postcode is among them.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection
from psycopg2 import sql

from referrals.intake.columns import FIELD_OF, TEXT_OF, Column
from referrals.intake.rows import Extract, Read, Rejection, Row, Warned
from referrals.models import Bcu, Postcode
from src_app.database import run

BATCH = 5_000
# Told after each batch: rows read, and the share of the file that they are, from 0 to 1.
Progress = Callable[[int, float], None]

_DROP = "DROP TABLE IF EXISTS pg_temp.staged_row, pg_temp.staged_remark, pg_temp.staged_fate"
_ROWS = """
    CREATE TEMPORARY TABLE staged_row AS
    SELECT 0 AS line, {columns}, false AS no_postcode FROM referrals_case WITH NO DATA
"""
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
def staged(extract: Extract, *, bcu: Bcu, progress: Progress | None = None) -> Iterator[Staging]:
    """Reads the file into the tables and takes them away at the end.

    Raises :class:`~referrals.intake.text.NotATable`, and whatever ``progress`` raises to stop it.
    """
    columns = [column for column in Column if column in extract.columns]
    names = [FIELD_OF.get(column, column.value) for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(_DROP)
        run(cursor, _ROWS, columns=sql.SQL(", ").join(map(_typed, names)))
        cursor.execute(_REMARKS)
    try:
        _copy_remarks([_warning(warned) for warned in extract.warnings])
        rows = 0
        reads = iter(extract.rows)
        while batch := list(islice(reads, BATCH)):
            _copy(batch, names, bcu)
            rows += len(batch)
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


def _copy(batch: list[Read], names: list[str], bcu: Bcu) -> None:
    wards = _wards(batch, bcu)
    empty = "\t\\N" * len(names)
    lines = []
    for read in batch:
        if read.row:
            lines.append(_line(read.row, names, wards))
        elif read.crime_reference:
            # Rejected, and all the same the first of two rows with its reference.
            lines.append(f"{read.line}\t{_cell(read.crime_reference)}{empty}\n")
    with connection.cursor() as cursor:
        cursor.copy_expert("COPY staged_row FROM STDIN", io.StringIO("".join(lines)))
    _copy_remarks([_rejection(rejection) for read in batch for rejection in read.rejections])
    _copy_remarks([_warning(warned) for read in batch for warned in read.warnings])


def _line(row: Row, names: list[str], wards: Mapping[str, int]) -> str:
    values: dict[str, Any] = {
        "crime_reference": row.crime_reference,
        "ward_id": wards.get(row.postcode or ""),
        **row.fields,
        **{kind.value: text for kind, text in row.texts.items()},
    }
    cells = [_cell(values[name]) for name in names]
    return "\t".join([str(row.line), *cells, "f" if row.postcode else "t"]) + "\n"


def _cell(value: Any) -> str:
    """The value as COPY reads it."""
    if isinstance(value, str):
        return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPED)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list):
        return "{" + ",".join(value) + "}"
    return "\\N" if value is None else str(value)


def _wards(batch: list[Read], bcu: Bcu) -> dict[str, int]:
    """The ward of each postcode of the batch that lies in the BCU."""
    postcodes = {read.row.postcode for read in batch if read.row and read.row.postcode}
    known = Postcode.objects.filter(pk__in=postcodes, ward__borough__bcu=bcu)
    return dict(known.values_list("pk", "ward_id"))


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
