"""``trial_export TRIAL`` and ``trial_head TRIAL``."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from referrals.models import Allocation, Case, Submission, Trial, TrialStatus
from referrals.rules.trial.seal import commitment
from referrals.trial.bundle import export_trial, head_of
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.keys import open_seed
from tests.conftest import World
from tests.factories import NOW, SEED, TrialFactory, advance


def run(command: str, trial: str) -> Any:
    out = StringIO()
    call_command(command, trial, stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def allocated(
    trial: Trial, make_case: Callable[..., Case], submit_all: Callable[..., Submission]
) -> list[Allocation]:
    submit_all(*[make_case() for _ in range(5)])
    return list(Allocation.objects.order_by("number"))


def test_the_bundle_shows_the_chain_and_neither_arm_nor_seed(
    trial: Trial, allocated: list[Allocation]
) -> None:
    bundle = run("trial_export", "Pilot")
    assert bundle["protocol"] == trial.protocol
    seed = open_seed(trial.seed_encrypted)
    assert bundle["commitment"] == commitment(bundle["protocol"], seed)
    assert bundle["allocations"] == [
        {"number": row.number, "previous": row.previous_hash, "hash": row.row_hash} for row in allocated
    ]
    assert bundle["seed"] is None
    assert seed.hex() not in json.dumps(bundle)


def test_after_the_reveal_it_shows_seed_and_arms_and_anybody_can_replay_it(
    trial: Trial, allocated: list[Allocation], trial_lead: User, tmp_path: Path
) -> None:
    advance(trial, TrialStatus.REVEALED, by=trial_lead)
    bundle = run("trial_export", "Pilot")
    assert bundle["seed"] == SEED.hex()
    assert [row["arm"] for row in bundle["allocations"]] == [row.arm for row in allocated]
    for row in allocated:
        assert row.case.crime_reference not in json.dumps(bundle)
        assert row.salt not in json.dumps(bundle)
    path, out = tmp_path / "bundle.json", StringIO()
    path.write_text(json.dumps(bundle))
    call_command("trial_verify", str(path), "--json", stdout=out)
    assert json.loads(out.getvalue())["result"] == "verified"


def test_the_head_is_the_count_and_the_last_hash(trial: Trial, allocated: list[Allocation]) -> None:
    head = run("trial_head", "Pilot")
    assert head["commitment"] == trial.commitment
    assert [(each["count"], each["hash"]) for each in head["heads"]] == [(5, allocated[-1].row_hash)]


def test_a_trial_without_allocations_has_an_empty_head(trial: Trial) -> None:
    assert [(each["count"], each["hash"]) for each in run("trial_head", "Pilot")["heads"]] == [(0, "")]


@pytest.mark.parametrize("command", ["trial_export", "trial_head"])
def test_a_trial_that_is_not_there_is_refused_naming_those_that_are(trial: Trial, command: str) -> None:
    with pytest.raises(CommandError, match=r"There is no trial Other. Known: Pilot.") as refused:
        call_command(command, "Other")
    assert refused.value.returncode == 2


def test_only_its_lead_may_and_each_time_is_on_record(
    trial: Trial, trial_lead: User, hcop: User, world: World
) -> None:
    elsewhere = TrialFactory.create(bcu=world.north)
    with pytest.raises(NotAllowed):
        export_trial(trial=trial, by=hcop)
    with pytest.raises(NotAllowed):
        head_of(trial=elsewhere, by=trial_lead, at=NOW)
    assert not AuditEntry.objects.filter(action=Action.DOWNLOADED).exists()
    export_trial(trial=trial, by=trial_lead)
    head_of(trial=trial, by=trial_lead, at=NOW)
    entries = AuditEntry.objects.filter(action=Action.DOWNLOADED, actor=trial_lead, subject="trial")
    assert [entry.fields for entry in entries.order_by("pk")] == [["allocations"], ["head"]]
