"""``import_cases FILE [--dry-run] [--json] [--bcu CODE] [--sheet NAME] [--map "Heading=column"]``."""

import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from referrals.intake.saving import merging
from referrals.models import Bcu, Case
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.extracts import extract, row
from tests.factories import BcuFactory
from tests.workbooks import Cell, xlsx


@pytest.fixture
def only_bcu(db: None) -> Bcu:
    return BcuFactory.create(code="SW", name="South West")


@pytest.fixture
def file(tmp_path: Path, clock: time_machine.Traveller) -> Path:
    """Two good rows."""
    path = tmp_path / "extract.csv"
    path.write_bytes(extract(row(1), row(2)))
    return path


def run(*arguments: str | Path) -> int:
    """Runs the command; returns its exit status."""
    try:
        call_command("import_cases", *map(str, arguments))
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 0


def test_all_rows_taken_is_exit_0_and_json_alone(only_bcu: Bcu, file: Path, capsys: Any) -> None:
    assert run(file, "--json") == 0
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert [report[name] for name in ("rows", "new", "unchanged", "changed", "rejected")] == [2, 2, 0, 0, 0]
    assert report["rejections"] == []
    assert {warned["column"] for warned in report["warnings"]} == {"victim_postcode"}
    assert output.err == ""
    assert Case.objects.filter(bcu=only_bcu).count() == 2


def test_it_acts_as_this_system_and_says_so(only_bcu: Bcu, file: Path) -> None:
    run(file)
    entry = AuditEntry.objects.get(action=Action.CASES_IMPORTED)
    assert (entry.actor, entry.origin) == (User.objects.system(), "command import_cases")


def test_rejected_rows_are_a_finding_exit_1_and_the_good_ones_are_saved(
    only_bcu: Bcu, file: Path, capsys: Any
) -> None:
    file.write_bytes(extract(row(1), row(2, reported_at="31/02/2026 10:00")))
    assert run(file, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["rejections"] == [
        {
            "line": 3,
            "column": "reported_at",
            "value": "31/02/2026 10:00",
            "reason": "There is no such date and time.",
        }
    ]
    assert Case.objects.count() == 1


def test_the_second_run_finds_everything_unchanged(only_bcu: Bcu, file: Path, capsys: Any) -> None:
    run(file)
    capsys.readouterr()
    assert run(file, "--json") == 0
    assert json.loads(capsys.readouterr().out)["unchanged"] == 2


def test_a_dry_run_reports_the_same_and_saves_nothing(only_bcu: Bcu, file: Path, capsys: Any) -> None:
    assert run(file, "--dry-run", "--json") == 0
    foreseen = capsys.readouterr().out
    assert not Case.objects.exists()
    run(file, "--json")
    assert capsys.readouterr().out == foreseen


def test_without_json_a_person_can_read_it(only_bcu: Bcu, file: Path, capsys: Any) -> None:
    file.write_bytes(extract(row(1, victim_type="State"), row(2, reported_at="never")))
    assert run(file) == 1
    output = capsys.readouterr().out
    assert "2 rows, 1 new, 0 unchanged, 0 changed, 1 rejected" in output
    for words in ("Rejected", "reported_at", "never", "To look at", "victim_type"):
        assert words in output


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"offence\nTheft\n", b"crime_reference,crime_reference"]
)
def test_no_table_is_exit_2_with_one_line(only_bcu: Bcu, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        run(file)
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)
    assert not Case.objects.exists()


def test_no_such_file_is_exit_2_with_one_line(only_bcu: Bcu, tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(CommandError) as caught:
            run(path)
        assert caught.value.returncode == 2
        assert str(path) in str(caught.value)


def test_with_several_bcus_one_must_be_named(world: World, file: Path) -> None:
    with pytest.raises(CommandError, match=r"--bcu \(N, SW\)") as caught:
        run(file)
    assert caught.value.returncode == 2
    assert run(file, "--bcu", "N") == 0
    assert Case.objects.filter(bcu=world.north).count() == 2
    with pytest.raises(CommandError, match="no BCU X: the codes are N, SW"):
        run(file, "--bcu", "X")


def test_without_any_bcu_it_says_what_to_run_first(db: None, file: Path) -> None:
    with pytest.raises(CommandError, match="load_reference_data") as caught:
        run(file)
    assert caught.value.returncode == 2


STRANGE = b"Ref,When,Story\r\n01/7300001/26,22/11/2026 18:07,Harassment\r\n"
MAPPED = ("--map", "Ref=crime_reference", "--map", "When=reported_at", "--map", "Story=offence")


def test_headings_nobody_knows_are_exit_2_and_the_line_says_how_to_map_them(
    only_bcu: Bcu, file: Path
) -> None:
    file.write_bytes(STRANGE)
    with pytest.raises(CommandError, match='--map "Heading=column"') as caught:
        run(file)
    assert caught.value.returncode == 2


def test_mapped_headings_are_read_and_remembered_for_the_next_file(only_bcu: Bcu, file: Path) -> None:
    file.write_bytes(STRANGE)
    assert run(file, *MAPPED) == 0
    assert Case.objects.get().offence == "Harassment"
    file.write_bytes(STRANGE.replace(b"01/73", b"02/73"))
    assert run(file) == 0
    assert Case.objects.count() == 2


def test_a_dry_run_remembers_no_heading(only_bcu: Bcu, file: Path) -> None:
    file.write_bytes(STRANGE)
    assert run(file, *MAPPED, "--dry-run") == 0
    with pytest.raises(CommandError):
        run(file)


@pytest.mark.parametrize("said", ["Story", "Story=plot", "=offence"])
def test_a_map_that_says_nothing_is_exit_2(only_bcu: Bcu, file: Path, said: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(file, "--map", said)
    assert caught.value.returncode == 2


def test_of_several_sheets_one_is_named(only_bcu: Bcu, file: Path) -> None:
    sheet: list[list[Cell]] = [["Crime No", "Reported"], ["01/7300001/26", "22/11/2026 18:07"]]
    other: list[list[Cell]] = [["Crime No", "Reported"], ["01/7300002/26", "22/11/2026 18:07"]]
    file.write_bytes(xlsx(May=sheet, June=other))
    with pytest.raises(CommandError, match="--sheet NAME") as caught:
        run(file)
    assert caught.value.returncode == 2
    assert run(file, "--sheet", "June") == 0
    assert Case.objects.get().crime_reference == "01/7300002/26"


def test_a_file_over_the_limit_is_exit_2(only_bcu: Bcu, file: Path, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 100
    with pytest.raises(CommandError, match="split it into parts") as caught:
        run(file)
    assert caught.value.returncode == 2
    assert not Case.objects.exists()


def test_stopped_by_ctrl_c_it_saves_nothing(
    only_bcu: Bcu, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(merging, "make", stop)
    with pytest.raises(CommandError, match="Nothing was saved"):
        run(file)
    assert not Case.objects.exists()
