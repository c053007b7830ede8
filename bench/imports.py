"""The import of an extract, beside a bare COPY of the same rows into tables with the same indexes."""

import csv
import io
import time
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from django.db import connections
from psycopg2 import sql

from bench import words
from bench.databases import Database
from bench.figures import Times
from bench.people import World
from referrals.intake.reading.columns import Column
from referrals.intake.saving.save import import_cases
from referrals.models import Postcode
from src_app.audit.record import acting

# An import is to reach a third of the speed of COPY.
TIMES_COPY = 3.0
ROUNDS = 3
_EXTRACT_STRANDS = ["Race", "Religion", "Sexual orientation", "Disability", "Transgender", "Race; Religion"]


def measure_import(database: Database, world: World, rows: int) -> dict[str, Any]:
    """``import_cases`` of new reports, and a bare COPY of the case rows alone and of all rows it wrote.

    Each round imports a file of other reports; what it wrote is then copied into empty tables of the same
    columns, checks and indexes, without foreign keys and triggers.
    """
    database.use()
    imported, case_rows, all_rows = Times(), Times(), Times()
    written: dict[str, int] = {}
    for nth in range(ROUNDS):
        before = _last_keys()
        content = extract(rows, world.now, nth)
        system = world.people["system"]
        with acting("bench import", by=system):
            imported.time(partial(import_cases, content=content, bcu=world.bcu, by=system, at=world.now))
        copied = _copied_again(before)
        written = {table: number for table, number, _ in copied}
        case_rows.seconds.append(copied[0][2])
        all_rows.seconds.append(sum(seconds for *_, seconds in copied))
    ratio = imported.middle / all_rows.middle
    return {
        "name": "import",
        "rows": rows,
        "compared_with": "a bare COPY of the same rows into tables with the same checks and indexes",
        "written": written,
        "milliseconds": {
            "import_cases": imported.as_json(),
            "copy_of_case_rows": case_rows.as_json(),
            "copy_of_all_rows": all_rows.as_json(),
        },
        "rows_a_second": round(rows / imported.middle),
        "ratios": {
            "import_to_copy_of_case_rows": round(imported.middle / case_rows.middle, 2),
            "import_to_copy_of_all_rows": round(ratio, 2),
        },
        "missed": f"{ratio:.1f} times a COPY of all its rows, aim {TIMES_COPY:g}"
        if ratio > TIMES_COPY
        else "",
    }


def extract(rows: int, now: datetime, nth: int) -> bytes:
    """An extract of reports that no other extract holds, some months long."""
    random = Random(nth)  # noqa: S311 - made data
    postcodes = list(Postcode.objects.order_by("pcds").values_list("pcds", flat=True)[:5_000])
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([column.value for column in Column])
    for number in range(rows):
        reported = now - timedelta(minutes=5 + random.random() * 60 * 24 * 90)
        written = {
            Column.CRIME_REFERENCE: f"{10 + nth}/{number:07}/{reported:%y}",
            Column.REPORTED_AT: f"{reported:%d/%m/%Y %H:%M}",
            Column.OCCURRED_AT: f"{reported - timedelta(hours=30):%d/%m/%Y %H:%M}",
            Column.OFFENCE: words.drawn(random, words.OFFENCES),
            Column.HATE_STRANDS: words.drawn(random, _EXTRACT_STRANDS),
            Column.CRIME_OR_INCIDENT: "Crime",
            Column.CRIME_STATUS: "Recorded",
            Column.HATE_FLAG: "Y",
            Column.VICTIM_TYPE: "Individual",
            Column.VICTIM_POSTCODE: words.drawn(random, postcodes),
            Column.REPEAT_VICTIM: "N",
            Column.CONTACT_WISHES: words.drawn(random, words.WISHES),
            Column.SAFETY_NOTE: words.drawn(random, words.SAFETY_NOTES),
            Column.OFFICER_IN_CASE: f"PC {4000 + number % 3000}SW",
            Column.INCIDENT_REFERENCE: f"CAD{nth}-{number}",
            Column.VICTIM_KEY: f"V{nth}-{number}",
            Column.VICTIM_UNDER_18: "N",
            Column.COMMUNICATION_NEED: words.drawn(random, words.NEEDS),
        }
        writer.writerow([written[column] for column in Column])
    return file.getvalue().encode()


# Tables that an import adds to, the cases first, and the column that tells new rows from old.
_WRITTEN = (
    ("referrals_case", "id"),
    ("referrals_personaltext", "id"),
    ("referrals_caseevent", "pgh_id"),
    ("referrals_personaltextevent", "pgh_id"),
)


def _last_keys() -> dict[str, int]:
    last = {}
    with connections["owner"].cursor() as cursor:
        for table, key in _WRITTEN:
            cursor.execute(
                sql.SQL("SELECT coalesce(max({key}), 0) FROM {table}").format(
                    key=sql.Identifier(key), table=sql.Identifier(table)
                )
            )
            last[table] = cursor.fetchone()[0]
    return last


def _copied_again(before: dict[str, int]) -> list[tuple[str, int, float]]:
    """Table, number of rows and seconds for a bare COPY of what was added since."""
    found = []
    with connections["owner"].cursor() as cursor:
        for table, key in _WRITTEN:
            names = {"table": sql.Identifier(table), "key": sql.Identifier(key)}
            rows = io.StringIO()
            chosen = sql.SQL("COPY (SELECT * FROM {table} WHERE {key} > {last}) TO STDOUT").format(
                **names, last=sql.Literal(before[table])
            )
            cursor.copy_expert(chosen.as_string(cursor.cursor), rows)
            cursor.execute("DROP TABLE IF EXISTS bare")
            cursor.execute(sql.SQL("CREATE TABLE bare (LIKE {table} INCLUDING ALL)").format(**names))
            rows.seek(0)
            began = time.perf_counter()
            cursor.copy_expert("COPY bare FROM STDIN", rows)
            found.append((table, cursor.rowcount, time.perf_counter() - began))
            cursor.execute("DROP TABLE bare")
    return found
