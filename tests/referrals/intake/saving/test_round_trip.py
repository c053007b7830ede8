"""What is exported comes in again without a change."""

import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

from referrals.intake.export import export_cases
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case, PersonalText
from src_app.accounts.models import User
from tests.extracts import MESSY, OVERNIGHT, PILOT, SPREADSHEET, extract, row

AT = datetime(2026, 11, 23, 7, 30, tzinfo=ZoneInfo("Europe/London"))


def exported(bcu: Bcu, by: User) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(export_cases(bcu=bcu, by=by))
    return written.getvalue().encode()


def test_the_cases_of_all_four_samples_come_back_unchanged(real_places: Bcu, system: User) -> None:
    for sample in (OVERNIGHT, PILOT, SPREADSHEET, MESSY):
        import_cases(content=sample.read_bytes(), bcu=real_places, by=system, at=AT)
    held = Case.objects.count()
    assert held == 24 + 300 + 12 + 24
    before = list(Case.objects.order_by("pk").values()), list(PersonalText.objects.order_by("pk").values())
    again = import_cases(content=exported(real_places, system), bcu=real_places, by=system, at=AT)
    assert again.counts() == {"rows": held, "new": 0, "unchanged": held, "changed": 0, "rejected": 0}
    after = list(Case.objects.order_by("pk").values()), list(PersonalText.objects.order_by("pk").values())
    assert after == before


def test_what_a_spreadsheet_would_run_and_an_hour_that_came_twice_come_back_too(
    bcu: Bcu, system: User
) -> None:
    strange = row(1, offence="=1+1", safety_note="-- see log\nand 'quotes'", reported_at="25/10/2026 01:30")
    later = row(2, reported_at="2026-10-25T01:30:00+00:00", occurred_at="", crime_or_incident="Incident")
    import_cases(content=extract(strange, later), bcu=bcu, by=system, at=AT)
    again = import_cases(content=exported(bcu, system), bcu=bcu, by=system, at=AT)
    assert again.counts()["unchanged"] == 2


def test_what_stands_before_a_formula_stays_what_it_was_however_often_it_comes_back(
    bcu: Bcu, system: User
) -> None:
    written = (
        "=1+1",
        "\uff1d1+1",
        "'=1+1",
        "' =1+1",
        "''=1+1",
        "\uff0d5",
        "' - by phone",
        "'\t@x",
        "'",
        "'twas",
    )
    rows = [row(number, offence=text) for number, text in enumerate(written, 1)]
    import_cases(content=extract(*rows), bcu=bcu, by=system, at=AT)
    held = list(Case.objects.order_by("pk").values_list("offence", flat=True))
    assert held[:2] == ["=1+1", "\uff1d1+1"]
    again = import_cases(content=exported(bcu, system), bcu=bcu, by=system, at=AT)
    assert again.counts()["unchanged"] == len(written)
    assert list(Case.objects.order_by("pk").values_list("offence", flat=True)) == held
