"""Extracts of the tests' own: last night's reports in the officer's wards, and today's in one ward."""

import csv
import io
import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import arrive
from tests.spellings import MUST_GO

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "referrals" / "data"
WARDS = ("Tooting Bec", "Tooting Broadway", "Balham", "Furzedown")
ROWS = 12
# Two of the same are six hours apart: no row mentions another.
OFFENCES = ("Harassment", "Common assault", "Criminal damage", "Stalking", "Theft person", "Threats to kill")


COLUMNS_OF_WORDS = ("contact_wishes", "safety_note", "communication_need", "offence", "officer_in_case")


@dataclass(frozen=True)
class Extract:
    """The file, and what of it may be found nowhere once it is imported."""

    content: bytes
    references: list[str]
    secrets: list[str]


def make_extract() -> Extract:
    """Twelve crimes of last night in the officer's wards, and a thirteenth whose reference is malformed.

    Between them the twelve hold every spelling of what finds a person.

    More than eight suitable cases of one stratum hold at least one of each arm: blocks have at most eight.
    """
    yesterday = time.strftime("%d/%m/%Y", time.localtime(time.time() - 86_400))
    rows = [
        _report(80_000, n, postcode, f"{yesterday} {10 + n % 10}:{n:02}")
        for n, postcode in enumerate(_postcodes(WARDS)[: ROWS + 1])
    ]
    rows[-1]["crime_reference"] = "8000-X"
    for n, row in enumerate(rows[:ROWS]):
        # In every column of words, as people write them.
        spellings = MUST_GO[n::ROWS]
        for place, column in enumerate(COLUMNS_OF_WORDS):
            row[column] = " or ".join([row[column], *spellings[place :: len(COLUMNS_OF_WORDS)]])
    return _extract(rows, rows[:-1])


def make_reports_of_today(ward: str, count: int) -> Extract:
    """Crimes of the first minute of today in one ward."""
    midnight = time.strftime("%d/%m/%Y 00:00")
    rows = [_report(81_000, n, _postcodes((ward,))[0], midnight) for n in range(count)]
    return _extract(rows, rows)


def make_one(ward: str) -> Extract:
    """A crime of this morning in that ward, with neither note nor need."""
    row = _report(84_000, 2, _postcodes((ward,))[0], time.strftime("%d/%m/%Y 00:01"))
    return _extract([row], [row])


def make_review(count: int) -> Extract:
    """Crimes of June 2021, one a day: of all that wait they stand first, and none is like another."""
    rows = [_report(82_000, n, _postcodes(WARDS)[n % 4], f"{n + 1:02}/06/2021 10:00") for n in range(count)]
    return _extract(rows, rows)


def _report(series: int, n: int, postcode: str, reported_at: str) -> dict[str, str]:
    return {
        "crime_reference": f"01/{series * 100 + n}/26",
        "reported_at": reported_at,
        "occurred_at": f"{reported_at.split()[0]} 00:00",
        "offence": OFFENCES[n % len(OFFENCES)],
        "hate_strands": "Race",
        "crime_or_incident": "Crime",
        "victim_type": "Individual",
        "victim_postcode": postcode,
        "repeat_victim": "N",
        "contact_wishes": "In person",
        "safety_note": "Dog at address" if n == 0 else "",
        "officer_in_case": "PC 9999SW",
        "incident_reference": f"CAD{series // 1000}{n:03}/SECRET",
        "victim_key": f"V{series}{n:03}",
        "victim_under_18": "N",
        "communication_need": "Polish interpreter" if n == 1 else "",
    }


def _extract(rows: list[dict[str, str]], sound: list[dict[str, str]]) -> Extract:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return Extract(
        content=file.getvalue().encode(),
        references=[row["crime_reference"] for row in sound],
        secrets=[row[name] for row in rows for name in SECRET_COLUMNS],
    )


SECRET_COLUMNS = ("victim_postcode", "incident_reference", "victim_key")


def sample_secrets() -> list[str]:
    """The same columns of the sample extract, which the demo imports."""
    with open(DATA / "overnight-2026-11-23.csv", encoding="utf-8") as file:
        return [row[name] for row in csv.DictReader(file) for name in SECRET_COLUMNS]


def _postcodes(wards: Collection[str]) -> list[str]:
    with open(DATA / "wards.csv", encoding="utf-8") as file:
        codes = {row["ward_code"] for row in csv.DictReader(file) if row["ward_name"] in wards}
    with open(DATA / "postcodes_sample.csv", encoding="utf-8") as file:
        return [row["pcds"] for row in csv.DictReader(file) if row["osward"] in codes]


def bring(page: Page, extract: Extract, folder: Path) -> None:
    """Imports the extract by the page, and goes on to the overnight review."""
    file = folder / "overnight.csv"
    file.write_bytes(extract.content)
    page.get_by_role("link", name=re.compile(r"^Import( \(|$)")).click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Show what would be saved").click()
    page.get_by_role("button", name=re.compile(r"^Save \d+ cases?")).click()
    expect(page.get_by_role("heading", name="Overnight review")).to_be_visible()
    arrive(page)
