"""The bench at its smallest: everything is measured, each beside what it is compared with."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from bench.allocation import GROWING, TIMES_BARE
from bench.figures import Times
from bench.mail import LEAST_OF_BARE
from bench.run import NAMES, PAGE_NAMES
from referrals.rules.trial.allocation import Scheme
from tests.patience import patience

# One run for all of them, in whichever worker.
pytestmark = pytest.mark.xdist_group("bench")
ROOT = Path(__file__).resolve().parents[2]


def _bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-m", "bench", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(600),
    )


@pytest.fixture(scope="module")
def report(django_db_modify_db_settings: None) -> dict[str, Any]:
    """A run in databases of its own, on the tests' server, with history above the small size."""
    sizes = ("--rows", "1600", "--small", "1000", "--import-rows", "150", "--postcodes", "3000")
    allocated = ("--messages", "50", "--units", "30", "--later", "60")
    migrated = ("--migrated", django_settings.DATABASES["default"]["TEST"]["TEMPLATE"])
    ran = _bench(*sizes, *allocated, *migrated, "--repetitions", "1", "--json", "--explain")
    assert ran.returncode in (0, 1), ran.stderr
    assert ran.stdout, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    assert bool(found["missed"]) == (ran.returncode == 1)
    return found


@pytest.fixture
def others(report: dict[str, Any]) -> dict[str, Any]:
    """What was measured besides pages, by name."""
    found = {each["name"]: each for each in report["others"]}
    # An allocation is measured under each scheme's name.
    assert {*NAMES} - {*PAGE_NAMES, "allocation"} <= found.keys()
    return found


def test_every_page_is_measured_beside_its_rendering_its_sql_and_the_small_size(
    report: dict[str, Any],
) -> None:
    assert [page["name"] for page in report["pages"]] == list(PAGE_NAMES)
    for page in report["pages"]:
        for name in (
            "page",
            "rendering_from_memory",
            "served_from_memory",
            "sql_by_hand",
            "page_at_small_size",
        ):
            assert page["milliseconds"][name]["median"] > 0, (page["name"], name)
        for name in ("page_to_rendering", "page_to_served_from_memory", "page_to_sql_and_rendering"):
            assert page["ratios"][name] > 0
        # Only what shows as many rows has grown or not.
        assert (page["ratios"]["large_to_small"] is not None) == (page["rows"] == page["rows_at_small_size"])
        assert (page["ratios"]["deep_to_first"] is not None) == page["name"].endswith(("_middle", "_end"))
        assert page["plans"], page["name"]
        assert all("Planning Time" in "\n".join(plan["plan"]) for plan in page["plans"])


def test_no_list_is_measured_empty(report: dict[str, Any]) -> None:
    few = {page["name"] for page in report["pages"] if not page["rows"]}
    # So small a history may hold nothing of a ward and a fortnight.
    assert few <= {"case_list_ward_usual_service", "case_list_ward_not_suitable_dates"}


def test_the_counts_of_compliance_are_measured_beside_a_full_scan(others: dict[str, Any]) -> None:
    counts = others["compliance_counts"]
    pages = {f"{page}{size}" for page in ("in detail", "patterns") for size in ("", " at the small size")}
    assert set(counts["milliseconds"]) == {
        *("counts", "full scan", "counts at the small size", "an attempt, until it is counted"),
        *pages,
    }
    assert counts["ratios"]["scan_to_counts"] > 0
    assert counts["ratios"]["large_to_small"] > 0


def test_imports_are_measured_beside_a_copy_of_their_rows(others: dict[str, Any]) -> None:
    imported, loaded = others["import"], others["load_postcodes"]
    assert imported["written"]["referrals_case"] == imported["written"]["referrals_caseevent"] == 150
    assert (
        imported["ratios"]["import_to_copy_of_case_rows"]
        > imported["ratios"]["import_to_copy_of_all_rows"]
        > 0
    )
    assert (loaded["rows"], loaded["kept"] > 0) == (3_000, True)
    assert loaded["ratios"]["load_to_reading_and_copy"] > 0
    assert all(megabytes > 0 for megabytes in loaded["peak_memory_megabytes"].values())


def test_the_sweep_of_the_outbox_is_measured_beside_a_bare_loop(others: dict[str, Any]) -> None:
    mail = others["mail"]
    assert mail["rows"] == 50
    ratio = mail["ratios"]["sweep_rate_to_bare_rate"]
    assert ratio > 0
    assert bool(mail["missed"]) == (ratio < LEAST_OF_BARE)


def test_each_scheme_is_measured_beside_a_bare_transaction_and_later_where_it_grows_dearer(
    others: dict[str, Any],
) -> None:
    allocated = {name: each for name, each in others.items() if name.startswith("allocation by ")}
    assert [name.removeprefix("allocation by ") for name in allocated] == [
        *(f"{scheme.value}, units 21 to 50" for scheme in Scheme),
        *(f"{scheme.value}, units 81 to 110" for scheme in GROWING),
    ]
    for each in allocated.values():
        whole, alone, bare = (times["median"] for times in each["milliseconds"].values())
        # An allocation is a part of its case, and makes more than one statement.
        assert whole > alone > bare > 0
        assert each["ratios"]["case_to_bare"] > each["ratios"]["allocation_to_bare"] > 1
        assert each["statements_a_case"] > 5
        assert bool(each["missed"]) == (each["ratios"]["allocation_to_bare"] > TIMES_BARE)


def test_every_case_was_made_with_what_follows_from_it(report: dict[str, Any]) -> None:
    """Made with every check, foreign key and trigger in force; the run compares the counts itself."""
    small, large = report["made"]
    assert (small["rows"]["referrals_case"], large["rows"]["referrals_case"]) == (1_000, 1_600)
    for table in ("referral", "contactattempt", "decision", "notification", "allocation", "followup"):
        assert large["rows"][f"referrals_{table}"] >= small["rows"][f"referrals_{table}"] > 0, table


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing_such"], "Nothing called nothing_such is measured; --list names what is."),
        (["--rows", "10"], "At least 1,000 cases are needed."),
        (["--rows", "many"], "argument --rows: invalid int value: 'many'"),
    ],
)
def test_what_cannot_be_measured_ends_with_2_and_one_line(arguments: list[str], said: str) -> None:
    ran = _bench(*arguments)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"script/bench: {said}\n")


def test_a_ratio_is_that_of_most_rounds_whatever_one_slow_moment_did() -> None:
    page, beside, more = Times([0.2, 0.2, 9.0]), Times([0.1, 0.1, 0.1]), Times([0.1, 0.1, 0.1])
    assert page.to(beside) == pytest.approx(2)
    assert page.to(beside, more) == pytest.approx(1)


def test_the_spread_lies_around_the_median() -> None:
    told = Times([0.001, 0.002, 0.003, 0.004, 0.100]).as_json()
    assert (told["fastest"], told["median"]) == (1.0, 3.0)
    assert told["lower"] < told["median"] < told["upper"]
