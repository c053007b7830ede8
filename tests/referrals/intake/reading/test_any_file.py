"""Whatever is sent: a sentence, or rows whose counts add up; never a traceback and never a part of a row."""

import csv
import io
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referrals.intake.reading.columns import Column
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case
from referrals.table_files.text import NotATable
from src_app.accounts.models import User
from tests.factories import NOW
from tests.referrals.intake.read_files import Reading, read_extract
from tests.thorough import repeated
from tests.workbooks import Cell, xlsx

# Rows that are lost, doubled or end in a traceback are found within some hundred examples.
MANY = settings(max_examples=repeated(500, 10_000))
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")
# Mostly what a cell may hold, now and then anything at all.
CELLS = st.one_of(
    st.sampled_from(["", "01/1234567/26", "01/1234568/26", "22/11/2026 18:07", "30/10/2022 01:30", "Y"]),
    st.sampled_from(
        ["Incident", "State", "Race; Disability", "SW19 7QP", "=1+1", "46348.75", '"', "two\nlines"]
    ),
    st.text(max_size=30),
)
ANY_ROWS = st.lists(CELLS, min_size=1, max_size=len(Column) + 1)
ROWS = st.lists(ANY_ROWS, max_size=4)
# Rows that mostly come in, of few references, so that one file changes what another made.
WHOLE_ROWS = st.builds(
    lambda number, cells: [f"01/{number}/26", "22/11/2026 18:07", *cells],
    st.integers(7_300_000, 7_300_060),
    st.lists(CELLS, min_size=len(Column) - 2, max_size=len(Column) - 2),
)
SHEET: list[list[Cell]] = [["Crime No", "Reported", "Repeat"], ["01/1234567/26", 46348.75, True]]


def _file(rows: list[list[str]], separator: str = ",") -> str:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=separator).writerows([list(Column), *rows])
    return written.getvalue()


def _adds_up(reading: Reading) -> None:
    assert reading.rows == len(reading.good) + reading.rejected
    assert reading.rejected == len({rejection.line for rejection in reading.rejections})


@MANY
@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    with suppress(NotATable):
        _adds_up(read_extract(content, at=NOW))


@MANY
@given(ROWS, st.sampled_from(ENCODINGS), st.sampled_from([",", ";", "\t"]))
def test_any_cells_have_a_fate(rows: list[list[str]], encoding: str, separator: str) -> None:
    content = _file(rows, separator).encode(encoding, errors="replace")
    with suppress(NotATable):
        _adds_up(read_extract(content, at=NOW))


@settings(max_examples=repeated(50, 250))
@given(st.data())
def test_a_damaged_spreadsheet_is_a_table_or_refused(data: st.DataObject) -> None:
    content = bytearray(xlsx(A=SHEET))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(NotATable):
        _adds_up(read_extract(bytes(content), at=NOW))


@settings(
    max_examples=repeated(40, 400),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
@given(rows=st.lists(st.one_of(WHOLE_ROWS, WHOLE_ROWS, ANY_ROWS), min_size=26, max_size=30))
def test_whatever_is_saved_adds_up_and_is_unchanged_when_it_is_sent_again(
    bcu: Bcu, system: User, rows: list[list[str]]
) -> None:
    """More than 1,000 rows of any cells, file upon file in one database: later ones meet earlier ones."""
    content = _file(rows).encode("utf-8", errors="replace")
    before = Case.objects.count()
    try:
        first = import_cases(content=content, bcu=bcu, by=system, at=NOW)
    except NotATable:
        assert Case.objects.count() == before
        return
    counts = first.counts()
    assert counts.pop("rows") == sum(counts.values())
    assert Case.objects.count() == before + first.new
    again = import_cases(content=content, bcu=bcu, by=system, at=NOW)
    assert again.counts() == {
        "rows": first.rows,
        "new": 0,
        "changed": 0,
        "unchanged": first.rows - first.rejected,
        "rejected": first.rejected,
    }
