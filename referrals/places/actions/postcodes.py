"""The ONS Postcode Directory, 2.7 million rows of some 50 columns: live postcodes of the wards known here."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, TextIO

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from referrals.models import Ward
from referrals.places.readers import wards_without_postcode
from referrals.rules.postcodes import read_postcode
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

POSTCODE, ENDED = "pcds", "doterm"
# The ward's column has the year of its codes in its name since August 2025: ``wd25cd``, ``wd26cd``.
_WARD = re.compile(r"osward|wd\d\dcd|ward", re.ASCII)
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
        AND (%(areas)s::text[] IS NULL OR substring(kept.pcds from '^[A-Z]+') = ANY(%(areas)s::text[]))
"""
# Boroughs, how many postcodes each would have fewer, and how many it has.
_BOROUGHS = """
    SELECT borough.name, kept.count - coalesce(loaded.count, 0) AS lost, kept.count
    FROM (
        SELECT borough_id, count(*) FROM referrals_postcode AS kept
        JOIN referrals_ward AS ward ON ward.id = kept.ward_id GROUP BY borough_id
    ) AS kept
    JOIN referrals_borough AS borough ON borough.id = kept.borough_id
    LEFT JOIN (
        SELECT borough_id, count(DISTINCT pcds) FROM loaded_postcode AS loaded
        JOIN referrals_ward AS ward ON ward.id = loaded.ward_id GROUP BY borough_id
    ) AS loaded ON loaded.borough_id = kept.borough_id
    WHERE kept.count - coalesce(loaded.count, 0) > %s * kept.count
    ORDER BY borough.name
"""
# A single postcode of an area may have ended.
_AREAS = """
    SELECT substring(pcds from '^[A-Z]+') AS area, count(*) FROM referrals_postcode
    GROUP BY area HAVING count(*) > 1 AND NOT substring(pcds from '^[A-Z]+') = ANY(%s) ORDER BY area
"""
# In a year some in a hundred end. A part of the directory lacks more, but may have one in each borough.
_MOST_LOST = 0.2
_MOST_NAMED = 10
# Some postcodes of each ward: if they come with a code that is not known here, it is the ward's new one.
_SOME_OF_EACH_WARD = """
    SELECT pcds, ward_id FROM (
        SELECT pcds, ward_id, row_number() OVER (PARTITION BY ward_id ORDER BY pcds) AS place
        FROM referrals_postcode
    ) AS numbered WHERE place <= 20
"""


class NotADirectory(Refused):
    """The file is no Postcode Directory; the postcodes known before stay."""


@dataclass(frozen=True)
class Loaded:
    """Rows of the files, postcodes known now, and how many of these are new or moved, and how many went.

    ``without_postcode`` are the codes of known wards that have none now; ``recoded`` are those of them whose
    postcodes have another code in the file, with that code.
    """

    rows: int
    postcodes: int
    added_or_moved: int
    removed: int
    without_postcode: list[str] = field(default_factory=list)
    recoded: dict[str, str] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        """The report that the command prints as JSON."""
        return asdict(self)


def load_postcodes(
    *, files: Sequence[TextIO], by: User, only_their_areas: bool = False, all_the_same: bool = False
) -> Loaded:
    """Replaces the known postcodes by those of the files, in memory that does not grow with them.

    The files are one directory, whole or in parts. With ``only_their_areas`` postcodes of other areas than
    theirs stay; an area is what a postcode begins with, such as SW. Raises :class:`NotADirectory`, and the
    postcodes known before stay; also where a known area is not in the files, or a borough would lose more
    than a fifth of its postcodes, unless that is meant ``all_the_same``.
    """
    check_authority(by, Permission.MANAGE_PLACES)
    with transaction.atomic(), connection.cursor() as cursor:
        # Reading 2.7 million rows takes longer than any page may.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_SOME_OF_EACH_WARD)
        stream = _Stream(files, dict(Ward.objects.values_list("code", "pk")), dict(cursor.fetchall()))
        cursor.execute("CREATE TEMPORARY TABLE loaded_postcode (pcds text, ward_id bigint)")
        cursor.copy_expert("COPY loaded_postcode FROM STDIN", stream)
        if stream.refused:
            raise stream.refused
        if not stream.kept:
            raise NotADirectory(
                "The file has no live postcode of a ward known here: "
                f"run load_reference_data first, and check that the column {stream.ward} holds ward codes."
            )
        cursor.execute("ANALYZE loaded_postcode")
        if not only_their_areas and not all_the_same:
            _refuse_a_part(cursor, stream.areas)
        cursor.execute(_KEEP)
        added_or_moved = cursor.rowcount
        cursor.execute(_DROP, {"areas": sorted(stream.areas) if only_their_areas else None})
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
        without = dict(wards_without_postcode().values_list("pk", "code"))
    recoded = {code: new for pk, code in without.items() if (new := stream.code_now(pk))}
    return Loaded(stream.rows, postcodes, added_or_moved, removed, sorted(without.values()), recoded)


def _refuse_a_part(cursor: CursorWrapper, areas: set[str]) -> None:
    cursor.execute(_AREAS, [sorted(areas)])
    lost = [f"Area {area} ({count:,} known) is not in it" for area, count in cursor.fetchall()]
    cursor.execute(_BOROUGHS, [_MOST_LOST])
    lost += [
        f"{name} would lose {'all postcodes' if lost == known else f'{lost:,} of {known:,} postcodes'}"
        for name, lost, known in cursor.fetchall()
    ]
    if lost:
        more = [f"{len(lost) - _MOST_NAMED} more such losses"] if len(lost) > _MOST_NAMED else []
        raise NotADirectory(
            f"{', '.join([*lost[:_MOST_NAMED], *more])}: is this a part of the directory? Give all its parts "
            "in one call, or add --replace-only-areas-in-file; --all-the-same loads it as it is."
        )


class _Stream:
    """What COPY reads from: lines made as they are asked for.

    ``some`` are postcodes of each ward as they are known here.

    The driver turns an exception of ``read`` into one of its own; so the stream ends instead, and
    ``refused`` tells why.
    """

    def __init__(self, files: Sequence[TextIO], wards: dict[str, int], some: dict[str, int]) -> None:
        self.rows = self.kept = 0
        self.ward = ""
        self.areas: set[str] = set()
        self.refused: NotADirectory | None = None
        self._some = some
        self._new_codes: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._lines = (line for file in files for line in self._kept_lines(file, wards))

    def code_now(self, ward: int) -> str:
        """The code that most of the ward's postcodes have in the files; empty where none is there."""
        ((code, _),) = self._new_codes[ward].most_common(1) or [("", 0)]
        return code

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
        self.ward = max(filter(_WARD.fullmatch, headings), default="")  # of two years the later
        missing = [name for name in (POSTCODE, ENDED) if name not in headings]
        if missing := missing + ["osward or wd25cd"] * (not self.ward):
            raise NotADirectory(
                f"The first line has no column {' or '.join(missing)}: "
                "choose the Postcode Directory's main CSV file."
            )
        pcds, doterm, own = (headings.index(column) for column in (POSTCODE, ENDED, self.ward))
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
            code, postcode = row[own].strip(), read_postcode(row[pcds])
            ward = wards.get(code)
            if ward is not None and postcode:
                self.kept += 1
                self.areas.add(_area(postcode))
                yield f"{postcode}\t{ward}\n"
            elif postcode in self._some and code:
                self._new_codes[self._some[postcode]][code] += 1


def _area(postcode: str) -> str:
    """The letters that it begins with."""
    return postcode[: 2 if postcode[1].isalpha() else 1]
