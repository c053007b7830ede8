"""``trial_check TRIAL``: each tampering, by SQL as the tables' owner with triggers off, is named."""

import json
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from referrals.models import Allocation, Case, Submission, Trial
from referrals.rules.trial.seal import chain_hash, chain_key
from referrals.trial.actions.allocate import chained
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.keys import seal_seed
from tests.database import tampering
from tests.factories import NOW, SEED, AllocationFactory, CaseFactory

UNITS = 9


@pytest.fixture
def allocated(
    trial: Trial, make_case: Callable[..., Case], submit_all: Callable[..., Submission]
) -> list[Allocation]:
    """Eight units, and a report linked to the fourth."""
    cases = [make_case(victim_hash=f"{n:064}") for n in range(UNITS - 1)]
    submit_all(*cases)
    submit_all(make_case(victim_hash=cases[3].victim_hash))
    return list(Allocation.objects.order_by("number"))


def check(*heads: Path) -> dict[str, Any]:
    out = StringIO()
    arguments = [part for path in heads for part in ("--head", str(path))]
    with suppress(SystemExit):  # where something differs
        call_command("trial_check", "Pilot", *arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.fixture
def head(allocated: list[Allocation], tmp_path: Path) -> Path:
    """The head as a registrar noted it."""
    path = tmp_path / "head.json"
    with path.open("w") as file:
        call_command("trial_head", "Pilot", stdout=file)
    return path


def chained_again(rows: list[Allocation], seed: bytes) -> None:
    """Gives the rows the hashes that whoever holds the seed can work out."""
    key, previous = chain_key(seed, rows[0].trial.protocol_digest), ""
    for row in rows:
        row.previous_hash, row.row_hash = previous, chain_hash(key, previous=previous, row=chained(row))
        previous = row.row_hash


def test_what_was_allocated_is_verified_and_no_arm_is_shown(
    allocated: list[Allocation], head: Path, trial: Trial
) -> None:
    found = check(head)
    assert (found["result"], found["problem"]) == ("verified", None)
    assert (found["checked"]["allocations"], found["checked"]["followers"]) == (UNITS, 1)
    assert found["checked"]["heads"] == 1
    assert "control" not in json.dumps(found)
    assert SEED.hex() not in json.dumps(found)
    assert AuditEntry.objects.filter(action=Action.DOWNLOADED, fields=["check"]).count() == 1


def test_a_person_reads_what_is_proved_and_what_is_not(allocated: list[Allocation]) -> None:
    out = StringIO()
    call_command("trial_check", "Pilot", stdout=out)
    assert "VERIFIED" in out.getvalue()
    assert "Without heads, allocations may have been removed from the end." in out.getvalue()


def test_an_arm_that_is_swapped_is_named(allocated: list[Allocation]) -> None:
    with tampering():
        other = "control" if allocated[2].arm == "src" else "src"
        Allocation.objects.filter(number=3).update(arm=other)
    assert check()["allocation"] == 3


def test_an_arm_that_is_swapped_by_who_holds_the_seed_is_named(allocated: list[Allocation]) -> None:
    with tampering():
        allocated[5].arm = "control" if allocated[5].arm == "src" else "src"
        chained_again(allocated, SEED)
        for row in allocated:
            Allocation.objects.filter(pk=row.pk).update(
                arm=row.arm, row_hash=row.row_hash, previous_hash=f"{row.number}"
            )
        for row in allocated:
            Allocation.objects.filter(pk=row.pk).update(previous_hash=row.previous_hash)
    assert check()["allocation"] == 6


@pytest.mark.parametrize(("deleted", "without_heads"), [((5,), 5), ((8, 9), None)])
def test_a_row_that_is_deleted_is_named_given_the_heads(
    allocated: list[Allocation], head: Path, deleted: tuple[int, ...], without_heads: int | None
) -> None:
    with tampering(), connection.cursor() as cursor:
        for table in ("referrals_unitkey", "referrals_referral"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table in ("notification", "referral", "unitkey", "allocation"):
            column = {"unitkey": "allocation_id", "referral": "allocation_id", "allocation": "id"}.get(table)
            rows = "SELECT id FROM referrals_allocation WHERE number = ANY(%s)"
            if column is None:
                column = "referral_id"
                rows = f"SELECT id FROM referrals_referral WHERE allocation_id IN ({rows})"
            cursor.execute(f"DELETE FROM referrals_{table} WHERE {column} IN ({rows})", [list(deleted)])
        for table in ("referrals_unitkey", "referrals_referral"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    found = check()
    assert found["allocation"] == without_heads
    assert check(head)["problem"]


def test_a_row_that_is_added_is_named(allocated: list[Allocation], trial: Trial) -> None:
    last = allocated[-1]
    with tampering():
        AllocationFactory.create(
            trial=trial,
            number=UNITS + 1,
            stratum=allocated[0].stratum,
            position=UNITS,
            case=CaseFactory.create(),
            submission=last.submission,
            previous_hash=last.row_hash,
        )
    assert check()["allocation"] == UNITS + 1


def test_units_exchanged_with_their_hashes_by_who_holds_the_seed_are_found_given_the_heads(
    allocated: list[Allocation], head: Path
) -> None:
    """Two victims given each other's arm: every arm still follows from its position."""
    one, other = next((a, b) for a in allocated[:3] for b in allocated[4:8] if a.arm != b.arm)
    spare = CaseFactory.create()
    exchanged = ("case", "unit", "salt", "case_digest", "moment_digest", "allocated_at")
    of_one, of_other = ({name: getattr(row, name) for name in exchanged} for row in (one, other))
    with tampering():
        Allocation.objects.filter(pk=one.pk).update(case=spare, unit="0" * 32)
        for row, given in ((other, of_one), (one, of_other)):
            Allocation.objects.filter(pk=row.pk).update(**given)
            for name, value in given.items():
                setattr(row, name, value)
        chained_again(allocated, SEED)
        for row in allocated:
            Allocation.objects.filter(pk=row.pk).update(previous_hash=f"{row.number}")
        for row in allocated:
            Allocation.objects.filter(pk=row.pk).update(
                previous_hash=row.previous_hash, row_hash=row.row_hash
            )
    assert check()["result"] == "verified"
    assert "head" in check(head)["problem"].lower()


def test_cases_that_are_exchanged_are_named(allocated: list[Allocation]) -> None:
    one, other = allocated[1], allocated[6]
    spare = CaseFactory.create()
    with tampering():
        for row, case in ((one, spare), (other, one.case), (one, other.case)):
            Allocation.objects.filter(pk=row.pk).update(case=case)
    found = check()
    assert found["allocation"] == 2
    assert "not of the case" in found["problem"]


def test_a_time_that_is_changed_is_named(allocated: list[Allocation]) -> None:
    with tampering():
        Allocation.objects.filter(number=7).update(allocated_at=NOW.replace(hour=9))
    with pytest.raises(SystemExit) as ended:
        call_command("trial_check", "Pilot", stdout=StringIO())
    assert ended.value.code == 1
    found = check()
    assert (found["allocation"], "at the time" in found["problem"]) == (7, True)


@pytest.mark.parametrize("change", [{"stratum": "E09000032"}, {"levels": {"borough": "x"}}])
def test_what_was_frozen_of_a_unit_and_is_changed_is_named(
    allocated: list[Allocation], change: dict[str, Any]
) -> None:
    with tampering():
        Allocation.objects.filter(number=4).update(**change)
    assert check()["allocation"] == 4


@pytest.mark.parametrize(
    "change",
    [{"protocol": {"name": "Another"}}, {"seed_encrypted": seal_seed(bytes(32))}],
    ids=("protocol", "seed"),
)
def test_a_protocol_or_a_seed_that_is_changed_breaks_the_commitment(
    allocated: list[Allocation], trial: Trial, change: dict[str, Any]
) -> None:
    with tampering():
        Trial.objects.filter(pk=trial.pk).update(**change)
    found = check()
    assert (found["result"], found["allocation"]) == ("different", None)
    assert "commitment" in found["problem"]


def test_a_key_that_is_lost_is_told_in_one_line(
    allocated: list[Allocation], settings: Any, system: User
) -> None:
    settings.TRIAL_SEAL_KEYS = ["k" * 43 + "="]
    with pytest.raises(CommandError, match="None of the configured keys opens this") as refused:
        check()
    assert refused.value.returncode == 2


def test_a_file_that_holds_no_head_is_told_in_one_line(allocated: list[Allocation], tmp_path: Path) -> None:
    (tmp_path / "head.json").write_text("[")
    with pytest.raises(CommandError, match=r"head\.json") as refused:
        check(tmp_path / "head.json")
    assert refused.value.returncode == 2
