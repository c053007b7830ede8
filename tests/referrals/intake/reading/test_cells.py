"""From the text of one cell to its value."""

from typing import Any

import pytest

from referrals.intake.reading.cells import read_repeat, read_strands, says_not_known
from referrals.rules.postcodes import read_postcode
from referrals.table_files.cells import unwrapped


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
        ("Racist and Religious", ["race", "religion"], []),
        ("Racist and religious hate crime", ["race", "religion"], []),
        ("Race / Religion", ["race", "religion"], []),
        ("Race (and religion)", ["race", "religion"], []),
        ("Religion (not race)", ["religion"], []),
        ("Sexual Orientation (Lesbian/Gay)", ["sexual_orientation"], []),
        ("Religion or belief", ["religion"], []),
        ("RI; FH", [], ["RI", "FH"]),
        ("Racist and FH", [], ["Racist and FH"]),
        *(
            (word, ["race"], [])
            for word in ("Racial Incident", "Racially motivated", "racially-aggravated offence")
        ),
        *(
            (word, ["religion"], [])
            for word in (
                *(
                    "Anti-Semitic",
                    "Antisemitic",
                    "ANTI SEMITISM",
                    "Islamophobic",
                    "Anti-Muslim",
                    "anti muslim",
                ),
                *("Faith Hate", "Faith", "Sectarian", "sectarian hate incident"),
            )
        ),
        *((word, ["sexual_orientation"], []) for word in ("Homophobic hate crime", "Biphobic", "homophobia")),
        *((word, ["transgender"], []) for word in ("Transphobic", "Trans", "trans hate crime")),
        *((word, ["disability"], []) for word in ("Disability hate crime", "Disablist", "Disablism")),
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


NOT_KNOWN = (
    *(
        "UNKNOWN",
        "unknown",
        "Unk",
        "Not known",
        "NOT-KNOWN",
        "N/K",
        "n.k.",
        "NK",
        "N/A",
        "n/a",
        "none",
        "NONE",
    ),
    *(
        "null",
        "nil",
        "NaN",
        "0",
        "00000",
        "0000000",
        "-",
        "--",
        "\u2014",
        "?",
        "???",
        ".",
        "x",
        "XXXX",
        "9999999",
    ),
    *(
        "1111111",
        "not recorded",
        "Not Recorded",
        "not yet known",
        "TBC",
        "to be confirmed",
        "V0000000",
        "CAD 0",
    ),
    *("CAD unknown", "No CAD", "victim not known", "URN: not recorded", "CAD", "Victim ID", "unknown victim"),
    *(
        "Unknown 1",
        "unknown victim 2",
        "UNKNOWN/2026",
        "Victim 1",
        "VICTIM1",
        "V1",
        "v12",
        "TBC1",
        "N/K 23/11",
    ),
    *(
        "N/K 23/11/2026",
        "NK 23/11",
        "No 4",
        "no CAD yet",
        "CAD not created yet",
        "Not known - see log",
        "see MG11",
    ),
    *(
        "none - online report",
        "withheld",
        "Declined",
        "#N/A",
        "#REF!",
        "(blank)",
        "not on system",
        "Not linked",
    ),
    *("V9999999", "V1111111", "CAD 0000", "ref 99", "XX", "No URN yet 1", "not yet 2026", "Public order"),
)


@pytest.mark.parametrize("text", NOT_KNOWN)
def test_a_key_that_says_that_it_is_not_known_is_none(text: str) -> None:
    assert says_not_known(text)


@pytest.mark.parametrize(
    "text",
    [
        *("CAD5100/26NOV26", "V8801000", "4711", "12", "KX12", "N412345", "V1000000", "0012", "99991"),
        *(
            "2222",
            "CAD 2222",
            "V333",
            "CAD 51/26NOV26",
            "No 4711",
            "No. 471",
            "NA12345",
            "NK4711",
            "NA/12345/26",
        ),
        *("Victim 471", "Unit-77-A", "SMITH/01011980"),
    ],
)
def test_a_key_with_something_to_tell_it_by_is_one(text: str) -> None:
    assert not says_not_known(text)


def test_a_force_adds_the_words_of_its_own_systems(settings: Any) -> None:
    says_not_known.cache_clear()
    assert not says_not_known("SMITH 1980")
    settings.KEYS_NOT_KNOWN = ["smith 1980"]
    says_not_known.cache_clear()
    assert says_not_known("SMITH (1980)")
    says_not_known.cache_clear()


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (
            True,
            ("y", "Yes", "1", "2", "3", "12", "2.0", "Y (2)", "Yes - 4 in 12 months", "Repeat", "3 previous"),
        ),
        (
            True,
            ("repeat victim", "Y/2", "Yes, twice", "RV", "Repeat: 3 in a year", "Yes - see log", "1 (one)"),
        ),
        (
            False,
            ("", "n", "No", "0", "0 in 12 months", "N (0)", "Not a repeat", "non-repeat", "First", "None"),
        ),
        (
            False,
            (
                *(
                    "No previous reports",
                    "No prior",
                    "Not previously a victim",
                    "Never",
                    "never before",
                    "N.",
                    "No (0)",
                ),
                *("First time victim", "New victim", "None known", "Nil recorded", "No in last 12 months"),
                *("Not repeat victim", "No repeats", "N - 12 months"),
            ),
        ),
        (None, ("?", "unknown", "N/K", "maybe", "see log", "not known", "Y (0)", "-")),
        (
            None,
            (
                *(
                    "Not checked",
                    "Not sure",
                    "not established",
                    "N/K at present",
                    "No data",
                    "Never asked",
                    "N/A",
                ),
                *(
                    "No - see log",
                    "Not a clue",
                    "N (2)",
                    "No answer",
                    "None of the officers asked",
                    "new to the area",
                ),
                *(
                    "Y/N",
                    "Yes/No",
                    "Yes?",
                    "Repeat: No",
                    "Repeat - not known",
                    "Repeat N/K",
                    "T.B.C.",
                    "yes unknown",
                ),
                *("23/11/2026", "12 months", "1.5.2026", "Multiple, not checked"),
            ),
        ),
    ],
)
def test_a_repeat_victim_is_said_in_words_or_as_a_count(answer: bool | None, texts: tuple[str, ...]) -> None:
    assert {text: read_repeat(text) for text in texts} == dict.fromkeys(texts, answer)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('="09/8812000/26"', "09/8812000/26"),
        (' ="V001" ', "V001"),
        ('="say ""no"""', 'say "no"'),
        ('=""', ""),
        ("=1+1", "=1+1"),
        ('="a', '="a'),
        ("plain", "plain"),
    ],
)
def test_a_cell_is_read_as_a_spreadsheet_shows_it(cell: str, shown: str) -> None:
    assert unwrapped(cell) == shown
