"""Memory does not grow with a file: measured on few rows and on many of the same kind.

Whatever is read or written piece by piece has pieces of a twentieth of their size, so that a short file has
many; with ``script/test --thorough`` both have their true size. Found is anything that keeps a row's cells.
"""

import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from referrals.intake.saving import staging
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu
from referrals.table_files import text
from referrals.table_files.content import Content
from src_app.accounts.models import User
from src_app.audit.record import MOST_REFERENCES
from tests.extracts import extract, row
from tests.factories import NOW
from tests.thorough import THOROUGH, repeated

FEW, MANY = repeated(500, 6_000), repeated(2_500, 20_000)


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    if not THOROUGH:
        monkeypatch.setattr(staging, "BATCH", staging.BATCH // 20)
        monkeypatch.setattr(text, "_PIECE", text._PIECE // 20)
        monkeypatch.setattr("referrals.intake.saving.preview.MOST_REFERENCES", MOST_REFERENCES // 20)


@pytest.fixture
def peak_of(bcu: Bcu, system: User, tmp_path: Path) -> Callable[[int, int], int]:
    """The most memory, in bytes, that importing so many rows takes up in this process."""

    def measure(first: int, count: int) -> int:
        path = tmp_path / f"{count}.csv"
        path.write_bytes(extract(*(row(number) for number in range(first, first + count))))
        tracemalloc.start()
        try:
            found = import_cases(
                content=Content.at(path), bcu=bcu, by=system, at=NOW + timedelta(hours=1), listed=200
            )
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert found.new == count
        return peak

    return measure


def test_three_times_the_rows_take_no_more_memory(peak_of: Callable[[int, int], int]) -> None:
    peak_of(0, FEW)  # what is loaded once is loaded
    few = peak_of(100_000, FEW)
    many = peak_of(200_000, MANY)
    assert many < 1.2 * few, f"{FEW:,} rows took {few:,} bytes, {MANY:,} rows {many:,}"
