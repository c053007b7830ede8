"""Rows on their way into the database by COPY, with every constraint and every trigger in force."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from typing import Any
from uuid import UUID

import psycopg2
from django.db import connections, models
from psycopg2 import sql


class Table:
    """Gathers rows of one model; fields that are not named take their default."""

    def __init__(self, model: type[models.Model], *names: str) -> None:
        written = [field for field in model._meta.concrete_fields if not field.generated]
        fields = {field.attname: field for field in written}
        others = [field for name, field in fields.items() if name not in names and not field.primary_key]
        self.name = model._meta.db_table
        self.columns = [str(fields[name].column) for name in ("id", *names)]
        self.columns += [str(field.column) for field in others]
        self._rest = "".join(f"\t{as_text(field.get_default())}" for field in others)
        self._lines: list[str] = []
        # What stands in the table already keeps its keys.
        self.last = model._default_manager.aggregate(last=models.Max("pk"))["last"] or 0

    def add(self, *values: Any) -> int:
        """Gathers a row and returns its key."""
        self.last += 1
        self._lines.append(f"{self.last}\t{_joined(values)}{self._rest}\n")
        return self.last

    def take(self) -> "Block":
        """What was gathered, on its way."""
        block = Block(self.name, self.columns, self._lines)
        self._lines = []
        return block

    def finish(self) -> None:
        """Lets the table's own keys go on after the last."""
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [self.name])
            (sequence,) = cursor.fetchone()
            cursor.execute("SELECT setval(%s, %s)", [sequence, self.last + 1])


@dataclass(frozen=True)
class Block:
    """Lines for one table, in the text format of COPY."""

    table: str
    columns: Sequence[str]
    lines: Sequence[str]

    def copy(self, cursor: Any) -> None:
        """``COPY … FROM STDIN``."""
        statement = sql.SQL("COPY {table} ({columns}) FROM STDIN").format(
            table=sql.Identifier(self.table), columns=sql.SQL(", ").join(map(sql.Identifier, self.columns))
        )
        cursor.copy_expert(statement.as_string(cursor), StringIO("".join(self.lines)))


class Sender:
    """Copies as the owner, on a connection of its own, while the next rows are being made.

    Nothing is switched off: checks, foreign keys and triggers see every row, and history gets its own.
    """

    def __init__(self) -> None:
        self._connection = psycopg2.connect(**connections["owner"].get_connection_params())
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._sent: Future[None] | None = None

    def send(self, tables: Iterable[Table]) -> None:
        """Sends what the tables gathered in one transaction, once what was sent before is in."""
        blocks = [table.take() for table in tables]
        self.wait()
        self._sent = self._worker.submit(self._copy, blocks)

    def wait(self) -> None:
        """Until everything sent is in; raises what went wrong."""
        if self._sent:
            self._sent.result()

    def close(self) -> None:
        self._worker.shutdown()
        self._connection.close()

    def _copy(self, blocks: Sequence[Block]) -> None:
        with self._connection, self._connection.cursor() as cursor:
            for block in blocks:
                block.copy(cursor)


def _joined(values: Sequence[Any]) -> str:
    return "\t".join([value if type(value) is str else as_text(value) for value in values])


def as_text(value: Any) -> str:
    """The value in COPY's text format; made data holds no tab, line end or backslash."""
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list):
        return "{" + ",".join(str(each) for each in value) + "}"
    if isinstance(value, int | str | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not written to a table of made data")
