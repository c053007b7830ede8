"""Memory does not grow with a file: measured on the same rows, a few and many."""

import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from referrals.intake.reading.content import Content
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu
from src_app.accounts.models import User
from tests.extracts import extract, row
from tests.factories import NOW

FEW, MANY = 6_000, 20_000


@pytest.fixture
def peak_of(bcu: Bcu, system: User, tmp_path: Path) -> Callable[[int, int], int]:
    """The most memory, in bytes, that importing so many rows takes up in this process."""

    def measure(first: int, count: int) -> int:
        path = tmp_path / f"{count}.csv"
        path.write_bytes(extract(*(row(number) for number in range(first, first + count))))
        tracemalloc.start()
        try:
            fates = import_cases(
                content=Content.at(path), bcu=bcu, by=system, at=NOW + timedelta(hours=1), listed=200
            )
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert fates.new == count
        return peak

    return measure


def test_three_times_the_rows_take_no_more_memory(peak_of: Callable[[int, int], int]) -> None:
    peak_of(0, FEW)  # what is loaded once is loaded
    few = peak_of(100_000, FEW)
    many = peak_of(200_000, MANY)
    assert many < 1.2 * few, f"{FEW:,} rows took {few:,} bytes, {MANY:,} rows {many:,}"
