"""A preview of an import: what becomes of each row of an extract, before anything is saved."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from referrals.intake.reading.columns import WORDS, Column
from referrals.intake.reading.rows import UNKNOWN_STRAND, Rejection, Warned
from referrals.intake.saving.comparison import compare, reject, warn
from referrals.intake.saving.staging import Staging
from referrals.models import Bcu
from referrals.table_files.cells import LONGEST_HEADING, letters
from src_app.audit.record import MOST_REFERENCES
from src_app.database import run

# A page of a thousand rows is read by nobody; the counts are of all.
MOST_SHOWN = 200
_MOST_LINES = 10


@dataclass(frozen=True)
class NewCase:
    """A row that becomes a case, in this ward."""

    line: int
    crime_reference: str
    reported_at: datetime
    offence: str
    ward_id: int | None


@dataclass(frozen=True)
class ChangedCase:
    """A row that changes these columns' values of a case that is here, or asks something about it."""

    line: int
    crime_reference: str
    columns: tuple[Column, ...]
    asks: bool = False

    @property
    def words(self) -> str:
        """What changes, for the person: ``safety note, ward``."""
        return ", ".join([*(WORDS[column] for column in self.columns), *["a question to answer"] * self.asks])


@dataclass(frozen=True)
class Alike:
    """Something to look at that holds for several rows or columns."""

    reason: str
    columns: list[str]
    lines: list[int]

    @property
    def lines_named(self) -> str:
        """The first lines: ``3, 7, 9 and 12 more``."""
        first = ", ".join(map(str, self.lines[:_MOST_LINES]))
        more = len(self.lines) - _MOST_LINES
        return f"{first} and {more:,} more" if more > 0 else first


@dataclass(frozen=True)
class ImportPreview:
    """How many rows of an extract become new cases, change one, change nothing, or are rejected.

    A rejected row is counted once and has one rejection or more. The first 200 new and the first 200 changed
    cases are listed. Rejections and warnings are listed as far as was asked for; ``all_rejections`` and
    ``all_warnings`` tell how many there are. Two previews with the same ``digest`` would save the same: it
    tells whether anything changed since somebody looked. ``may_be_older`` is true if the extract would change
    cases that were saved here after its last report.
    """

    rows: int
    new: int
    unchanged: int
    changed: int
    rejected: int
    digest: str
    all_rejections: int
    all_warnings: int
    may_be_older: bool = False
    new_cases: list[NewCase] = field(default_factory=list)
    changed_cases: list[ChangedCase] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    @property
    def to_save(self) -> int:
        """How many cases saving would make or change."""
        return self.new + self.changed

    @property
    def alike(self) -> list[Alike]:
        """The warnings that are listed, each said once for all its lines and the columns that share them."""
        lines: dict[tuple[str, str], list[int]] = {}
        for warned in self.warnings:
            lines.setdefault((warned.reason, warned.column_words), []).append(warned.line)
        columns: dict[tuple[str, tuple[int, ...]], list[str]] = {}
        for (reason, column), found in lines.items():
            columns.setdefault((reason, tuple(found)), []).append(column)
        return [Alike(reason, named, list(found)) for (reason, found), named in columns.items()]

    @property
    def strand_words(self) -> list[str]:
        """Words of the file that are taken for no strand, the most frequent first; of the listed warnings."""
        reasons = Counter(
            warned.reason for warned in self.warnings if warned.column == Column.HATE_STRANDS.value
        )
        found = (
            reason.removeprefix(f"{UNKNOWN_STRAND}: ").removesuffix(".")
            for reason, _ in reasons.most_common()
            if reason.startswith(f"{UNKNOWN_STRAND}: ")
        )
        return [word for word in found if letters(word) and len(word) <= LONGEST_HEADING]

    def with_warnings_only(self) -> "ImportPreview":
        """The same preview, whose only list is that of the warnings."""
        return replace(self, new_cases=[], changed_cases=[], rejections=[])

    def counts(self) -> dict[str, int]:
        """How many rows there are, and how many of them are new, unchanged, changed and rejected."""
        names = ("rows", "new", "unchanged", "changed", "rejected")
        return {name: getattr(self, name) for name in names}

    def report(self) -> dict[str, Any]:
        """The report that commands print as JSON."""
        return {
            **self.counts(),
            "warnings": [vars(warned) for warned in self.warnings],
            "rejections": [vars(rejection) for rejection in self.rejections],
        }


def make_preview(
    staging: Staging, *, bcu: Bcu, lock: bool = False, listed: int | None = None
) -> ImportPreview:
    """What becomes of each row if it is saved now; with ``lock`` the cases stay as they are until commit.

    ``listed`` limits the rejections and warnings that are returned. Call it in a transaction; afterwards the
    table ``staged_fate`` has the case of each good row, if there is one, and the columns it takes over.
    """
    with connection.cursor() as cursor:
        reject(cursor, staging, bcu)
        compare(cursor, staging, bcu, lock=lock)
        may_be_older = warn(cursor, staging, bcu)
        return _read_preview(cursor, staging, listed, may_be_older)


def references(kind: str = "") -> Iterator[list[str]]:
    """The crime references of the good rows, in the file's order: of all, of ``new`` or of ``changed`` ones.

    As many at a time as an audit row holds, and one empty list where there are none.
    """
    conditions = {"": "true", "new": "case_id IS NULL", "changed": "changes"}
    with connection.chunked_cursor() as cursor:
        run(cursor, _REFERENCES, condition=sql.SQL(conditions[kind]))
        found = cursor.fetchmany(MOST_REFERENCES)
        yield [reference for (reference,) in found]
        while found := cursor.fetchmany(MOST_REFERENCES):
            yield [reference for (reference,) in found]


_REFERENCES = """
    SELECT crime_reference FROM staged_fate JOIN staged_row USING (line) WHERE {condition} ORDER BY line
"""
_COUNTS = """
    SELECT count(*) FILTER (WHERE case_id IS NULL),
        count(*) FILTER (WHERE case_id IS NOT NULL AND NOT changes),
        count(*) FILTER (WHERE changes),
        (SELECT count(DISTINCT line) FROM staged_remark WHERE rejects),
        (SELECT count(*) FROM staged_remark WHERE rejects),
        (SELECT count(*) FROM staged_remark WHERE NOT rejects),
        encode(sha256(convert_to(concat(
            {places},
            string_agg(concat_ws(' ', line, case_id, takes, asks,
                CASE WHEN case_id IS NULL THEN {ward} END,
                CASE WHEN changes THEN extract(epoch FROM changed_at) END
            ), ';' ORDER BY line),
            (SELECT string_agg(concat_ws(' ', line, reason), ';' ORDER BY line, id)
                FROM staged_remark WHERE rejects)
        ), 'UTF8')), 'hex')
    FROM staged_fate JOIN staged_row USING (line)
"""
_NEW = """
    SELECT line, crime_reference, reported_at, {offence}, {ward}
    FROM staged_fate JOIN staged_row USING (line) WHERE case_id IS NULL ORDER BY line LIMIT %s
"""
_CHANGED = """
    SELECT line, crime_reference, takes, asks <> '{{}}'
    FROM staged_fate JOIN staged_row USING (line) WHERE changes ORDER BY line LIMIT %s
"""
_REMARKS = """
    SELECT line, column_name, value, reason FROM staged_remark WHERE rejects = %s ORDER BY line, id LIMIT %s
"""


def _read_preview(
    cursor: CursorWrapper, staging: Staging, listed: int | None, may_be_older: bool
) -> ImportPreview:
    """The counts, and the first of each list."""
    places = ", ".join(f"{column} {place}" for column, place in sorted(staging.places.items()))
    parts = {
        "places": sql.Literal(places),
        "ward": sql.SQL("ward_id" if Column.VICTIM_POSTCODE in staging.columns else "NULL"),
        "offence": sql.SQL("offence" if Column.OFFENCE in staging.columns else "''"),
    }

    def rows(query: str, *values: object) -> list[tuple[Any, ...]]:
        run(cursor, query, values, **parts)
        return list(cursor.fetchall())

    ((new, unchanged, changed, rejected, rejections, warnings, digest),) = rows(_COUNTS)
    return ImportPreview(
        rows=staging.rows,
        new=new,
        unchanged=unchanged,
        changed=changed,
        rejected=rejected,
        digest=digest,
        all_rejections=rejections,
        all_warnings=warnings,
        may_be_older=may_be_older,
        new_cases=[NewCase(*found) for found in rows(_NEW, MOST_SHOWN)],
        changed_cases=[
            ChangedCase(line, reference, tuple(map(Column, takes)), asks)
            for line, reference, takes, asks in rows(_CHANGED, MOST_SHOWN)
        ],
        rejections=[Rejection(*found) for found in rows(_REMARKS, True, listed)],
        warnings=[Warned(line, column, reason) for line, column, _, reason in rows(_REMARKS, False, listed)],
    )
