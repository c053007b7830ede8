"""What stands around a table, and rows shorter or longer than its headings: the same reports come out."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.intake.reading.columns import Column
from referrals.table_files.read import SeveralSheets
from referrals.table_files.shape import is_aside, is_remark, squared
from referrals.table_files.text import NotATable
from tests.extracts import reference, row
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
    ['=""', '=""', '=""'],
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
    ["*** End of report ***"],
    ["-----"],
    ["(20 rows affected)"],
    ["3 reports"],
    ["Printed 23/11/2026 07:00"],
    ["Page 1 of 1"],
    [],
    ["OFFICIAL-SENSITIVE"],
    ['=""'] * len(HEADINGS),
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
@pytest.mark.parametrize(
    ("last", "under_18"), [("Polish", "N"), *(("", said) for said in ("N", "No", "0", "false", "1", "Yes"))]
)
def test_a_row_that_lacks_a_cell_before_its_end_is_rejected(missing: int, last: str, under_18: str) -> None:
    cells = list(row(1, victim_under_18=under_18, communication_need=last).values())
    short = _widened(cells[:missing] + cells[missing + 1 :], -1)
    written = io.StringIO(newline="")
    csv.writer(written).writerows([HEADINGS, short])
    assert read_extract(written.getvalue().encode(), at=NOW).rejected == 1


def test_a_row_that_lacks_a_cell_before_its_keys_is_rejected_though_nothing_follows_them() -> None:
    for missing in range(HEADINGS.index("officer_in_case") + 1):
        cells = list(row(1, victim_under_18="", communication_need="").values())
        short = ",".join(_widened(cells[:missing] + cells[missing + 1 :], -1))
        reading = read_extract(f"{','.join(HEADINGS)}\r\n{short}".encode(), at=NOW)
        assert (missing, reading.rejected) == (missing, 1)


@pytest.mark.parametrize("column", ["offence", "contact_wishes", "safety_note", "officer_in_case"])
def test_a_row_whose_text_is_parted_by_a_comma_is_rejected_though_its_end_is_empty(column: str) -> None:
    assert _unquoted(HEADINGS, row(1, **{column: "Do not, ring"})).rejected == 1


@pytest.mark.parametrize(
    "cells",
    [
        {"reported_at": "'22/11/2026 18:07"},
        {"victim_type": "Individ\u200bual"},
        {"repeat_victim": "'1", "occurred_at": "'22/11/2026 07:25"},
    ],
)
def test_a_short_row_is_whole_whatever_a_spreadsheet_put_before_its_cells(cells: dict[str, str]) -> None:
    short = ",".join(list(row(**cells).values())[:-1])
    assert read_extract(f"{','.join(HEADINGS)}\r\n{short}".encode(), at=NOW).rejected == 0


TEXTS = ["contact_wishes", "safety_note", "communication_need", "offence", "officer_in_case", "hate_strands"]


def _with_text_at(place: str, column: str) -> list[str]:
    others = [name for name in HEADINGS if name != column]
    at = {"first": 0, "middle": 9, "last": len(others)}[place]
    return [*others[:at], column, *others[at:]]


def _unquoted(columns: list[str], *rows: dict[str, str], below: str = "") -> Reading:
    """The rows as a program writes them that does not quote."""
    lines = [",".join(columns), *(",".join(each[name] for name in columns) for each in rows), below]
    return read_extract("\r\n".join(lines).encode(), at=NOW)


@pytest.mark.parametrize("column", TEXTS)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize(
    "text",
    [
        "Do not\r\nring: partner is the suspect",
        "Do not\r\n\r\nring",
        "Do not ring\r\nafter 9 at night",
        "Do not\r\nreport it to the partner",
        "Do not\r\nring at\r\nall",
        "See\r\n01/7300009/26",
    ],
)
def test_of_a_report_that_a_line_break_cuts_in_two_neither_part_is_saved(
    column: str, place: str, text: str
) -> None:
    lines = text.count("\r\n") + 1 - text.count("\r\n\r\n")
    for number in (1, 2, 3):
        rows = [row(each, **{column: text if each == number else "Race"}) for each in (1, 2, 3)]
        reading = _unquoted(_with_text_at(place, column), *rows, below="Total,3")
        saved = [found.values["crime_reference"] for found in reading.good]
        assert saved == [reference(each) for each in (1, 2, 3) if each != number]
        assert reading.rejected == lines
        assert sum("no report" in warned.reason for warned in reading.warnings) == 1


@pytest.mark.parametrize("column", TEXTS)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize(
    "text",
    [
        "Wishes no visit.\r\nReport: never ring the home",
        "Never\r\nrun to door 1",
        "Never\r\nrun to door 1\r\nTotal 3",
        "Report: never\r\nring the home",
    ],
)
def test_a_line_known_under_tables_is_among_reports_a_part_of_one(column: str, place: str, text: str) -> None:
    for number in (1, 2):
        rows = [row(each, **{column: text if each == number else "Race"}) for each in (1, 2, 3)]
        reading = _unquoted(_with_text_at(place, column), *rows, below="Page 1 of 1\r\nTotal,3")
        saved = [found.values["crime_reference"] for found in reading.good]
        assert saved == [reference(each) for each in (1, 2, 3) if each != number]
        assert reading.rejected == text.count("\r\n") + 1
        assert sum("no report" in warned.reason for warned in reading.warnings) == 2


def test_so_it_is_however_many_there_are_but_not_of_a_whole_report_nor_below_all() -> None:
    line = "Report: never ring"
    for last, is_whole in (("", True), ("Polish", False)):
        cells = [",".join(row(each, communication_need=last).values()) for each in (1, 2)]
        lines = [",".join(HEADINGS), cells[0], *[line] * 25, cells[1], line, "Nothing follows here"]
        reading = read_extract("\r\n".join(lines).encode(), at=NOW)
        assert [found.line for found in reading.good] == [2, 28] if is_whole else [28]
        left_out = [warned.line for warned in reading.warnings if "no report" in warned.reason]
        assert left_out == [*(range(3, 28) if is_whole else ()), 29, 30]


def test_a_cut_report_is_refused_with_what_to_do() -> None:
    reading = _unquoted(HEADINGS, row(safety_note="Do not\r\nring"), row(2))
    reasons = [(each.line, each.reason) for each in reading.rejections]
    assert reasons == [
        (2, "A line break cuts a text of this row in two: put the text in quotation marks."),
        (3, "The row has 6 cells where the headings have 18."),
    ]


@pytest.mark.parametrize(
    "below", ["Made for the morning meeting", "Total,3", "Page 1 of 1\r\nNothing follows here"]
)
def test_a_line_below_all_reports_is_left_out(below: str) -> None:
    reading = _unquoted(HEADINGS, row(1), row(2), below=below)
    assert (len(reading.good), reading.rejected) == (2, 0)


def test_a_line_among_the_reports_is_refused_and_what_repeats_on_each_page_is_not() -> None:
    page = "\r\n".join(["Page 1 of 2", ",".join(HEADINGS)])
    own = [",".join(row(each).values()) for each in (1, 2, 3)]
    lines = [",".join(HEADINGS), "Wandsworth", own[0], page, own[1], "Merton", own[2], "Nothing follows here"]
    reading = read_extract("\r\n".join(lines).encode(), at=NOW)
    assert [found.line for found in reading.good] == [3, 6, 8]
    assert [(each.line, each.reason) for each in reading.rejections] == [
        (7, "This line is no report: is it a part of a text in the report above or below it?")
    ]


def test_a_row_of_wrapped_blanks_is_a_blank_row() -> None:
    blank = ['=""'] * len(HEADINGS)
    written = io.StringIO(newline="")
    csv.writer(written).writerows([blank, HEADINGS, blank, ROWS[0], blank])
    for content in (written.getvalue().encode(), xlsx(Data=[[*HEADINGS], [*blank], [*ROWS[0]]])):
        reading = read_extract(content, at=NOW)
        assert (reading.rows, len(reading.good)) == (1, 1)
        assert not [warned for warned in reading.warnings if "no report" in warned.reason]


def test_a_sheet_has_no_row_cut_in_two() -> None:
    columns = _with_text_at("last", "safety_note")
    own = [[row(each)[name] for name in columns] for each in (1, 2)]
    table: list[list[Cell]] = [[*columns], [*own[0]], ["Merton"], [*own[1]], ["Nothing follows here"]]
    reading = read_extract(xlsx(Data=table), at=NOW)
    assert (len(reading.good), reading.rejected) == (2, 0)


def test_a_short_report_is_whole_before_one_whose_reference_is_mistyped() -> None:
    reading = _unquoted(HEADINGS[:-1], row(1), row(2, crime_reference="7300002"), row(3))
    assert [found.line for found in reading.good] == [2, 4]
    cells = [",".join(HEADINGS), *(",".join([*row(each).values()][:-1]) for each in (1, 2))]
    reading = read_extract("\r\n".join([*cells[:2], cells[2].replace("01/", "01-")]).encode(), at=NOW)
    assert [found.line for found in reading.good] == [2]


@pytest.mark.parametrize(
    ("cells", "is_one"),
    [
        (["Total", "5"], True),
        (["Records: 5", "", ""], True),
        (["Printed by PC Smith in Wandsworth"], True),
        (HEADINGS, True),
        (["01/7300001/26", "22/11/2026 18:07"], False),
        (["01/7300001/26"], False),
        (["5"], False),
        (["Report", "22/11/2026", "Race"], False),
        (["report it to the partner"], False),
        (["Run by PC Smith"], False),
    ],
)
def test_a_line_known_under_tables_is_told_from_a_report_that_is_cut_off(
    cells: list[str], is_one: bool
) -> None:
    assert is_aside(cells, HEADINGS) is is_one


def test_a_remark_is_short_and_has_no_figure() -> None:
    assert is_remark(["Run by PC Smith", "", " "], HEADINGS)
    assert not is_remark(["Run by PC 9001"], HEADINGS)
    assert not is_remark(["Run by", "PC", "Smith"], HEADINGS)


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
