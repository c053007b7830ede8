"""``load_postcodes FILE [--json]``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from referrals.models import Postcode
from src_app.accounts.models import User
from src_app.audit.models import AuditEntry
from tests.conftest import World
from tests.factories import PostcodeFactory

ROWS = 50_000
# Every tenth row is of the ward; of those every fifth has ended.
LIVE = 4_000


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "directory.csv"
        path.write_text(text, encoding="utf-8-sig")
        return path

    return written


def directory(ward: str) -> str:
    """50,000 rows of 50 columns; every tenth is of the ward, and of those every fifth has ended."""
    columns = ["pcd", "pcd2", "pcds", "dointr", "doterm", "oscty", "osward", *(f"c{n}" for n in range(43))]
    filler = ",".join(["x"] * 43)
    rows = []
    for number in range(ROWS):
        letters = "".join(chr(65 + number // 20**place % 20) for place in (1, 0))
        pcds = f"SW{number // 4000} {number // 400 % 10}{letters}"
        ours = number % 10 == 0
        ended = "202001" if ours and number % 50 == 0 else ""
        rows.append(f"{pcds},{pcds},{pcds},198001,{ended},E99,{ward if ours else 'S13002919'},{filler}")
    return "\n".join([",".join(columns), *rows, ""])


def test_a_directory_of_fifty_columns_and_fifty_thousand_rows(
    world: World, write: Callable[[str], Path], capsys: Any
) -> None:
    PostcodeFactory.create(pcds="EH1 1AA", ward=world.wards[0])
    call_command("load_postcodes", write(directory(world.wards[1].code)), "--json")
    assert json.loads(capsys.readouterr().out) == {
        "rows": ROWS,
        "postcodes": LIVE,
        "added_or_moved": LIVE,
        "removed": 1,
        "without_postcode": sorted(
            ward.code for ward in [*world.wards, world.north_ward] if ward != world.wards[1]
        ),
        "recoded": {},
    }
    assert Postcode.objects.filter(ward=world.wards[1]).count() == LIVE
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.origin) == (User.objects.system(), "command load_postcodes")


def test_without_json_a_person_can_read_it(world: World, write: Callable[[str], Path], capsys: Any) -> None:
    path = write(f"pcds,doterm,osward\nSW17 9AA,,{world.wards[0].code}\n")
    call_command("load_postcodes", path)
    said, *wards = capsys.readouterr().out.splitlines()
    assert said == "1 rows read, 1 postcodes known: 1 added or moved, 0 removed."
    assert f"No postcode leads to the ward {world.wards[1].code}." in wards


def test_a_folder_of_parts_is_one_directory(world: World, tmp_path: Path, capsys: Any) -> None:
    for number, ward in enumerate(world.wards):
        (tmp_path / f"part{number}.csv").write_text(
            f"pcds,doterm,wd26cd\nSW17 9A{'ABDEFG'[number]},,{ward.code}\n"
        )
    call_command("load_postcodes", tmp_path)
    assert Postcode.objects.count() == len(world.wards)
    with pytest.raises(CommandError, match="Wandsworth would lose all postcodes"):
        call_command("load_postcodes", tmp_path / "part0.csv")
    call_command("load_postcodes", tmp_path / "part0.csv", "--replace-only-areas-in-file")
    assert Postcode.objects.count() == 1


def test_a_folder_without_a_file_is_exit_2(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no CSV file") as caught:
        call_command("load_postcodes", tmp_path)
    assert caught.value.returncode == 2


def test_a_missing_column_is_exit_2_and_the_postcodes_stay(
    world: World, write: Callable[[str], Path]
) -> None:
    PostcodeFactory.create(pcds="SW17 9AA", ward=world.wards[0])
    with pytest.raises(CommandError, match="no column osward") as caught:
        call_command("load_postcodes", write("pcds,doterm\nSW17 9AB,\n"))
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)
    assert Postcode.objects.count() == 1


def test_a_file_that_is_not_text_is_exit_2_and_the_postcodes_stay(world: World, tmp_path: Path) -> None:
    path = tmp_path / "directory.zip"
    path.write_bytes(b"PK\x03\x04\xff\xfe\xff")
    PostcodeFactory.create(pcds="SW17 9AA", ward=world.wards[0])
    with pytest.raises(CommandError) as caught:
        call_command("load_postcodes", path)
    assert caught.value.returncode == 2
    assert Postcode.objects.count() == 1


def test_no_such_file_is_exit_2(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file") as caught:
        call_command("load_postcodes", tmp_path / "none.csv")
    assert caught.value.returncode == 2
