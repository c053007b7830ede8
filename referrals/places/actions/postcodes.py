"""The ONS Postcode Directory, 2.7 million rows of some 50 columns: live postcodes of the wards known here."""

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TextIO

from django.db import connection, transaction

from referrals.models import Ward
from referrals.rules.postcodes import read_postcode
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

COLUMNS = ("pcds", "doterm", "osward")
# No line handed to COPY is longer: postcode, tab, number, end of line.
_LONGEST_LINE = 32

_KEEP = """
    INSERT INTO referrals_postcode (pcds, ward_id)
    SELECT DISTINCT ON (pcds) pcds, ward_id FROM loaded_postcode ORDER BY pcds, ward_id
    ON CONFLICT (pcds) DO UPDATE SET ward_id = EXCLUDED.ward_id
    WHERE referrals_postcode.ward_id <> EXCLUDED.ward_id
"""
_DROP = """
    DELETE FROM referrals_postcode AS kept
    WHERE NOT EXISTS (SELECT FROM loaded_postcode AS loaded WHERE loaded.pcds = kept.pcds)
"""


class NotADirectory(Refused):
    """The file is no Postcode Directory; the postcodes known before stay."""


@dataclass(frozen=True)
class Loaded:
    """Rows of the file, postcodes known now, and how many of these are new or moved, and how many went."""

    rows: int
    postcodes: int
    added_or_moved: int
    removed: int

    def report(self) -> dict[str, int]:
        """The report that the command prints as JSON."""
        return asdict(self)


def load_postcodes(*, file: TextIO, by: User) -> Loaded:
    """Replaces the known postcodes by the file's in one transaction, in memory that does not grow with it.

    Raises :class:`NotADirectory`; then the postcodes known before stay.
    """
    check_authority(by, Permission.MANAGE_PLACES)
    stream = _Stream(file, dict(Ward.objects.values_list("code", "pk")))
    with transaction.atomic(), connection.cursor() as cursor:
        # Reading 2.7 million rows takes longer than any page may.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("CREATE TEMPORARY TABLE loaded_postcode (pcds text, ward_id bigint)")
        cursor.copy_expert("COPY loaded_postcode FROM STDIN", stream)
        if stream.refused:
            raise stream.refused
        if not stream.kept:
            raise NotADirectory(
                "The file has no live postcode of a ward known here: "
                "run load_reference_data first, and check that the column osward holds ward codes."
            )
        cursor.execute("ANALYZE loaded_postcode")
        cursor.execute(_KEEP)
        added_or_moved = cursor.rowcount
        cursor.execute(_DROP)
        removed = cursor.rowcount
        cursor.execute("SELECT count(*) FROM referrals_postcode")
        (postcodes,) = cursor.fetchone()
        cursor.execute("DROP TABLE loaded_postcode")
        if added_or_moved or removed:
            record(
                Action.REFERENCE_DATA_LOADED,
                by=by,
                purpose=Purpose.ADMINISTRATION,
                subject="postcode",
                fields=["ward"],
            )
    return Loaded(stream.rows, postcodes, added_or_moved, removed)


class _Stream:
    """What COPY reads from: lines made as they are asked for.

    The driver turns an exception of ``read`` into one of its own; so the stream ends instead, and
    ``refused`` tells why.
    """

    def __init__(self, file: TextIO, wards: dict[str, int]) -> None:
        self.rows = self.kept = 0
        self.refused: NotADirectory | None = None
        self._lines = self._kept_lines(file, wards)

    def read(self, size: int) -> str:
        """The next lines, not more than ``size`` characters; nothing at the end."""
        try:
            return "".join(islice(self._lines, max(1, size // _LONGEST_LINE)))
        except NotADirectory as refused:
            self.refused = refused
        except (UnicodeDecodeError, csv.Error) as error:
            self.refused = NotADirectory(f"The file cannot be read beyond row {self.rows:,}: {error}")
        return ""

    def _kept_lines(self, file: TextIO, wards: dict[str, int]) -> Iterator[str]:
        reader = csv.reader(file, strict=True)
        headings = [heading.strip().lower() for heading in next(reader, [])]
        if missing := [column for column in COLUMNS if column not in headings]:
            raise NotADirectory(
                f"The first line has no column {' or '.join(missing)}: "
                "choose the Postcode Directory's main CSV file."
            )
        pcds, doterm, osward = (headings.index(column) for column in COLUMNS)
        for row in reader:
            if not row:
                continue
            self.rows += 1
            if len(row) != len(headings):
                raise NotADirectory(
                    f"Line {reader.line_num:,} has {len(row)} cells where the headings have "
                    f"{len(headings)}: the file is damaged or cut short."
                )
            if row[doterm].strip():
                continue
            ward, postcode = wards.get(row[osward].strip()), read_postcode(row[pcds])
            if ward is not None and postcode:
                self.kept += 1
                yield f"{postcode}\t{ward}\n"
