"""``export_cases FILE [--bcu CODE]``."""

import csv
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.extracts import extract, reference, row
from tests.factories import NOW, BcuFactory


@pytest.fixture
def bcu(db: None) -> Bcu:
    return BcuFactory.create(code="SW", name="South West")


def test_it_writes_what_is_held_and_no_postcode_or_key(bcu: Bcu, system: User, tmp_path: Path) -> None:
    told = row(1, hate_strands="Race; Disability", repeat_victim="Y", offence="=1+1", crime_status="No crime")
    import_cases(content=extract(told, row(2)), bcu=bcu, by=system, at=NOW)
    call_command("export_cases", str(tmp_path / "cases.csv"))
    written = (tmp_path / "cases.csv").read_text(encoding="utf-8-sig")
    for secret in ("SW19", "CAD73", "V7300"):
        assert secret not in written
    first, second = csv.DictReader(written.splitlines())
    assert first["crime_reference"] == reference(1)
    assert first["reported_at"] == "2026-11-22T18:07:00+00:00"
    assert first["hate_strands"] == "Race or ethnicity; Disability"
    assert (first["repeat_victim"], second["repeat_victim"]) == ("Y", "N")
    assert (first["offence"], first["crime_status"]) == ("'=1+1", "cancelled")
    assert first["safety_note"] == "Dog at address"


def test_nobody_else_may_read_it_and_it_overwrites_nothing(bcu: Bcu, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    call_command("export_cases", str(path))
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="File exists") as caught:
        call_command("export_cases", str(path))
    assert caught.value.returncode == 2


def test_every_case_is_named_in_the_audit_log(bcu: Bcu, system: User, tmp_path: Path) -> None:
    import_cases(content=extract(row(1), row(2)), bcu=bcu, by=system, at=NOW)
    call_command("export_cases", str(tmp_path / "cases.csv"))
    entry = AuditEntry.objects.get(action=Action.DOWNLOADED)
    assert (entry.references, entry.origin) == ([reference(1), reference(2)], "command export_cases")


def test_another_bcus_cases_are_not_in_it(bcu: Bcu, system: User, tmp_path: Path) -> None:
    import_cases(content=extract(row(1)), bcu=bcu, by=system, at=NOW)
    BcuFactory.create(code="N", name="North")
    with pytest.raises(CommandError, match="name one with --bcu"):
        call_command("export_cases", str(tmp_path / "cases.csv"))
    call_command("export_cases", str(tmp_path / "cases.csv"), "--bcu", "N")
    assert (tmp_path / "cases.csv").read_text().count("\n") == 1
    assert Case.objects.count() == 1
