"""From bytes to rows of cells."""

import pytest

from referrals.intake.columns import Column
from referrals.intake.read import NotATable, read_table

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


def test_headings_alone_are_a_table_without_rows() -> None:
    assert cells_by_line(HEADINGS) == {}


def test_a_badly_quoted_row_spoils_no_other() -> None:
    assert cells_by_line(f'{HEADINGS}a,b,"so called" dog\r\nd,e,f\r\n') == {2: None, 3: ["d", "e", "f"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\r\n\r\n  \r\n", "empty"),
        ("crime_reference,reported_at\n01/1234/26,Café".encode("latin-1"), "not UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "not UTF-8"),
        (HEADINGS.encode("utf-16-le"), "not plain text"),
        (b"01/1234/26,22/11/2026 18:07,SW19 7QP\n", "crime_reference and reported_at are not there"),
        (b"crime_reference,offence\n", "reported_at is not there"),
        (b"crime_reference;reported_at\n", "separated by commas"),
        (b"crime_reference,reported_at,Reported_At\n", "reported_at is there twice"),
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
        read_table(b"crime_reference,reported_at,victim_postcode\n1,2,SW19 7QP\xff\n")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
