"""From bytes to rows of cells."""

import pytest

from referrals.intake.reading.columns import SELDOM, Column
from referrals.table_files.read import Unmatched
from referrals.table_files.text import NotATable
from tests.extracts import MESSY, extract, fourteen_strange, row
from tests.referrals.intake.read_files import read_table

HEADINGS = "crime_reference,reported_at,safety_note\r\n"


def cells_by_line(text: str) -> dict[int, list[str] | None]:
    return {record.line: record.cells for record in read_table(text.encode()).records}


def test_rows_are_known_by_their_physical_line_headings_counted() -> None:
    assert cells_by_line(f"{HEADINGS}a,b,c\r\nd,e,f\r\n") == {2: ["a", "b", "c"], 3: ["d", "e", "f"]}


def test_a_row_whose_cell_spans_lines_is_known_by_the_line_it_starts_on() -> None:
    found = cells_by_line(f'{HEADINGS}a,b,"first\r\nsecond\r\nthird"\r\nd,e,f\r\n')
    assert found == {2: ["a", "b", "first\r\nsecond\r\nthird"], 5: ["d", "e", "f"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(end: str) -> None:
    assert cells_by_line(f"{HEADINGS.strip()}{end}a,b,c{end}d,e,f") == {
        2: ["a", "b", "c"],
        3: ["d", "e", "f"],
    }


def test_characters_that_only_unicode_takes_for_line_ends_do_not_count() -> None:
    assert cells_by_line(f"{HEADINGS}a,b,one\u2028two\x0bthree\r\nd,e,f\r\n").keys() == {2, 3}


def test_blank_rows_are_left_out_and_counted_as_lines() -> None:
    assert cells_by_line(f"{HEADINGS}\r\n,,\r\na,b,c\r\n \r\n").keys() == {4}


def test_a_byte_order_mark_is_no_part_of_the_first_heading() -> None:
    table = read_table(b"\xef\xbb\xbf" + HEADINGS.encode())
    assert table.columns[Column.CRIME_REFERENCE] == 0


def test_headings_may_come_in_any_order_case_and_spacing() -> None:
    table = read_table(b" Reported_At ,SAFETY_NOTE,crime_reference\n")
    assert table.columns == {Column.REPORTED_AT: 0, Column.SAFETY_NOTE: 1, Column.CRIME_REFERENCE: 2}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_and_separator_of_a_spreadsheet_program_is_read(encoding: str, separator: str) -> None:
    rows = [["crime_reference", "reported_at", "offence"], ["01/1/26", "22/11/2026 18:07", "Café, “Zoë”"]]
    if separator == ",":
        rows[1][2] = f'"{rows[1][2]}"'
    content = "\r\n".join(separator.join(row) for row in rows).encode(encoding)
    table = read_table(content)
    assert table.columns == {Column.CRIME_REFERENCE: 0, Column.REPORTED_AT: 1, Column.OFFENCE: 2}
    assert [record.cells for record in table.records] == [["01/1/26", "22/11/2026 18:07", "Café, “Zoë”"]]


def test_the_headings_of_another_system_are_known() -> None:
    with MESSY.open("rb") as file:
        table = read_table(file.read())
    assert table.headings[0] == "Crime Ref No"
    exported = [column for column in Column if column not in SELDOM]
    assert table.columns == {column: place for place, column in enumerate(exported)}


def test_headings_alone_are_a_table_without_rows() -> None:
    assert cells_by_line(HEADINGS) == {}


def test_a_badly_quoted_row_spoils_no_other() -> None:
    assert cells_by_line(f'{HEADINGS}a,b,"so called" dog\r\nd,e,f\r\n') == {2: None, 3: ["d", "e", "f"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\r\n\r\n  \r\n", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not plain text"),
        (b"crime_reference,reported_at\n1,\x81", "not plain text"),
        (b"01/1234/26,22/11/2026 18:07,SW19 7QP\n", "crime_reference and reported_at are not there"),
        (b"crime_reference,offence\n", "reported_at is not there"),
        (b"crime_reference|reported_at\n", "crime_reference and reported_at are not there"),
        (b"crime_reference,reported_at,Reported_At\n", "Reported_At is there twice"),
        (b"Crime No,reported_at,URN\n", "Crime No and URN both mean crime_reference"),
        (b'crime_reference,reported_at\na,b\nc,"d\ne,f\n', "line 3 is never closed"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(content: bytes, words: str) -> None:
    with pytest.raises(NotATable, match=words) as caught:
        read_table(content)
    assert "\n" not in str(caught.value)
    assert "SW19" not in str(caught.value)


def test_the_refusal_carries_no_bytes_of_the_file_in_its_causes() -> None:
    with pytest.raises(NotATable) as caught:
        read_table(b"crime_reference,reported_at,victim_postcode\n1,2,SW19 7QP\x81\n")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


WIDE = ",".join(f"Column {number}" for number in range(254))


def test_a_table_of_more_than_256_columns_is_refused_in_one_sentence() -> None:
    assert len(read_table(f"crime_reference,reported_at,{WIDE}\r\n".encode()).headings) == 256
    for headings in (f"crime_reference,reported_at,One more,{WIDE}", "x," * 8_000):
        with pytest.raises(NotATable, match=r"^The table has [\d,]+ columns, and at most 256 are read"):
            read_table(f"{headings}\r\n".encode())


@pytest.mark.parametrize(
    ("headings", "says"),
    [
        ("crime_reference,reported_at,{long}", "A heading has more than 200 characters: shorten it"),
        ("crime_reference,reported_at,safety_note,{safety_note}", "is there twice: take one"),
        ("crime_reference,reported_at,safety_note,{other}", "both mean safety_note: take one"),
    ],
)
def test_no_sentence_grows_with_a_heading(headings: str, says: str) -> None:
    spaces = " " * 5_000
    made = headings.format(long="x" * 201, safety_note="safety_note", other=f"Safety{spaces}note")
    with pytest.raises(NotATable, match=says) as refused:
        read_table(f"{made}\r\n".encode())
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "cell", [{"repeat_victim": "Repeat"}, {"offence": "Incident Number", "officer_in_case": "OIC"}]
)
def test_a_cell_that_is_also_a_heading_makes_no_headings_of_its_report(cell: dict[str, str]) -> None:
    """With headings that nobody knows the file is matched by hand."""
    with pytest.raises(Unmatched):
        read_table(fourteen_strange(**cell))


def test_a_long_heading_takes_no_headings_away() -> None:
    long = "Was the victim under eighteen years of age when the report was made?"
    rows = [f"Offence\r\ncrime_reference,reported_at,{long}\r\n01/7300001/26,22/11/2026 18:07,N\r\n"]
    assert read_table("".join(rows).encode()).headings[2] == long


def test_headings_are_found_above_a_report_with_cells_that_are_headings_too() -> None:
    words = {
        "offence": "Offence type",
        "repeat_victim": "Repeat",
        "officer_in_case": "OIC",
        "contact_wishes": "Language",
    }
    table = read_table(extract(row(**words), columns=["crime_reference", "reported_at", *words]))
    assert table.headings[0] == "crime_reference"
