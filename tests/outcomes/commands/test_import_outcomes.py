"""``import_outcomes``."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from outcomes.models import RecordedOutcome
from referrals.models import Case
from src_app.audit.models import Action, AuditEntry
from tests.factories import NOW, OutcomeCodeFactory

Run = Callable[..., tuple[str, int]]
GOOD = "crime_reference,outcome_code,recorded_at\n01/7000001/26,16,20/11/2026 14:05\n"
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def run(make_case: Callable[..., Case], tmp_path: Path) -> Run:
    """Runs the command over this content; returns what it printed and its exit status."""
    make_case(crime_reference="01/7000001/26", reported_at=NOW - timedelta(days=9))
    OutcomeCodeFactory.create(code=16)

    def run(content: str, **options: Any) -> tuple[str, int]:
        path = tmp_path / "outcomes.csv"
        path.write_text(content)
        out = io.StringIO()
        try:
            call_command("import_outcomes", str(path), stdout=out, **options)
        except SystemExit as ended:
            return out.getvalue(), int(str(ended.code))
        return out.getvalue(), 0

    return run


def test_it_prints_the_counts_as_json_alone(run: Run) -> None:
    output, status = run(GOOD, json=True)
    assert status == 0
    assert json.loads(output) == {
        "rows": 1,
        "new": 1,
        "unchanged": 0,
        "opened": 0,
        "rejected": 0,
        "rejections": [],
    }
    output, _ = run(GOOD, json=True)
    assert json.loads(output)["unchanged"] == 1
    assert RecordedOutcome.objects.count() == 1
    assert AuditEntry.objects.filter(
        action=Action.OUTCOMES_IMPORTED, origin="command import_outcomes"
    ).exists()


def test_rejected_rows_are_a_finding(run: Run) -> None:
    output, status = run(f"{GOOD}01/7000002/26,16,20/11/2026 14:05\n", json=True)
    assert status == 1
    assert json.loads(output)["rejections"] == [
        {
            "line": 3,
            "column": "crime_reference",
            "value": "01/7000002/26",
            "reason": "No case here has this reference: check it on the crime record.",
        }
    ]


def test_it_prints_a_table_for_people(run: Run) -> None:
    output, status = run(f"{GOOD}01/7000001/26,77,20/11/2026 14:05\n")
    assert status == 1
    assert "2 rows, 1 new, 0 unchanged, 1 rejected" in output
    assert "outcome_code" in output


def test_a_file_that_cannot_be_read_is_bad_input(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="recorded_at is not there") as caught:
        run("crime_reference,outcome_code\n")
    assert caught.value.returncode == 2
    with pytest.raises(CommandError, match="No such file") as caught:
        call_command("import_outcomes", str(tmp_path / "none.csv"))
    assert caught.value.returncode == 2
