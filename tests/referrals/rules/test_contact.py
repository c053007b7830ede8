"""The rules of contact."""

import pytest

from referrals.models import CLOSED_BY_RECORD, CloseReason, FollowUpKind, Method, Restriction, Result
from referrals.rules.contact import (
    CONTACT_MADE,
    contradiction,
    is_barred,
    is_contact,
    method_wished,
    methods_barred,
    results_barred,
    same_person,
    why_not_close,
)


def test_no_home_visit_bars_a_home_visit_and_nothing_else():
    assert methods_barred([Restriction.NO_HOME_VISIT]) == {Method.HOME_VISIT}
    assert results_barred([Restriction.NO_HOME_VISIT]) == set()


def test_no_voicemail_bars_leaving_a_message_by_any_method():
    assert results_barred([Restriction.NO_VOICEMAIL]) == {Result.MESSAGE_LEFT}
    assert methods_barred([Restriction.NO_VOICEMAIL]) == set()
    for method in Method:
        assert is_barred(method, Result.MESSAGE_LEFT, [Restriction.NO_VOICEMAIL])
        assert not is_barred(method, Result.NO_ANSWER, [Restriction.NO_VOICEMAIL])


@pytest.mark.parametrize(
    "restriction",
    [each for each in Restriction if each not in (Restriction.NO_HOME_VISIT, Restriction.NO_VOICEMAIL)],
)
def test_the_other_restrictions_bar_no_way_of_contact(restriction):
    assert methods_barred([restriction]) == results_barred([restriction]) == set()


def test_nothing_is_barred_without_restrictions():
    assert not any(is_barred(method, result, []) for method in Method for result in Result)


def test_only_contact_made_is_contact():
    assert [result for result in Result if is_contact(result)] == [Result.CONTACT_MADE]
    assert Result.CONTACT_MADE == CONTACT_MADE


# wish; the way that is chosen already where every way is offered
WISHES = [
    ("", Method.TELEPHONE),
    ("None", Method.TELEPHONE),
    ("No preference", Method.TELEPHONE),
    ("Telephone", Method.TELEPHONE),
    ("Telephone only", Method.TELEPHONE),
    ("By phone, please.", Method.TELEPHONE),
    ("Prefers a call by mobile", Method.TELEPHONE),
    ("In person", Method.HOME_VISIT),
    ("IN PERSON", Method.HOME_VISIT),
    ("Face-to-face only", Method.HOME_VISIT),
    ("Home visit please", Method.HOME_VISIT),
    ("Video call", Method.VIDEO),
    ("FaceTime preferred", Method.VIDEO),
    ("Text relay", Method.RELAY),
    ("BSL", Method.RELAY),
]
# Each of these says more than how: what it means is for the officer to weigh.
TO_BE_READ = [
    "Do not ring",
    "No calls",
    "Text only",
    "By letter",
    "In person or by video",
    "In person, not at home",
    "In person at the station",
    "Meet only at solicitor's office",
    "Visit at refuge only",
    "Visit refused",
    "A visit would not be safe",
    "Visits would put her at risk",
    "Visiting is dangerous: husband at home",
    "No visits while ex lives next door",
    "Police must not visit until suspect moves out",
    "Unsafe to ring",
    "Phone is checked by husband",
    "Doesn't want calls after what happened",
    "Prefers visit to phone call",
    "Telephone is not safe. Come to her home",
    "Not available by phone until 6pm",
    "Evenings",
]


@pytest.mark.parametrize(("wishes", "method"), WISHES)
def test_a_wish_that_says_how_and_nothing_else_is_chosen_already(wishes, method):
    assert method_wished(wishes, Method.values) == method


@pytest.mark.parametrize("wishes", TO_BE_READ)
def test_nothing_is_chosen_where_a_wish_says_more(wishes):
    assert method_wished(wishes, Method.values) is None


@pytest.mark.parametrize("wishes", ["In person", "Home visit"])
def test_a_way_that_is_not_offered_is_never_chosen(wishes):
    offered = [each for each in Method.values if each != Method.HOME_VISIT]
    assert method_wished(wishes, offered) is None
    assert method_wished("", offered) == Method.TELEPHONE


@pytest.mark.parametrize("result", [Result.NO_ANSWER, Result.MESSAGE_LEFT, Result.WRONG_DETAILS])
def test_a_wish_cannot_have_been_spoken_where_nobody_was_spoken_to(result):
    assert "change the result" in contradiction(
        result, follow_ups=[FollowUpKind.STATEMENT], support_offered=False
    )
    assert contradiction(result, follow_ups=[FollowUpKind.WITHDRAW], support_offered=False)
    assert contradiction(result, follow_ups=[], support_offered=True)
    assert not contradiction(result, follow_ups=[], support_offered=False)
    assert not contradiction(
        result, follow_ups=[FollowUpKind.NEW_OFFENCE, FollowUpKind.THREAT], support_offered=False
    )


@pytest.mark.parametrize(
    "result",
    [Result.CONTACT_MADE, Result.SOMEONE_ELSE, Result.CALL_BACK, Result.DECLINED, Result.UNSAFE],
)
def test_anything_can_come_up_in_a_conversation(result):
    assert not contradiction(result, follow_ups=list(FollowUpKind), support_offered=True)


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("PC 3758SW", "pc3758sw", True),
        (" PC  3758SW ", "PC 3758SW", True),
        ("PC 3758SW", "PC 3759SW", False),
        ("", "", False),
        (" ", "", False),
    ],
)
def test_ranks_with_numbers_are_compared_without_spaces_and_case(name, other, same):
    assert same_person(name, other) is same


# reason; results of the attempts that stand; a supervisor; may close
CLOSING = [
    (CloseReason.DECLINED, [], False, False),
    (CloseReason.DECLINED, [], True, False),
    (CloseReason.DECLINED, [Result.NO_ANSWER, Result.NO_ANSWER], True, False),
    (CloseReason.DECLINED, [Result.NO_ANSWER, Result.DECLINED], False, True),
    (CloseReason.WRONG_DETAILS, [Result.NO_ANSWER], False, False),
    (CloseReason.WRONG_DETAILS, [Result.WRONG_DETAILS], False, True),
    (CloseReason.UNSAFE, [], False, False),
    (CloseReason.UNSAFE, [], True, True),
    (CloseReason.UNSAFE, [Result.UNSAFE], False, False),
    (CloseReason.NO_REPLY, [], True, False),
    (CloseReason.NO_REPLY, [Result.NO_ANSWER], True, False),
    (CloseReason.NO_REPLY, [Result.NO_ANSWER, Result.MESSAGE_LEFT], False, True),
    # The crime record's alone, and the hate crime officer's, whatever was tried.
    *((reason, list(Result), True, False) for reason in (*CLOSED_BY_RECORD, CloseReason.NOT_SUITABLE)),
]


@pytest.mark.parametrize(("reason", "results", "decides_safety", "may"), CLOSING)
def test_a_reason_to_close_must_have_been_shown(reason, results, decides_safety, may):
    why = why_not_close(reason, results=results, decides_safety=decides_safety)
    assert (why == "") is may


def test_every_reason_to_close_is_in_the_table():
    assert {row[0] for row in CLOSING} == set(CloseReason)
