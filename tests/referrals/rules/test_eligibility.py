"""What speaks against a case."""

from dataclasses import replace
from typing import Any

import pytest

from referrals.models import CloseReason, CrimeRecordKind, CrimeStatus
from referrals.rules.crime_record import grounds
from referrals.rules.eligibility import Report, ineligible_because, warnings, warnings_of_record

PLAIN = Report(
    is_crime=True,
    crime_status="recorded",
    hate_flag=True,
    individual_victim=True,
    under_18=False,
    ward_known=True,
)


def test_nothing_speaks_against_a_plain_crime_with_an_individual_victim() -> None:
    assert warnings(PLAIN) == []
    assert ineligible_because(PLAIN) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"is_crime": False}, "an incident, not a crime"),
        ({"crime_status": "cancelled"}, "was cancelled"),
        ({"crime_status": "transferred"}, "transferred to another force or BCU"),
        ({"hate_flag": False}, "hate flag was taken off"),
    ],
)
def test_what_is_no_hate_crime_of_the_bcu_cannot_be_suitable(change: dict[str, Any], says: str) -> None:
    sentence = ineligible_because(replace(PLAIN, **change))
    assert says in sentence
    assert sentence.endswith(": mark it not suitable.")


def test_nothing_else_keeps_a_case_from_being_suitable() -> None:
    assert not ineligible_because(replace(PLAIN, individual_victim=False, under_18=True, ward_known=False))


def test_each_thing_to_look_at_has_its_words() -> None:
    everything = Report(
        is_crime=False,
        crime_status="cancelled",
        hate_flag=False,
        individual_victim=False,
        under_18=True,
        ward_known=False,
    )
    assert warnings(everything) == [
        "Crime cancelled",
        "Incident, not a crime",
        "Hate flag taken off",
        "No individual victim",
        "Unknown postcode: choose a team",
        "Under 18",
    ]
    assert warnings_of_record(everything) == warnings(everything)[:3]


def test_the_weightiest_ground_comes_first_and_each_is_an_event_and_a_reason_to_close() -> None:
    every = [
        *grounds(is_crime=False, crime_status=CrimeStatus.CANCELLED, hate_flag=False),
        *grounds(is_crime=True, crime_status=CrimeStatus.TRANSFERRED, hate_flag=True),
    ]
    assert every == ["cancelled", "reclassified", "unflagged", "transferred"]
    assert grounds(is_crime=True, crime_status=CrimeStatus.RECORDED, hate_flag=True) == []
    assert {CrimeRecordKind(each).value for each in every} == {CloseReason(each).value for each in every}
