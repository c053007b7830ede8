"""The sample extracts against the sample postcodes. Every number here was counted in the files by hand."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection

from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case, PersonalText, TextKind, Ward
from src_app.accounts.models import User
from tests.extracts import MESSY, OVERNIGHT, PILOT, SPREADSHEET

# The latest report of the overnight extract is of 23/11/2026 06:14, that of the other of 27/01/2023.
AT = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def boroughs() -> dict[str, int]:
    return dict(Counter(Case.objects.values_list("ward__borough__name", flat=True)))


def texts() -> dict[str, int]:
    return dict(Counter(PersonalText.objects.values_list("kind", flat=True)))


def linked(field: str) -> list[list[str]]:
    """The reports that one incident or victim joins."""
    groups: dict[str, list[str]] = {}
    for reference, value in Case.objects.order_by("crime_reference").values_list("crime_reference", field):
        groups.setdefault(value, []).append(reference)
    return sorted(group for group in groups.values() if len(group) > 1)


def strands() -> Counter[str]:
    return Counter(strand for found in Case.objects.values_list("strands", flat=True) for strand in found)


def test_the_overnight_extract_gives_the_counts_worked_out_by_hand(real_places: Bcu, system: User) -> None:
    # 25 lines, the headings among them; every row has 16 cells, none is quoted, and no reference is there
    # twice (cut -d, -f1 | sort | uniq -d), so all 24 are new. The last report is earlier than AT.
    # grep -n ',Incident,' gives lines 5, 7 and 16; every victim is an individual; every postcode is a live
    # one of the sample (comm -23): three warnings.
    preview = import_cases(content=OVERNIGHT.read_bytes(), bcu=real_places, by=system, at=AT)
    report = preview.report()
    assert {name: report[name] for name in ("rows", "new", "unchanged", "changed", "rejected")} == {
        "rows": 24,
        "new": 24,
        "unchanged": 0,
        "changed": 0,
        "rejected": 0,
    }
    assert report["warnings"] == [
        {"line": line, "column": "crime_or_incident", "reason": "A hate incident, not a crime."}
        for line in (5, 7, 16)
    ]
    assert report["rejections"] == []
    # join of the postcode column with the sample: 21 wards; with wards.csv: the boroughs.
    assert Case.objects.values("ward").distinct().count() == 21
    assert boroughs() == {"Richmond upon Thames": 12, "Merton": 7, "Wandsworth": 5}
    # Line 2 of the extract has SW15 4QQ; the sample has SW15 4QQ,,E05014014. Line 5: SM4 9QQ,,E05013821.
    first = Case.objects.get(crime_reference="01/7000000/26")
    assert first.ward == Ward.objects.get(code="E05014014")
    assert Case.objects.get(crime_reference="01/7000003/26").ward == Ward.objects.get(code="E05013821")
    # 22/11/2026 07:32 is in winter time.
    assert first.reported_at == datetime(2026, 11, 22, 7, 32, tzinfo=UTC)
    # cut -d, -f13 | sort | uniq -d gives CAD1004/22NOV26 alone, in rows 7000004 and 7000005: the other pair
    # with one number, CAD1015, is of two days. -f14 gives V400013, in rows 7000013 and 7000020.
    assert linked("incident_hash") == [["01/7000004/26", "01/7000005/26"]]
    assert linked("victim_hash") == [["01/7000013/26", "01/7000020/26"]]
    # Cells that are not empty in columns 10, 11 and 16.
    assert texts() == {
        TextKind.CONTACT_WISHES: 16,
        TextKind.SAFETY_NOTE: 9,
        TextKind.COMMUNICATION_NEED: 6,
    }
    # cut -d, -f5 | tr ';' '\n' | sort | uniq -c
    assert strands() == {
        "race": 20,
        "religion": 2,
        "sexual_orientation": 2,
        "disability": 2,
        "transgender": 1,
    }
    assert Case.objects.filter(repeat_victim=True).count() == 2
    assert Case.objects.filter(victim_under_18=True).count() == 0


def test_the_pilot_period_gives_the_counts_worked_out_by_hand(real_places: Bcu, system: User) -> None:
    # 301 lines, 16 cells each, no reference twice: 300 new. grep -n gives 17 incidents, 16 organisations and
    # 8 times the State, no row two of these. Nothing was reported between 1am and 2am on 30/10/2022.
    preview = import_cases(content=PILOT.read_bytes(), bcu=real_places, by=system, at=AT)
    report = preview.report()
    assert preview.counts() == {"rows": 300, "new": 300, "unchanged": 0, "changed": 0, "rejected": 0}
    incidents = [42, 69, 75, 86, 104, 127, 131, 168, 170, 187, 224, 227, 232, 237, 268, 274, 282]
    organisations = [17, 43, 61, 72, 83, 105, 118, 171, 188, 191, 204, 208, 213, 215, 256, 261]
    states = [10, 46, 62, 74, 202, 249, 279, 299]
    found: dict[tuple[str, str], list[int]] = {}
    for warned in report["warnings"]:
        found.setdefault((warned["column"], warned["reason"]), []).append(warned["line"])
    assert found == {
        ("crime_or_incident", "A hate incident, not a crime."): incidents,
        ("victim_type", "No individual victim: Organisation."): organisations,
        ("victim_type", "No individual victim: State."): states,
    }
    assert Case.objects.values("ward").distinct().count() == 76
    assert boroughs() == {
        "Kingston upon Thames": 88,
        "Wandsworth": 80,
        "Merton": 62,
        # 61 by cut, and 9 in “Ham, Petersham & Richmond Riverside”, whose comma shifts its columns.
        "Richmond upon Thames": 70,
    }
    # No incident reference is there twice; ten victim keys are, each in two rows, V401202 one of them.
    assert linked("incident_hash") == []
    assert len(linked("victim_hash")) == 10
    assert ["01/7001202/22", "01/7001209/22"] in linked("victim_hash")
    assert texts() == {
        TextKind.CONTACT_WISHES: 147,
        TextKind.SAFETY_NOTE: 91,
        TextKind.COMMUNICATION_NEED: 101,
    }
    assert strands() == {
        "race": 199,
        "religion": 41,
        "sexual_orientation": 40,
        "disability": 26,
        "transgender": 20,
    }
    assert Case.objects.filter(repeat_victim=True).count() == 34
    assert Case.objects.filter(victim_under_18=True).count() == 18


def test_another_systems_extract_with_the_faults_people_send(real_places: Bcu, system: User) -> None:
    preview = import_cases(content=MESSY.read_bytes(), bcu=real_places, by=system, at=AT)
    assert preview.counts() == {"rows": 30, "new": 24, "unchanged": 0, "changed": 0, "rejected": 6}
    assert [(rejection.line, rejection.column) for rejection in preview.rejections] == [
        (5, "reported_at"),  # 31 February
        (8, "crime_reference"),  # that of line 4 again
        (12, "crime_reference"),  # missing
        (13, "reported_at"),  # 2099
        (15, ""),  # five cells
        (16, ""),  # eighteen
    ]
    assert [(warned.line, warned.column) for warned in preview.warnings] == [
        (4, "victim_key"),  # line 8 has the same crime with another victim
        (6, "victim_postcode"),  # ZZ1 1ZZ
        (7, "reported_at"),  # 1.57am on the night the clocks went back
        (7, "victim_postcode"),  # none
        (9, "hate_strands"),  # Goth subculture
        (10, "reported_at"),  # 1.30am
        (10, "crime_or_incident"),
        (10, "occurred_at"),  # later than its report
        (28, "victim_type"),  # an organisation
        (29, "reported_at"),  # 1.26am
    ]
    assert Case.objects.get(crime_reference="01/7002009/22").ward is not None  # sw127lf
    again = import_cases(content=MESSY.read_bytes(), bcu=real_places, by=system, at=AT)
    assert again.counts() == {"rows": 30, "new": 0, "unchanged": 24, "changed": 0, "rejected": 6}


def test_a_spreadsheets_night(real_places: Bcu, system: User) -> None:
    preview = import_cases(content=SPREADSHEET.read_bytes(), bcu=real_places, by=system, at=AT)
    assert preview.counts() == {"rows": 12, "new": 12, "unchanged": 0, "changed": 0, "rejected": 0}
    assert [(warned.line, warned.column) for warned in preview.warnings] == [
        (4, "victim_type"),  # an organisation
        (5, "crime_or_incident"),
        (9, "victim_type"),  # the State
    ]
    again = import_cases(content=SPREADSHEET.read_bytes(), bcu=real_places, by=system, at=AT)
    assert again.counts()["unchanged"] == 12


def test_the_same_file_again_changes_nothing(real_places: Bcu, system: User) -> None:
    content = PILOT.read_bytes()
    import_cases(content=content, bcu=real_places, by=system, at=AT)
    before = _rows_of_every_table()
    preview = import_cases(content=content, bcu=real_places, by=system, at=AT)
    assert preview.counts() == {"rows": 300, "new": 0, "unchanged": 300, "changed": 0, "rejected": 0}
    after = _rows_of_every_table()
    # That the import was done is recorded; nothing else in the whole database differs.
    audit = "audit_auditentry"
    assert len(after.pop(audit)) == len(before.pop(audit)) + 1
    assert after == before


def test_no_postcode_or_key_of_the_extracts_is_left_anywhere(real_places: Bcu, system: User) -> None:
    secrets = set()
    for file in (OVERNIGHT, PILOT):
        content = file.read_bytes()
        import_cases(content=content, bcu=real_places, by=system, at=AT)
        for line in content.decode().splitlines()[1:]:
            cells = line.split(",")
            secrets |= {cells[7], cells[7].replace(" ", ""), cells[12], cells[13]}
    assert len(secrets) == 2 * 227 + 323 + 313
    tables = _rows_of_every_table()
    tables.pop("referrals_postcode")
    assert tables["referrals_case"]
    assert tables["referrals_caseevent"]
    assert tables["referrals_personaltext"]
    assert tables["audit_auditentry"]
    everything = "\n".join(row for rows in tables.values() for row in rows).upper()
    assert [secret for secret in sorted(secrets) if secret.upper() in everything] == []


def _rows_of_every_table() -> dict[str, list[str]]:
    """Every row of every table as text, history and audit among them."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT CAST("{table}".* AS text) FROM "{table}"')
            found[table] = sorted(text for (text,) in cursor.fetchall())
    return found
