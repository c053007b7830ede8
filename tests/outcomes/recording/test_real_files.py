"""Files of outcomes as disposal systems really write them, by command."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from outcomes.models import RecordedOutcome
from outcomes.recording.reference import load_outcome_codes
from referrals.places.actions.wards import load_places
from src_app.accounts.models import User
from tests.extracts import REAL_FILES as FILES


@pytest.fixture(autouse=True)
def morning(system: User) -> Any:
    """The morning after the last day in the files, with the real wards and the 22 codes."""
    load_places(by=system)
    load_outcome_codes(by=system)
    with time_machine.travel(datetime(2026, 11, 28, 7, 30, tzinfo=UTC), tick=False):
        yield


def _take(capsys: Any, command: str, file: str) -> dict[str, Any]:
    capsys.readouterr()
    call_command(command, str(FILES / file), "--json")
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.mark.parametrize(
    ("file", "codes", "are_days"),
    [
        ("outcome-2a-3a/outcomes-alternate.csv", [1, 1, 2, 2, 3, 3, 3, 2], False),
        ("outcome-files/a-other-headings.csv", [16], False),
        ("outcome-files/b-day-only.csv", [16, 18, 14], True),
        ("outcome-files/c-code-as-words-or-decimal.csv", [16, 16, 16, 16], False),
        ("outcome-files/d-day-only.xlsx", None, True),
        ("outcome-reopened/1-closed.csv", [18, 18, 18], False),
    ],
)
def test_codes_days_and_headings_are_read_as_they_are_written(
    capsys: Any, file: str, codes: list[int] | None, are_days: bool
) -> None:
    _take(capsys, "import_cases", f"{file.split('/')[0]}/extract.csv")
    report = _take(capsys, "import_outcomes", file)
    assert (report["new"], report["rejected"]) == (report["rows"], 0)
    kept = RecordedOutcome.objects.order_by("pk")
    assert codes is None or list(kept.values_list("code", flat=True)) == codes
    assert set(kept.values_list("is_day", flat=True)) == {are_days}
    assert _take(capsys, "import_outcomes", file)["unchanged"] == report["rows"] > 0


def test_what_was_closed_and_is_open_again_has_no_outcome(capsys: Any) -> None:
    _take(capsys, "import_cases", "outcome-reopened/extract.csv")
    for file in ("1-closed", "2-open-again"):
        assert _take(capsys, "import_outcomes", f"outcome-reopened/{file}.csv")["new"] == 3
    latest = RecordedOutcome.objects.order_by("case", "-recorded_at").distinct("case")
    assert list(latest.values_list("code", flat=True)) == [None, None, None]
