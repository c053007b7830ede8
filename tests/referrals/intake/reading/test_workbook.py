"""Spreadsheets as forces send them."""

import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from referrals.intake.reading.columns import Column
from referrals.table_files.moments import read_moment
from referrals.table_files.text import NotATable
from tests.referrals.intake.read_files import read_table
from tests.workbooks import Cell, with_stray_cell, xlsx

HEADINGS: list[Cell] = ["Crime No", "Date reported", "Repeat victim?"]
WIDE: list[Cell] = [f"Column {number}" for number in range(254)]
WHEN = datetime(2026, 11, 3, 22, 12, 30)  # noqa: DTZ001 - a spreadsheet has no time zones


def test_headings_may_stand_under_a_title_and_lines_are_the_sheets_own() -> None:
    table = read_table(
        xlsx(Export=[["Hate crime, last night"], [], HEADINGS, ["01/1/26", WHEN, True], [], ["01/2/26"]])
    )
    assert table.columns == {Column.CRIME_REFERENCE: 0, Column.REPORTED_AT: 1, Column.REPEAT_VICTIM: 2}
    assert [(record.line, record.cells) for record in table.records] == [
        (4, ["01/1/26", "03/11/2026 22:12:30", "yes"]),
        (6, ["01/2/26", "", ""]),
    ]


def test_a_date_cell_reads_as_the_same_time_written_out() -> None:
    ((cells),) = [record.cells for record in read_table(xlsx(A=[HEADINGS, ["1", WHEN]])).records]
    assert cells
    assert read_moment(cells[1]) == read_moment("03/11/2026 22:12:30")


def test_a_whole_number_has_no_point_and_any_other_has_one() -> None:
    table = read_table(xlsx(A=[HEADINGS, [7301, 46348.75, None]]))
    assert table.records[0].cells == ["7301", "46348.75", ""]


def test_the_one_sheet_with_headings_is_the_table() -> None:
    table = read_table(xlsx(Notes=[["Read me"], ["Offence", "x"]], Data=[HEADINGS, ["01/1/26", WHEN]]))
    assert len(table.records) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (xlsx(May=[HEADINGS], June=[HEADINGS]), r"Several sheets hold a table \(May, June\)"),
        (xlsx(**{"May" * 34: [HEADINGS]}, June=[HEADINGS]), "longer than 100 characters: shorten it"),
        (xlsx(A=[["SW19 7QP", "Dog"]]), "crime_reference and reported_at are not there"),
        (xlsx(A=[["Crime No", "Offence"]]), "reported_at is not there"),
        (xlsx(A=[]), "No row of the spreadsheet"),
        (xlsx(A=[[*HEADINGS, *WIDE]]), "The table has 257 columns, and at most 256 are read: take out those"),
        (
            xlsx(**{f"Sheet{number}": [HEADINGS] for number in range(101)}),
            "more than 100 sheets: save the one to import as a file of its own",
        ),
        (xlsx(A=[HEADINGS, ["x" * 30_000] * 70]), "The spreadsheet is too large: save it as"),
        (b"PK\x03\x04 SW19 7QP", "cannot be read: save it without a password"),
        (bytes.fromhex("D0CF11E0A1B11AE1") + b"SW19 7QP" * 100, "cannot be read: save it without a password"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(content: bytes, words: str) -> None:
    with pytest.raises(NotATable, match=words) as caught:
        read_table(content)
    assert "SW19" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_spreadsheet_made_to_fill_the_memory_is_not_unpacked(settings: Any) -> None:
    content = xlsx(A=[HEADINGS, ["01/1/26", "x" * 200_000]])
    settings.MAX_UPLOAD_BYTES = len(content)
    with pytest.raises(NotATable, match="too large"):
        read_table(content)


def test_a_spreadsheet_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    whole = xlsx(A=[HEADINGS, ["01/1/26", WHEN]])
    for length in range(8, len(whole), 97):
        with pytest.raises(NotATable):
            read_table(whole[:length])


def test_a_sheet_that_is_as_large_as_one_stray_cell_makes_it_ends_no_process_of_ours() -> None:
    """A grid of 17,000 million cells: the reader's process ends, and a sentence says so."""
    with pytest.raises(NotATable, match="too large"):
        read_table(with_stray_cell(xlsx(A=[HEADINGS, ["01/1/26", WHEN]])))


def test_a_cell_at_midnight_is_a_time_whatever_its_format() -> None:
    midnight = datetime(2026, 11, 3)  # noqa: DTZ001 - a spreadsheet has no time zones
    table = read_table(xlsx(Export=[HEADINGS, ["01/1/26", midnight, True]]))
    (record,) = table.records
    assert record.cells == ["01/1/26", "03/11/2026 00:00:00", "yes"]


def test_a_name_as_long_as_a_book_is_read_as_any_other() -> None:
    """A name is nothing that the reader is started with: a system takes 128 KB there at most."""
    rows: list[list[Cell]] = [HEADINGS, ["01/1/26", WHEN]]
    table = read_table(xlsx(**{"May" * 50_000: rows}))
    assert len(table.records) == 1


def test_an_entity_of_a_spreadsheet_leads_to_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("told-by-an-entity")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]><worksheet '
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx(A=[HEADINGS, ["01/1/26", "WHAT"]]))) as packed,
        zipfile.ZipFile(changed, "w") as written,
    ):
        for part in packed.infolist():
            body = packed.read(part).decode()
            if part.filename == "xl/worksheets/sheet1.xml":
                body = body.replace("<worksheet ", entity).replace("WHAT", "before &e; after")
            written.writestr(part, body)
    try:
        found = str([record.cells for record in read_table(changed.getvalue()).records])
    except NotATable as refused:
        found = str(refused)
    assert found
    assert "told-by-an-entity" not in found


def test_a_spreadsheet_of_too_many_parts_is_refused_before_it_is_read() -> None:
    whole = io.BytesIO(xlsx(A=[HEADINGS, ["01/1/26", WHEN]]))
    with zipfile.ZipFile(whole, "a") as packed:
        for number in range(10_001):
            packed.writestr(f"xl/{number}", "")
    with pytest.raises(NotATable, match="too large"):
        read_table(whole.getvalue())


def test_columns_without_a_heading_are_not_counted() -> None:
    table = read_table(xlsx(A=[[*HEADINGS, *WIDE[1:], *[None] * 300, "x"[1:]], ["01/1/26", WHEN]]))
    assert len(table.records) == 1


def test_of_many_sheets_that_may_be_meant_the_sentence_names_ten() -> None:
    content = xlsx(**{f"{'Sheet' * 19}{number:02}": [HEADINGS] for number in range(100)})
    with pytest.raises(NotATable, match="and 90 more") as several:
        read_table(content)
    assert len(str(several.value)) < 700
    with pytest.raises(NotATable, match=r"There is no sheet (May)+M…: .* and 90 more\.") as none:
        read_table(content, sheet="May" * 1_000)
    assert len(str(none.value)) < 700
