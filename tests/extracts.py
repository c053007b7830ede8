"""Extracts made up for tests: say only the cells a test is about."""

import csv
import io
from pathlib import Path

from referrals.intake.reading.columns import Column

REAL_FILES = Path(__file__).resolve().parent / "real_files"
DATA = Path(__file__).resolve().parent.parent / "referrals" / "data"
OVERNIGHT = DATA / "overnight-2026-11-23.csv"
PILOT = DATA / "pilot-period.csv"
SPREADSHEET = DATA / "overnight-2026-11-04.xlsx"
MESSY = DATA / "messy-other-headings.csv"
POSTCODES = DATA / "postcodes_sample.csv"

_CELLS = {
    Column.CRIME_REFERENCE: "01/7300001/26",
    Column.REPORTED_AT: "22/11/2026 18:07",
    Column.OCCURRED_AT: "22/11/2026 07:25",
    Column.OFFENCE: "Harassment",
    Column.HATE_STRANDS: "Race",
    Column.CRIME_OR_INCIDENT: "Crime",
    Column.CRIME_STATUS: "Recorded",
    Column.HATE_FLAG: "Y",
    Column.VICTIM_TYPE: "Individual",
    Column.VICTIM_POSTCODE: "SW19 7QP",
    Column.REPEAT_VICTIM: "N",
    Column.CONTACT_WISHES: "In person",
    Column.SAFETY_NOTE: "Dog at address",
    Column.OFFICER_IN_CASE: "PC 9001",
    Column.INCIDENT_REFERENCE: "CAD7301/22NOV26",
    Column.VICTIM_KEY: "V730001",
    Column.VICTIM_UNDER_18: "N",
    Column.COMMUNICATION_NEED: "",
}


def reference(number: int) -> str:
    """The crime reference of the made-up row with that number."""
    return f"01/{7_300_000 + number}/26"


def row(number: int = 1, /, **cells: str) -> dict[str, str]:
    """A faultless row with keys of its own; ``cells`` by column name."""
    own = {
        "crime_reference": reference(number),
        "incident_reference": f"CAD{7300 + number}/22NOV26",
        "victim_key": f"V{730000 + number}",
    }
    return {**{column.value: text for column, text in _CELLS.items()}, **own, **cells}


def extract(*rows: dict[str, str], columns: list[str] | None = None) -> bytes:
    """The file, as a crime management system writes it: CRLF, quoted where needed."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, columns or [column.value for column in Column], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue().encode()


# Headings that mean nothing to the system, and the column that each is for.
FOURTEEN = {
    "Rpt No": "crime_reference",
    "Dt Tm Reported": "reported_at",
    "Dt Tm Committed": "occurred_at",
    "Offence Desc": "offence",
    "Strand Flags": "hate_strands",
    "Crime / Non-crime": "crime_or_incident",
    "Type of Vic": "victim_type",
    "Home PC of Victim": "victim_postcode",
    "Rpt Victim": "repeat_victim",
    "How to contact": "contact_wishes",
    "Officer": "officer_in_case",
    "Log No": "incident_reference",
    "Vic Unique Ref": "victim_key",
    "Under eighteen?": "victim_under_18",
}


def fourteen_strange(**cells: str) -> bytes:
    """A report under them, with a line above and one below."""
    own = {"offence": "<b>Arson</b>", "contact_wishes": "Phone after six", **cells}
    found = row(**own)
    line = ",".join(found[column] for column in FOURTEEN.values())
    return f"Last night\r\n{','.join(FOURTEEN)}\r\n{line}\r\nTotal,1\r\n".encode()
