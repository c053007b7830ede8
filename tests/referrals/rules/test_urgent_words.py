"""Words that call for a referral now."""

import pytest

from referrals.rules.urgent_words import asks_for_contact, says_high_risk


@pytest.mark.parametrize(
    "wishes",
    [
        "Asks for contact",
        "asked for a call",
        "Victim wants to speak to an officer",
        "WANTS CONTACT",
        "Would like a visit in person",
        "I’d like a call back",
        "Requests police contact as soon as possible",
        "Contact requested",
        "Please contact me on Tuesday",
        "Not by telephone. Wants to be contacted in person",
        "needs to talk to somebody",
        "Please ring her",
        "Please ring me on Tuesday",
        "Please phone ASAP",
        "Please call back",
        "wants a ring back",
        "Wants someone to call",
        "asked the team to visit",
        "Call back please",
        "Has no phone but wants a visit",
        "Not coping and wants contact",
    ],
)
def test_a_request_for_contact_is_seen(wishes: str) -> None:
    assert asks_for_contact(wishes)


@pytest.mark.parametrize(
    "wishes",
    [
        "",
        "In person",
        "Please call after 6pm",
        "Telephone only",
        "No contact",
        "Does not want contact",
        "Doesn't want to be contacted",
        "Didn’t ask for contact, wants no visit",
        "Victim declined a call",
        "Contact through solicitor",
        "Please call only after 6pm",
        "Please ring between 9 and 5",
        "Does not want to be called or visited",
        "Declined contact and support",
    ],
)
def test_a_way_or_time_of_contact_or_a_refusal_is_no_request(wishes: str) -> None:
    assert not asks_for_contact(wishes)


@pytest.mark.parametrize(
    "note",
    [
        "HIGH RISK",
        "Assessed as high-risk",
        "Risk is high",
        "Threats to kill made",
        "Suspect has a knife",
        "Victim is suicidal",
        "Referred to MARAC",
        "Fears for her life",
        "Threatened to kill her",
        "threats made to kill",
        "Suspect says he will kill her",
        "DASH: high",
        "Suspect carries a machete",
        "Was stabbed last year",
        "No injuries but suspect has a gun",
    ],
)
def test_high_risk_is_seen(note: str) -> None:
    assert says_high_risk(["Dog at address", note])


@pytest.mark.parametrize(
    "note",
    [
        "Dog at address",
        "Not high risk",
        "No weapons seen",
        "No threats to kill",
        "DASH standard",
        "Kill switch fitted to the car",
        "Standard risk",
        "Do not attend the address: suspect",
    ],
)
def test_other_notes_are_none(note: str) -> None:
    assert not says_high_risk([note])
    assert not says_high_risk([])
