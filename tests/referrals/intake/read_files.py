"""What a file says, before the database is asked."""

from dataclasses import dataclass, field
from datetime import datetime

from referrals.intake.reading.columns import REQUIRED, Column, recogniser
from referrals.intake.reading.rows import (
    ExtractRow,
    Rejection,
    Warned,
    open_extract,
)
from referrals.intake.saving.preview import ImportPreview
from referrals.intake.saving.save import preview_cases
from referrals.models import Bcu
from referrals.table_files.content import Content
from referrals.table_files.read import Record, find_columns, read_rows
from src_app.accounts.models import User
from tests.extracts import extract
from tests.factories import NOW


@dataclass(frozen=True)
class Table:
    """The headings, the known ones at their places, and all rows."""

    headings: list[str]
    columns: dict[Column, int]
    records: list[Record]


def read_table(content: bytes, sheet: str = "") -> Table:
    """The table as the common headings tell it."""
    known = recogniser()
    with read_rows(Content.of(content), known, sheet=sheet) as table:
        columns = find_columns(table.headings, known, required=REQUIRED)
        return Table(table.headings, columns, list(table.records))


@dataclass
class Reading:
    """All rows of a file at once; ``rejected`` counts rows, of which one may have several rejections."""

    rows: int = 0
    rejected: int = 0
    good: list[ExtractRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)


def read_extract(content: bytes, *, at: datetime) -> Reading:
    """Reads the file to its end."""
    reading = Reading()
    with open_extract(Content.of(content), at=at) as opened:
        reading.warnings += opened.warnings
        for read in opened.rows:
            reading.rows += bool(read.row or read.rejections)
            reading.rejections += read.rejections
            reading.warnings += read.warnings
            if read.row:
                reading.good.append(read.row)
            else:
                reading.rejected += bool(read.rejections)
    return reading


def previewed(bcu: Bcu, *rows: dict[str, str], columns: list[str] | None = None) -> ImportPreview:
    """What would become of the rows if this system saved them now."""
    content = extract(*rows, columns=columns)
    return preview_cases(content=content, bcu=bcu, by=User.objects.system(), at=NOW)
