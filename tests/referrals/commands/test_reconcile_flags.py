"""``reconcile_flags FILE [--bcu CODE] [--taken-on DAY] [--json] [--confirm]``."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from referrals.models import Arm, Referral
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import NOW, AllocationFactory

MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")


def _list(tmp_path: Path, *references: str) -> str:
    path = tmp_path / "flags.csv"
    path.write_text("\n".join(["Crime reference", *references]))
    return str(path)


def _run(*arguments: str, status: int = 0) -> str:
    out = io.StringIO()
    if status:
        with pytest.raises(SystemExit) as ended:
            call_command("reconcile_flags", *arguments, "--bcu", "SW", stdout=out)
        assert ended.value.code == status
    else:
        call_command("reconcile_flags", *arguments, "--bcu", "SW", stdout=out)
    return out.getvalue()


def test_it_gives_every_list_as_json_and_ends_with_1_where_a_flag_is_wrong(
    world: World, make_referral: MakeReferral, tmp_path: Path
) -> None:
    one, missing = make_referral(), make_referral()
    control = AllocationFactory.create(arm=Arm.CONTROL, case__ward=world.wards[0]).case
    path = _list(tmp_path, one.case.crime_reference, control.crime_reference, "99/1/26")
    assert json.loads(_run(path, "--json", status=1)) == {
        "taken_on": "2026-11-23",
        "references": 3,
        "unknown_here": 1,
        "missing": [missing.case.crime_reference],
        "not_confirmed": [one.case.crime_reference],
        "to_remove": [],
        "off": [],
        "extra": [control.crime_reference],
        "matching": [],
    }
    told = _run(path, status=1)
    assert (
        "3 references: 1 not flagged there but should be, 1 flagged there and not confirmed here, 0 to remove"
        in " ".join(told.split())
    )
    assert missing.number in told
    assert "control" not in told.lower()
    entry = AuditEntry.objects.filter(action=Action.FLAGS_COMPARED).latest("pk")
    assert (entry.origin, entry.rows) == ("command reconcile_flags", 3)


def test_with_confirm_it_records_what_the_list_shows(
    make_referral: MakeReferral, world: World, hcop: User, system: User, tmp_path: Path
) -> None:
    before = NOW - timedelta(days=2)
    set_by: dict[str, Any] = {"flag_confirmed_at": before, "flag_confirmed_by": hcop, "ruled_out_since": NOW}
    one, off, north = make_referral(), make_referral(**set_by), make_referral(ward=world.north_ward)
    path = _list(tmp_path, one.case.crime_reference, north.case.crime_reference)
    told = json.loads(_run(path, "--json"))
    assert (told["not_confirmed"], told["unknown_here"]) == ([one.case.crime_reference], 1)
    assert "confirmed" not in told
    told = json.loads(_run(path, "--json", "--confirm"))
    assert (told["confirmed"], told["removed"]) == (1, 1)
    for referral in (one, off, north):
        referral.refresh_from_db()
    assert (one.flag_confirmed_by, off.flag_removed_by, north.flag_confirmed_by) == (system, system, None)
    assert "0 confirmed" in _run(path, "--confirm")


def test_what_cannot_be_compared_ends_with_2(world: World, tmp_path: Path) -> None:
    wrong, good = tmp_path / "wrong.csv", _list(tmp_path, "01/1/26")
    wrong.write_text("Ward\nAbbey\n")
    for arguments, says in (
        ([str(wrong), "--bcu", "SW"], "No column holds crime references"),
        ([str(tmp_path / "none.csv"), "--bcu", "SW"], "No such file"),
        ([good], "name one with --bcu"),
        ([good, "--bcu", "SW", "--taken-on", "2026-11-24"], "today or earlier"),
    ):
        with pytest.raises(CommandError, match=says) as caught:
            call_command("reconcile_flags", *arguments)
        assert caught.value.returncode == 2
