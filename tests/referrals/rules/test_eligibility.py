"""What speaks against a case."""

from dataclasses import replace

from referrals.rules.eligibility import Report, barred, warnings

PLAIN = Report(is_crime=True, individual_victim=True, under_18=False, ward_known=True)


def test_nothing_speaks_against_a_plain_crime_with_an_individual_victim() -> None:
    assert warnings(PLAIN) == []
    assert barred(PLAIN) == ""


def test_only_an_incident_that_is_no_crime_cannot_be_suitable() -> None:
    assert barred(replace(PLAIN, is_crime=False))
    assert not barred(replace(PLAIN, individual_victim=False, under_18=True, ward_known=False))


def test_each_thing_to_look_at_has_its_words() -> None:
    everything = Report(is_crime=False, individual_victim=False, under_18=True, ward_known=False)
    assert warnings(everything) == [
        "Incident, not a crime",
        "No individual victim",
        "Unknown postcode: choose a team",
        "Under 18",
    ]
