"""Cells of files that a spreadsheet opens, and programs read again."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from src_app.lists.cells import as_it_was, harmless
from src_app.lists.download import csv_line

SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207a\u207c\u2212"
# Blanks, and what cannot be seen: zero-width and direction signs, a byte order mark, NUL.
BEFORE = " \u00a0\u2003\u3000\u2028\x0b\x00\x1f\x85\u200b\u200d\u2060\u00ad\u202a\ufeff\u3164\ufe0f'"
HARMLESS = ("SRC-2026-000001", "01/7654321/26", "a=1", "'tis", " x - y", "(-1)", "", " ", "'", "\u200b", "5")

blanks = st.text(st.sampled_from(BEFORE), max_size=5)


@given(blanks, st.sampled_from(SIGNS), st.text())
def test_what_a_spreadsheet_would_run_has_an_apostrophe_before_it(before: str, sign: str, rest: str) -> None:
    cell = f"{before}{sign}{rest}"
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", HARMLESS)
def test_every_other_text_stays_as_it_is(cell: str) -> None:
    assert harmless(cell) == cell


@given(st.one_of(st.text(), st.builds("{}{}{}".format, blanks, st.sampled_from(SIGNS), st.text())))
@example("'=1+1")
@example("''\uff1d1")
@example("' \t")
def test_a_program_that_reads_the_cell_again_has_what_was_written(cell: str) -> None:
    assert as_it_was(harmless(cell)) == cell


@given(st.lists(st.one_of(st.text(), st.integers(), st.decimals(allow_nan=False), st.floats()), min_size=1))
def test_a_line_holds_each_cell_as_it_was_and_numbers_as_numbers(
    cells: list[str | int | float | Decimal],
) -> None:
    written = csv_line(cells)
    [line] = csv.reader(io.StringIO(written, newline=""))
    for cell, read in zip(cells, line, strict=True):
        assert read == (harmless(cell) if isinstance(cell, str) else str(cell))


def test_a_number_keeps_its_sign() -> None:
    assert csv_line([-5, Decimal("-1.50"), 0.25, None, "-5"]) == "-5,-1.50,0.25,,'-5\r\n"
