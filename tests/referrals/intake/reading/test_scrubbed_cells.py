"""Nothing that finds a person is kept of an extract, whichever column it comes by."""

import pytest

from referrals.intake.reading.rows import shown
from referrals.table_files.cells import may_be_heading
from tests.extracts import extract, row
from tests.factories import NOW
from tests.referrals.intake.read_files import read_extract
from tests.spellings import MUST_GO, MUST_STAY, traces_in

TEXTS = ("contact_wishes", "safety_note", "communication_need", "offence", "officer_in_case")
OWN = {"victim_postcode": "SW19 7QP", "incident_reference": "CAD7301/22NOV26", "victim_key": "V7300019"}


@pytest.mark.parametrize("column", TEXTS)
def test_what_finds_a_person_is_left_out_of_a_column_with_a_warning_that_names_it(column: str) -> None:
    # A quoted cell may hold a line end, and the reader of files leaves tabs to the cell.
    rows = [row(place, **{column: f"Ask {spelling} first"}) for place, spelling in enumerate(MUST_GO)]
    reading = read_extract(extract(*rows), at=NOW)
    assert len(reading.good) == len(MUST_GO)
    for found, spelling in zip(reading.good, MUST_GO, strict=True):
        assert traces_in(found.values[column]) == [], spelling
        assert "[removed]" in found.values[column]
    left_out = [warned for warned in reading.warnings if warned.reason.endswith("is left out.")]
    assert [warned.line for warned in left_out] == [found.line for found in reading.good]
    assert {warned.column for warned in left_out} == {column}
    assert traces_in(" ".join(warned.reason for warned in reading.warnings)) == []


@pytest.mark.parametrize("column", TEXTS)
def test_what_only_looks_like_it_stays_in_a_column_without_a_word(column: str) -> None:
    rows = [row(place, **{column: text}) for place, text in enumerate(MUST_STAY)]
    reading = read_extract(extract(*rows), at=NOW)
    assert [found.values[column] for found in reading.good] == list(MUST_STAY)
    assert [warned for warned in reading.warnings if warned.column == column] == []


@pytest.mark.parametrize("column", TEXTS)
@pytest.mark.parametrize(
    "written",
    [
        "SW19-7qp",
        "sw197QP",
        "CAD 7301 / 22NOV26",
        "cad7301/22nov26",
        "7301/22NOV26",
        "V7300019",
        "v 730 0019",
    ],
)
def test_a_reports_own_keys_are_left_out_of_its_texts(column: str, written: str) -> None:
    (found,) = read_extract(extract(row(**OWN, **{column: f"See {written} first"})), at=NOW).good
    assert found.values[column] == "See [removed] first"


def test_the_same_words_are_looked_at_again_for_each_report() -> None:
    rows = [
        row(1, **OWN, offence="Theft see 4711/22NOV26", safety_note="see 4711/22NOV26"),
        row(
            2,
            **{**OWN, "incident_reference": "CAD 4711/22NOV26"},
            offence="Theft see 4711/22NOV26",
            safety_note="see 4711/22NOV26",
        ),
    ]
    first, second = read_extract(extract(*rows), at=NOW).good
    assert first.values["offence"] == "Theft see 4711/22NOV26"
    assert (second.values["offence"], second.values["safety_note"]) == (
        "Theft see [removed]",
        "see [removed]",
    )


def test_a_number_at_the_edge_of_a_long_cell_is_left_out_before_the_cell_is_cut() -> None:
    (found,) = read_extract(extract(row(offence="x" * 192 + " 07700 900123")), at=NOW).good
    assert traces_in(found.values["offence"]) == []
    assert "0770" not in found.values["offence"]


def test_an_offence_is_one_line() -> None:
    (found,) = read_extract(extract(row(offence="Harassment\nby post")), at=NOW).good
    assert found.values["offence"] == "Harassment by post"


@pytest.mark.parametrize("spelling", MUST_GO, ids=ascii)
def test_neither_a_files_name_nor_a_heading_holds_it(spelling: str) -> None:
    """``shown`` is what is kept of a file's name, and what is told of cells, headings and sheets."""
    assert shown(f"extract {spelling}.csv") == ""
    assert not may_be_heading(f"Ring {spelling}")


def test_a_postcode_in_full_width_signs_finds_the_ward() -> None:
    (found,) = read_extract(
        extract(row(victim_postcode="\uff33\uff37\uff11\uff19 \uff17\uff31\uff30")), at=NOW
    ).good
    assert found.postcode == "SW19 7QP"
