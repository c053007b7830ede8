"""From cells to validated rows, and what speaks against the others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from referrals.intake.reading.rows import shown
from src_app.scrubbing import _references, scrub_references
from tests.extracts import extract, row
from tests.factories import NOW
from tests.referrals.intake.read_files import Reading, read_extract


def read(*rows: dict[str, str], columns: list[str] | None = None, at: datetime = NOW) -> Reading:
    return read_extract(extract(*rows, columns=columns), at=at)


def warnings(reading: Reading) -> list[tuple[int, str]]:
    return [(warned.line, warned.column) for warned in reading.warnings]


def test_a_faultless_row_is_read_whole() -> None:
    reading = read(
        row(hate_strands="Religion; Race", repeat_victim="y", safety_note=" Dog ", victim_under_18="Y")
    )
    assert (reading.rows, reading.rejected, reading.rejections, reading.warnings) == (1, 0, [], [])
    (found,) = reading.good
    assert found.line == 2
    assert found.values["crime_reference"] == "01/7300001/26"
    assert found.postcode == "SW19 7QP"
    assert found.values["reported_at"] == datetime(2026, 11, 22, 18, 7, tzinfo=UTC)
    assert found.values["occurred_at"] == datetime(2026, 11, 22, 7, 25, tzinfo=UTC)
    assert found.values["strands"] == ["race", "religion"]
    assert found.values["is_crime"] is True
    assert found.values["victim_type"] == "individual"
    assert found.values["repeat_victim"] is True
    assert found.values["victim_under_18"] is True
    texts = [found.values[kind] for kind in ("contact_wishes", "safety_note", "communication_need")]
    assert texts == ["In person", "Dog", ""]


def test_incident_and_victim_are_hashed_at_once_and_apart() -> None:
    same = "V7300019"
    (found,) = read(row(incident_reference=same, victim_key=same)).good
    hashes = {found.values["incident_hash"], found.values["victim_hash"]}
    assert len(hashes) == 2
    assert all(len(value) == 64 for value in hashes)


def test_nothing_of_the_victim_shows_where_a_row_is_printed() -> None:
    reading = read(row(), row(2, reported_at="never"))
    for cell in ("SW19", "CAD73", "V7300", "Dog"):
        assert cell not in repr(reading)


@pytest.mark.parametrize(
    ("cells", "column", "value", "words"),
    [
        ({"crime_reference": ""}, "crime_reference", "", "missing"),
        ({"crime_reference": "  "}, "crime_reference", "", "missing"),
        ({"crime_reference": "01-7300001-26"}, "crime_reference", "01-7300001-26", "form"),
        ({"crime_reference": "0١/7300001/26"}, "crime_reference", "", "form"),
        ({"crime_reference": "x" * 200}, "crime_reference", "x" * 59 + "…", "form"),
        ({"reported_at": ""}, "reported_at", "", "missing"),
        ({"reported_at": "31/02/2026 10:00"}, "reported_at", "31/02/2026 10:00", "no such date"),
        ({"reported_at": "29/03/2026 01:30"}, "reported_at", "29/03/2026 01:30", "no such time"),
        ({"reported_at": "yesterday"}, "reported_at", "yesterday", "Not a date"),
        ({"occurred_at": "31/11/2026 10:00"}, "occurred_at", "31/11/2026 10:00", "no such date"),
        ({"reported_at": "23/11/2026 07:31"}, "reported_at", "23/11/2026 07:31", "future"),
        ({"reported_at": "01/01/2099 09:00"}, "reported_at", "01/01/2099 09:00", "future"),
    ],
)
def test_a_row_is_rejected_with_line_column_value_and_reason(
    cells: dict[str, str], column: str, value: str, words: str
) -> None:
    reading = read(row(7), row(**cells))
    assert (reading.rows, reading.rejected, len(reading.good)) == (2, 1, 1)
    (rejection,) = reading.rejections
    assert (rejection.line, rejection.column, rejection.value) == (3, column, value)
    assert words in rejection.reason


def test_a_report_of_this_very_minute_is_not_in_the_future() -> None:
    assert read(row(reported_at="23/11/2026 07:30", occurred_at="")).rejected == 0
    assert read(row(reported_at="23/11/2026 07:30"), at=NOW - timedelta(seconds=1)).rejected == 1


@pytest.mark.parametrize(("cells", "count"), [(b"22/11/2026 18:07,Theft", "2"), (b"a,b,c,d,e", "5")])
def test_a_row_with_too_few_or_too_many_cells_is_rejected(cells: bytes, count: str) -> None:
    content = b"crime_reference,reported_at,offence\n" + cells + b"\n01/7300002/26,22/11/2026 18:07,Theft\n"
    reading = read_extract(content, at=NOW)
    assert [(r.line, r.column, r.value) for r in reading.rejections] == [(2, "", count)]
    assert [found.line for found in reading.good] == [3]


def test_a_badly_quoted_row_is_rejected_with_its_line() -> None:
    content = b'crime_reference,reported_at,offence\n01/7300001/26,22/11/2026 18:07,"so called" theft\n'
    (rejection,) = read_extract(content, at=NOW).rejections
    assert rejection.line == 2
    assert "doubled" in rejection.reason


def test_a_row_with_several_faults_counts_once_and_names_each() -> None:
    reading = read(row(crime_reference="?", reported_at="never", occurred_at="then", victim_type="State"))
    assert reading.rejected == 1
    assert [rejection.column for rejection in reading.rejections] == [
        "crime_reference",
        "reported_at",
        "occurred_at",
    ]
    assert reading.warnings == []


@pytest.mark.parametrize("text", ["SW19 7QP", "sw197qp", "CAD7301/22NOV26", "V730001", "at SW19 7QP now"])
def test_a_victims_cell_in_the_wrong_column_is_not_repeated(text: str) -> None:
    (rejection,) = read(row(crime_reference=text)).rejections
    assert rejection.value == ""


def test_a_forces_own_form_of_key_is_not_repeated_either() -> None:
    (rejection,) = read(row(crime_reference="see ab-77", victim_key="AB-77")).rejections
    assert rejection.value == ""
    # A key this short is in too much to be looked for in other cells.
    (rejection,) = read(row(crime_reference="see ab-77", victim_key="7")).rejections
    assert rejection.value == "see ab-77"


def test_another_victims_postcode_or_key_is_not_repeated_either() -> None:
    reading = read(row(crime_reference="TW9 2PE", reported_at="V400013 rang"))
    assert [rejection.value for rejection in reading.rejections] == ["", ""]
    warned = read(row(hate_strands="TW9 2PE; V400013")).warnings
    assert all("TW9" not in item.reason and "V4" not in item.reason for item in warned)


@pytest.mark.parametrize(
    ("cells", "column", "field", "value"),
    [
        ({"crime_or_incident": "incident"}, "crime_or_incident", "is_crime", False),
        ({"crime_or_incident": ""}, "crime_or_incident", "is_crime", None),
        ({"crime_status": "No Crime"}, "crime_status", "crime_status", "cancelled"),
        ({"crime_status": "Transferred out"}, "crime_status", "crime_status", "transferred"),
        ({"crime_status": "Mislaid"}, "crime_status", "crime_status", None),
        ({"hate_flag": "n"}, "hate_flag", "hate_flag", False),
        ({"hate_flag": "perhaps"}, "hate_flag", "hate_flag", None),
        ({"victim_type": "Organisation"}, "victim_type", "victim_type", "organisation"),
        ({"victim_type": "STATE"}, "victim_type", "victim_type", "state"),
        ({"victim_type": "Dog"}, "victim_type", "victim_type", "individual"),
        ({"hate_strands": "Race; Goth subculture"}, "hate_strands", "strands", ["race"]),
        ({"repeat_victim": "maybe"}, "repeat_victim", "repeat_victim", None),
        ({"offence": "x" * 201}, "offence", "offence", "x" * 200),
        ({"officer_in_case": "PC " + "9" * 60}, "officer_in_case", "officer_in_case", "PC " + "9" * 57),
        (
            {"reported_at": "25/10/2026 01:30", "occurred_at": ""},
            "reported_at",
            "reported_at",
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ),
        (
            {"occurred_at": "22/11/2026 18:08"},
            "occurred_at",
            "occurred_at",
            datetime(2026, 11, 22, 18, 8, tzinfo=UTC),
        ),
    ],
)
def test_a_row_to_look_at_is_read_with_a_warning(
    cells: dict[str, str], column: str, field: str, value: Any
) -> None:
    reading = read(row(**cells))
    assert warnings(reading) == [(2, column)]
    assert reading.good[0].values[field] == value


@pytest.mark.parametrize("cells", [{"victim_type": "individual "}, {"crime_or_incident": "CRIME"}])
def test_case_and_spaces_of_a_known_word_do_not_matter(cells: dict[str, str]) -> None:
    reading = read(row(**cells))
    assert reading.warnings == []


def test_columns_the_file_has_not_are_named_and_left_alone() -> None:
    reading = read(row(), columns=["crime_reference", "reported_at", "shoe_size"])
    (found,) = reading.good
    assert found.values.keys() == {"crime_reference", "reported_at", "questions"}
    assert found.postcode is None
    assert {line for line, _ in warnings(reading)} == {1}
    assert len(reading.warnings) == 1 + 14
    assert warnings(reading)[0] == (1, "shoe_size")


def test_a_force_may_have_another_form_of_reference(settings: Any) -> None:
    settings.CRIME_REFERENCE_PATTERN = r"NX\d{6}"
    reading = read(row(crime_reference="NX123456"), row(2))
    assert [found.values["crime_reference"] for found in reading.good] == ["NX123456"]


@pytest.mark.parametrize("pattern", [r"\d{2}-\d{4,8}-\d{2}", r"(\d{2})/\d{4,8}/\d{2}"])
def test_a_reference_is_shown_and_scrubbed_whatever_its_pattern(settings: Any, pattern: str) -> None:
    settings.CRIME_REFERENCE_PATTERN = pattern
    _references.cache_clear()
    assert shown("01-7654321-26") == "01-7654321-26"
    assert scrub_references("see 01/7654321/26 and 01-7654321-26") == "see [removed] and [removed]"
    _references.cache_clear()


@pytest.mark.parametrize(
    "found",
    ["07700 900123", "jo@example.org", "SW18 2PR", "SW19 7QP", "V730001", "CAD7301/22NOV26", "Unit-77-A"],
)
@pytest.mark.parametrize("column", ["contact_wishes", "safety_note", "communication_need"])
def test_what_finds_a_person_is_left_out_of_a_text_with_a_warning(column: str, found: str) -> None:
    reading = read(row(victim_key="Unit-77-A", **{column: f"Ring {found} after six"}))
    assert reading.good[0].values[column] == "Ring [removed] after six"
    assert warnings(reading) == [(2, column)]
    assert found not in reading.warnings[0].reason


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\x1a", "\x7f", "\u2067", "\ufeff"])
def test_what_cannot_be_seen_is_left_out_with_a_warning(hidden: str) -> None:
    reading = read(row(offence=f"Har{hidden}assment", crime_reference=f"01/73{hidden}00001/26"))
    assert reading.good[0].values["crime_reference"] == "01/7300001/26"
    assert reading.good[0].values["offence"] == "Harassment"
    assert warnings(reading) == [(2, "crime_reference"), (2, "offence")]


def test_a_formula_is_kept_as_the_words_it_is() -> None:
    formula = '=HYPERLINK("http://x","y")'
    assert read(row(offence=formula)).good[0].values["offence"] == formula


@pytest.mark.parametrize("column", ["reported_at", "occurred_at"])
def test_a_day_without_a_time_is_its_midnight_with_a_warning(column: str) -> None:
    reading = read(row(**{column: "21/11/2026"}))
    assert reading.good[0].values[column] == datetime(2026, 11, 21, tzinfo=UTC)
    assert [
        warned.reason
        for warned in reading.warnings
        if warned.column == column and "midnight" in warned.reason
    ] == ["No time of day: taken as midnight."]
