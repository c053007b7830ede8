"""From the text of one cell to its value."""

import pytest

from referrals.intake.reading.cells import read_strands
from referrals.rules.postcodes import read_postcode


@pytest.mark.parametrize(
    ("text", "strands", "unknown"),
    [
        ("Race", ["race"], []),
        ("religion ;RACE", ["race", "religion"], []),
        ("Race; Race", ["race"], []),
        (
            "Sexual  Orientation;Transgender;Disability",
            ["sexual_orientation", "disability", "transgender"],
            [],
        ),
        ("Race; Goth subculture", ["race"], ["Goth subculture"]),
        ("", [], []),
        (" ; ", [], []),
        ("Racist, Homophobic", ["race", "sexual_orientation"], []),
        ("Race/Ethnicity", ["race"], []),
        ("Race/Disability", ["race", "disability"], []),
        ("Faith & Trans", ["religion", "transgender"], []),
        ("Race\nReligion or belief", ["race", "religion"], []),
        ("Race/Goth", [], ["Race/Goth"]),
    ],
)
def test_several_strands_are_read_as_people_write_them(
    text: str, strands: list[str], unknown: list[str]
) -> None:
    assert read_strands(text) == (strands, unknown)


@pytest.mark.parametrize("text", ["SW19 7QP", "sw197qp", " SW19  7QP ", "sw1 9 7qp"])
def test_a_postcode_is_found_however_it_is_spaced_and_cased(text: str) -> None:
    assert read_postcode(text) == "SW19 7QP"


@pytest.mark.parametrize("text", ["", "NFA", "Hostel", "SW19", "7QP SW19", "SW19 7QPX"])
def test_what_has_not_the_form_of_a_postcode_finds_nothing(text: str) -> None:
    assert read_postcode(text) == ""
