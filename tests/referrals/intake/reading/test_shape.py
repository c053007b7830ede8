"""What stands around a table, and rows shorter or longer than its headings: the same reports come out."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.intake.reading.columns import Column
from referrals.intake.reading.read import SeveralSheets
from referrals.intake.reading.shape import is_aside, squared
from referrals.intake.reading.text import NotATable
from tests.extracts import row
from tests.factories import NOW
from tests.referrals.intake.read_files import Reading, read_extract, read_table
from tests.thorough import repeated
from tests.workbooks import Cell, with_hidden_sheet, xlsx

HEADINGS = [column.value for column in Column]
ROWS = [
    list(row(1).values()),
    list(row(2, safety_note="", contact_wishes="").values()),
    list(row(3, victim_under_18="", officer_in_case="").values()),
]
ABOVE = [
    ["Overnight hate crime reports"],
    ["BCU: South West", "", ""],
    ["Textbox1", "Textbox2"],
    ["Period", "22/11/2026 07:00", "23/11/2026 07:00"],
    ["Status: Recorded", "Hate flag: Y"],
    [],
    ["", "", ""],
]
BELOW = [
    ["Total", "3"],
    ["Records: 3"],
    ["Grand total 3"],
    ["End of report"],
    ["Printed 23/11/2026 07:00"],
    ["Page 1 of 1"],
    [],
    ["OFFICIAL-SENSITIVE"],
    HEADINGS,
]


@settings(max_examples=repeated(150, 5_000), deadline=None)
@given(
    above=st.lists(st.sampled_from(ABOVE), max_size=12),
    below=st.lists(st.sampled_from(BELOW), max_size=4),
    wrapped=st.sets(st.tuples(st.integers(-1, 2), st.integers(0, len(HEADINGS) - 1)), max_size=12),
    widths=st.lists(st.integers(-1, 3), min_size=3, max_size=3),
    separator=st.sampled_from(",;\t"),
    says_separator=st.booleans(),
)
def test_a_decorated_table_gives_the_same_reports(
    above: list[list[str]],
    below: list[list[str]],
    wrapped: set[tuple[int, int]],
    widths: list[int],
    separator: str,
    says_separator: bool,
) -> None:
    table = [[_wrapped(cell, (n - 1, m) in wrapped) for m, cell in enumerate(cells)] for n, cells in _table()]
    reports = [_widened(cells, by) for cells, by in zip(table[1:], widths, strict=True)]
    written = io.StringIO(newline="")
    if says_separator:
        written.write(f"sep={separator}\r\n")
    csv.writer(written, delimiter=separator).writerows([*above, table[0], *reports, *below])
    assert _of(read_extract(written.getvalue().encode(), at=NOW)) == _of(_plainly())


def _table() -> list[tuple[int, list[str]]]:
    return list(enumerate([HEADINGS, *ROWS]))


def _wrapped(cell: str, is_wrapped: bool) -> str:
    return f'="{cell}"' if is_wrapped else cell


def _widened(cells: list[str], by: int) -> list[str]:
    """Longer by so many empty cells, or without those at its end."""
    if by >= 0:
        return cells + [""] * by
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _plainly() -> Reading:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([HEADINGS, *ROWS])
    return read_extract(written.getvalue().encode(), at=NOW)


def _of(reading: Reading) -> tuple[list[object], int]:
    return [(dict(each.values), each.postcode) for each in reading.good], reading.rejected


@pytest.mark.parametrize("missing", range(len(HEADINGS) - 2))
@pytest.mark.parametrize("last", ["Polish", ""])
def test_a_row_that_lacks_a_cell_before_its_end_is_rejected(missing: int, last: str) -> None:
    cells = list(row(1, communication_need=last).values())
    short = _widened(cells[:missing] + cells[missing + 1 :], -1)
    written = io.StringIO(newline="")
    csv.writer(written).writerows([HEADINGS, short])
    assert read_extract(written.getvalue().encode(), at=NOW).rejected == 1


@pytest.mark.parametrize(
    ("cells", "is_one"),
    [
        (["Total", "5"], True),
        (["Records: 5", "", ""], True),
        (["Run by PC Smith"], True),
        (HEADINGS, True),
        (["01/7300001/26", "22/11/2026 18:07"], False),
        (["01/7300001/26"], False),
        (["5"], False),
        (["Report", "22/11/2026", "Race"], False),
    ],
)
def test_a_remark_is_told_from_a_report_that_is_cut_off(cells: list[str], is_one: bool) -> None:
    assert is_aside(cells, HEADINGS) is is_one


def test_a_row_is_as_wide_as_its_headings_where_only_empty_cells_differ() -> None:
    assert squared(["a", "", " "], 1) == ["a"]
    assert squared(["a"], 3) == ["a", "", ""]
    assert squared(["a", "b"], 1) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<html><body><table><tr><td>crime_reference", "is a web page"),
        ("\ufeff  <!DOCTYPE html>\n<html>", "is a web page"),
        ("<!-- made by X --><table border=1>", "is a web page"),
        (
            '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook>',
            "in a form that is not read",
        ),
        ("MIME-Version: 1.0\nContent-Type: multipart/related", "in a form that is not read"),
    ],
)
def test_a_page_that_has_the_name_of_a_table_is_named_as_what_it_is(content: str, words: str) -> None:
    with pytest.raises(NotATable, match=words):
        read_table(content.encode())


def test_a_hidden_sheet_is_asked_about_where_no_other_may_be_the_table() -> None:
    table: list[list[Cell]] = [[*HEADINGS], [*ROWS[0]]]
    content = with_hidden_sheet(xlsx(Notes=[["Read me"]], Data=table), "Data")
    with pytest.raises(SeveralSheets, match=r"Notes, Data"):
        read_table(content)
    assert len(read_table(content, "Data").records) == 1
    both = with_hidden_sheet(xlsx(Raw=table, Data=[*table, [*ROWS[1]]]), "Raw")
    assert len(read_table(both).records) == 2
