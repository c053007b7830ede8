"""Logging contact, closing without it, and withdrawing an attempt."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from referrals.models import (
    CloseReason,
    ContactAttempt,
    FollowUp,
    Method,
    ReferralStatus,
    Restriction,
    Result,
    TextKind,
)
from src_app.audit.models import Action, AuditEntry
from tests.factories import ContactAttemptFactory, PersonalTextFactory, ReferralNoticeFactory

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def referral(make_referral):
    return make_referral()


@pytest.fixture
def client(client_of, officer):
    return client_of(officer)


def given(method=Method.TELEPHONE, result=Result.NO_ANSWER, **more):
    """What the form posts."""
    return {"key": uuid.uuid4(), "method": method, "result": result, **more}


def address(name, referral, *more):
    return reverse(name, args=[referral.number, *more])


def test_three_taps_log_a_contact_and_nothing_needs_typing(client, referral, officer, now):
    response = client.post(address("log_contact", referral), given(result=Result.CONTACT_MADE))
    attempt = ContactAttempt.objects.get()
    assert response.url == address("attempt_saved", referral, attempt.pk)
    assert (attempt.made_by, attempt.made_at, attempt.logged_at) == (officer, now, now)
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.COMPLETED


def test_all_that_came_up_is_kept(client, referral, now):
    ticks = dict.fromkeys(["with_interpreter", "risk_assessment", "support_offered", "noted_on_record"], "on")
    client.post(
        address("log_contact", referral),
        given(
            Method.VIDEO,
            Result.CONTACT_MADE,
            follow_ups=["statement", "threat"],
            made_at="2026-11-23T07:05",
            note="Ring in the evening",
            **ticks,
        ),
    )
    attempt = ContactAttempt.objects.get()
    assert all(getattr(attempt, name) for name in ticks)
    assert attempt.made_at == now - timedelta(minutes=25)
    assert attempt.note
    assert attempt.note.body == "Ring in the evening"
    assert set(FollowUp.objects.values_list("kind", flat=True)) == {"statement", "threat"}
    entries = AuditEntry.objects.all().values_list("references", "fields", "recipients", "origin")
    assert "evening" not in str(list(entries))


def test_a_time_to_call_back_and_the_minutes_are_kept_and_said(client, referral):
    address_of_form = address("log_contact", referral)
    call_back = {"call_back_at": "2026-11-23T14:30", "minutes_spent": "under_5"}
    saved = client.post(address_of_form, given(result=Result.CALL_BACK, **call_back), follow=True).text
    assert "Call back Monday 23 November, 2:30pm." in saved
    for name in ("referral", "log_contact", "my_referrals"):
        page = client.get(reverse(name, args=[] if name == "my_referrals" else [referral.number])).text
        assert "<strong>Ring at 2:30pm</strong>" in page
    assert "Under 5 minutes" in client.get(address("referral", referral)).text
    # What was typed for another result does not count.
    client.post(address_of_form, given(result=Result.NO_ANSWER, **call_back))
    referral.refresh_from_db()
    assert referral.call_back_at is None


def test_an_interpreter_is_offered_at_once_where_one_may_be_needed(client, make_referral):
    plain, restricted, in_need = (
        make_referral(),
        make_referral(case__restrictions=[Restriction.INTERPRETER]),
        make_referral(),
    )
    PersonalTextFactory.create(case=in_need.case, kind=TextKind.COMMUNICATION_NEED, body="Speaks Polish")
    for referral, is_folded in ((plain, True), (restricted, False), (in_need, False)):
        page = client.get(address("log_contact", referral)).text
        assert (page.index("With an interpreter") > page.index("If it came up")) == is_folded


def test_a_double_tap_logs_once_and_ends_on_the_same_page(client, referral):
    form = given(result=Result.CONTACT_MADE)
    first, second = (client.post(address("log_contact", referral), form) for _ in range(2))
    attempt = ContactAttempt.objects.get()
    assert first.url == second.url == address("attempt_saved", referral, attempt.pk)


def test_a_second_answer_after_a_lost_connection_is_asked_about_and_kept_by_one_more_press(client, referral):
    """The first answer was saved, though the phone never heard of it."""
    form = given(result=Result.NO_ANSWER)
    client.post(address("log_contact", referral), form)
    second = {
        **form,
        "result": Result.CONTACT_MADE,
        "follow_ups": ["threat", "statement"],
        "note": "Rang back",
    }
    asked = client.post(address("log_contact", referral), second)
    assert "was not saved: save again" in asked.text
    assert "Rang back" in asked.text
    assert ContactAttempt.objects.count() == 1
    assert len(re.findall(r'name="follow_ups"[^>]* checked', asked.text)) == 2
    [key] = re.findall(r'name="key" value="([^"]+)"', asked.text)
    client.post(address("log_contact", referral), {**second, "key": key})
    assert [attempt.result for attempt in referral.attempts.order_by("pk")] == ["no_answer", "contact_made"]
    assert set(FollowUp.objects.values_list("kind", flat=True)) == {"threat", "statement"}


def test_a_barred_method_is_not_offered_but_can_be_recorded(client, make_referral):
    referral = make_referral(case__restrictions=[Restriction.NO_HOME_VISIT, Restriction.NO_VOICEMAIL])
    text = client.get(address("log_contact", referral)).content.decode()
    offered, _, folded = text.partition("Another way")
    assert 'value="home_visit"' not in offered
    assert 'value="home_visit"' in folded
    results, _, other = folded.partition("Something else")
    assert 'value="message_left"' not in results
    assert 'value="message_left"' in other
    response = client.post(address("log_contact", referral), given(Method.HOME_VISIT), follow=True)
    assert "your supervisor is told" in response.content.decode()
    assert ContactAttempt.objects.get().barred_method


def test_every_way_is_offered_where_nothing_is_barred(client, referral):
    text = client.get(address("log_contact", referral)).content.decode()
    assert "The restrictions rule this out" not in text
    for value in [*Method.values, *Result.values]:
        assert text.count(f'value="{value}"') == 1


@pytest.mark.parametrize(
    ("wishes", "note", "chosen"),
    [
        ("", "", ["telephone"]),
        ("", "Suspect next door", ["telephone"]),
        ("Please call after 6pm", "", []),
        ("In person", "", ["home_visit"]),
        ("In person", "Suspect next door", []),
        ("Video call", "", ["video"]),
        ("Text only", "", []),
    ],
)
def test_the_way_that_the_victim_wishes_is_chosen_already(client, referral, wishes, note, chosen):
    for kind, body in ((TextKind.CONTACT_WISHES, wishes), (TextKind.SAFETY_NOTE, note)):
        if body:
            PersonalTextFactory.create(case=referral.case, kind=kind, body=body)
    text = client.get(address("log_contact", referral)).text
    assert re.findall(r'name="method"\s+value="(\w+)"[^>]* checked', text) == chosen
    assert bool(re.search(r"<details[^>]* open[^>]*>\s*<summary>Another way", text)) == (chosen == ["video"])


def test_a_home_visit_that_is_ruled_out_is_not_chosen(client, make_referral):
    referral = make_referral(case__restrictions=[Restriction.NO_HOME_VISIT])
    PersonalTextFactory.create(case=referral.case, kind=TextKind.CONTACT_WISHES, body="Home visit")
    text = client.get(address("log_contact", referral)).text
    assert "Wishes: Home visit" in text
    assert not re.search(r'name="method"[^>]* checked', text)


def test_invalid_input_keeps_everything_typed(client, referral):
    response = client.post(
        address("log_contact", referral),
        {
            "key": "5c7b1f0e-6a1b-4b0e-9a52-3f8f7f1f0a01",
            "result": Result.CALL_BACK,
            "follow_ups": ["withdraw"],
            "support_offered": "on",
            "made_at": "2026-11-23T07:05",
            "note": "Ring <after> seven",
        },
    )
    text = " ".join(response.content.decode().split())
    assert "There is a problem" in text
    assert "Choose how you tried." in text
    assert "5c7b1f0e-6a1b-4b0e-9a52-3f8f7f1f0a01" in text
    assert 'value="call_back" id="id_result_other_1" checked' in text
    assert re.search(r'value="withdraw" id="id_follow_ups_1"[^>]* checked', text)
    assert 'id="id_support_offered" checked' in text
    assert 'value="2026-11-23T07:05"' in text
    assert "Ring &lt;after&gt; seven" in text
    assert "<title> Error:" in text or "<title>Error:" in text
    assert not ContactAttempt.objects.exists()


def test_a_postcode_in_a_note_is_sent_back_and_not_kept(client, referral):
    response = client.post(
        address("log_contact", referral), given(result=Result.NO_ANSWER, note="Moved to SW18 2PR")
    )
    text = response.content.decode()
    assert "telephone numbers, e-mail addresses and postcodes stay" in text
    assert "Moved to SW18 2PR" in text
    assert not ContactAttempt.objects.exists()


def test_what_the_action_refuses_is_said_and_keeps_everything(client, referral):
    response = client.post(
        address("log_contact", referral),
        given(result=Result.CONTACT_MADE, made_at="2026-11-23T23:00", note="Kept"),
    )
    text = response.content.decode()
    assert "That time is still to come" in text
    assert "Kept" in text
    assert not ContactAttempt.objects.exists()


@pytest.mark.parametrize("made_at", ["yesterday", "2026-13-01T10:00"])
def test_a_time_that_is_none_is_said_and_given_back(client, referral, made_at):
    response = client.post(address("log_contact", referral), given(made_at=made_at))
    text = response.content.decode()
    assert "Give the day and the time" in text
    assert f'value="{made_at}"' in text


def test_what_is_found_unsafe_is_answered_by_the_supervisor_from_the_follow_ups(
    client, client_of, referral, supervisor, colleague
):
    client.post(address("log_contact", referral), given(result=Result.DECLINED))
    saved = client.post(address("log_contact", referral), given(result=Result.UNSAFE), follow=True).text
    assert "Wait: a supervisor is asked whether another way is safe." in saved
    assert "or try again" not in saved
    page, sergeant = address("decide_safety", referral), client_of(supervisor)
    assert client.get(page).status_code == 403
    assert f'href="{page}"' in sergeant.get(reverse("follow_up_list")).text
    assert "Choose a way that is safe" in sergeant.post(page).text
    assert "stays open" in sergeant.post(page, {"answer": "video"}, follow=True).text
    decided = "how to make contact safely: video."
    for name in ("referral", "log_contact"):
        assert decided in client_of(colleague).get(address(name, referral)).text
    closed = sergeant.post(page, {"answer": "close"}, follow=True).text
    assert "no way is safe" in closed
    referral.refresh_from_db()
    assert referral.close_reason == CloseReason.UNSAFE
    assert sergeant.get(page).url == address("referral", referral)


def test_a_barred_way_cannot_be_ticked_as_a_follow_up(client, referral):
    response = client.post(address("log_contact", referral), given(follow_ups=["barred_method"]))
    assert "barred_method is not one of the available choices" in response.content.decode()
    assert not ContactAttempt.objects.exists()


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (Result.DECLINED, CloseReason.DECLINED),
        (Result.WRONG_DETAILS, CloseReason.WRONG_DETAILS),
    ],
)
def test_such_a_result_asks_once_whether_to_close(client, referral, officer, result, reason):
    response = client.post(address("log_contact", referral), given(result=result), follow=True)
    text = response.content.decode()
    assert "Close it without contact, or try again." in text
    assert f'href="{address("close_referral", referral)}"' in text
    page = client.get(address("close_referral", referral))
    assert f'value="{reason}" id="id_reason_0" checked' in " ".join(page.content.decode().split())
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN
    closed = client.post(address("close_referral", referral), {"reason": reason})
    assert closed.url == reverse("my_referrals")
    referral.refresh_from_db()
    assert (referral.status, referral.close_reason, referral.closed_by) == ("closed", reason, officer)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"result": Result.NO_ANSWER}, ["Still to do", "Try again. Due Thursday 26 November, 6:30am."]),
        ({"result": Result.CALL_BACK}, ["Call back as the victim asked. Due Thursday"]),
        ({"result": Result.CONTACT_MADE, "noted_on_record": "on"}, ["Nothing more to do"]),
        ({"result": Result.CONTACT_MADE}, ["Still to do", "Note it on crime record 01/7000001/26"]),
        (
            {"result": Result.CONTACT_MADE, "follow_ups": ["statement", "withdraw"]},
            ["wants to give a statement: tell PC 9001.", "wishes to withdraw support: tell PC 9001."],
        ),
        (
            {"result": Result.CONTACT_MADE, "follow_ups": ["new_offence", "threat"]},
            ["tell your supervisor now. Danger now: 999.", "recorded as a crime of its own"],
        ),
    ],
)
def test_the_page_after_saving_says_what_is_left_to_do(client, make_referral, form, says):
    referral = make_referral(case__crime_reference="01/7000001/26")
    response = client.post(address("log_contact", referral), given(**form), follow=True)
    text = response.content.decode()
    for each in says:
        assert each in text
    assert ('id="words"' in text) == ("noted_on_record" not in form)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.references) == (Action.REFERRAL_OPENED, [referral.number, "01/7000001/26"])


def test_the_words_to_copy_hold_nothing_that_not_every_reader_of_the_crime_record_may_see(
    client, make_referral, colleague, now
):
    shared = {"case__victim_hash": "a" * 64}
    referral = make_referral(**shared, case__restrictions=[Restriction.NO_HOME_VISIT])
    linked = make_referral(**shared, taken_by=colleague, taken_at=now)
    form = given(
        Method.HOME_VISIT,
        Result.CONTACT_MADE,
        with_interpreter="on",
        risk_assessment="on",
        support_offered="on",
        follow_ups=["statement"],
        note="Mrs Example prefers mornings",
    )
    text = client.post(address("log_contact", referral), form, follow=True).content.decode()
    [words] = re.findall(r'<pre id="words"[^>]*>(.*?)</pre>', text, re.DOTALL)
    assert words == (
        "Reassurance contact by PC 1001, 23 November 2026, 7:30am. Home visit, with an interpreter. "
        "Contact made: spoke with the victim or guardian. Risk assessment done or in place. "
        "Support referral offered. Wants to give a statement."
    )
    for hidden in (referral.number, linked.number, "PCSO 7002", "Example"):
        assert hidden not in words


def test_what_is_left_to_do_leads_to_the_referral_once_the_attempt_is_withdrawn(client, referral, officer):
    attempt = ContactAttemptFactory.create(referral=referral, made_by=officer)
    page = address("attempt_saved", referral, attempt.pk)
    assert f'href="{page}"' in client.get(address("referral", referral)).content.decode()
    client.post(address("withdraw_attempt", referral, attempt.pk), {"key": uuid.uuid4()})
    assert client.get(page).url == address("referral", referral)
    assert f'href="{page}"' not in client.get(address("referral", referral)).content.decode()


def test_a_supervisor_who_tried_once_is_not_asked_to_close(client_of, supervisor, referral):
    response = client_of(supervisor).post(address("log_contact", referral), given(), follow=True)
    text = response.content.decode()
    assert "Try again." in text
    assert address("close_referral", referral) not in text


def test_a_follow_up_that_somebody_deals_with_is_not_left_to_do(client, referral, officer, now):
    client.post(
        address("log_contact", referral),
        given(result=Result.CONTACT_MADE, noted_on_record="on", follow_ups=["statement"]),
    )
    FollowUp.objects.update(acknowledged_at=now, acknowledged_by=officer)
    attempt = ContactAttempt.objects.get()
    assert "Nothing more to do" in client.get(address("attempt_saved", referral, attempt.pk)).content.decode()


def test_only_the_rarer_ways_and_what_came_up_are_folded_away(client, make_referral):
    plain = client.get(address("log_contact", make_referral())).content.decode()
    before, *_ = plain.partition("Another way")
    assert [f'value="{each}"' in before for each in Method.values] == [True, True, False, False, False]
    assert plain.index("If it came up") < plain.index('name="with_interpreter"')
    needed = make_referral(case__restrictions=[Restriction.INTERPRETER])
    text = client.get(address("log_contact", needed)).content.decode()
    assert text.index('name="with_interpreter"') < text.index("If it came up")
    refused = client.post(address("log_contact", needed), given("", follow_ups=["threat"])).content.decode()
    assert re.search(r"<details[^>]*open[^>]*>\s*<summary>If it came up", refused)


def test_opening_the_form_is_recorded(client, referral):
    client.get(address("log_contact", referral))
    entry = AuditEntry.objects.get(action=Action.REFERRAL_OPENED)
    assert entry.references == [referral.number, referral.case.crime_reference]


def test_there_is_no_form_for_a_completed_referral_nor_for_the_officer_in_the_case(client, make_referral):
    for referral in (make_referral(completed=True), make_referral(case__officer_in_case="PC 1001")):
        assert client.get(address("log_contact", referral)).url == address("referral", referral)
        response = client.post(address("log_contact", referral), given())
        assert response.status_code == 200
        assert "There is a problem" in response.content.decode()


def test_a_closed_referral_takes_only_contact_made(client, make_referral, now):
    referral = make_referral(closed=True, closed_at=now, made_at=now - timedelta(days=1))
    text = client.get(address("log_contact", referral)).content.decode()
    assert "only if contact was made after all" in text
    assert 'value="no_answer"' not in text
    client.post(address("log_contact", referral), given(result=Result.CONTACT_MADE))
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.COMPLETED


def test_closing_without_a_reason_shown_says_what_to_do(client, referral):
    text = client.get(address("close_referral", referral)).content.decode()
    assert "do not show a reason yet" in text
    assert address("log_contact", referral) in text


@pytest.mark.parametrize(
    ("reason", "words"), [("", "Choose why"), ("no_reply", "at least 2 times"), ("x", "There is a problem")]
)
def test_a_wrong_reason_is_refused(client, referral, reason, words):
    ContactAttemptFactory.create(referral=referral, result=Result.DECLINED)
    response = client.post(address("close_referral", referral), {"reason": reason})
    assert words in response.content.decode()
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN


def test_the_page_to_close_an_ended_referral_leads_to_the_referral(client, make_referral):
    referral = make_referral(completed=True)
    assert client.get(address("close_referral", referral)).url == address("referral", referral)


def test_withdrawing_asks_once_and_opens_the_referral_again(client, referral, officer):
    client.post(address("log_contact", referral), given(result=Result.CONTACT_MADE))
    attempt = ContactAttempt.objects.get()
    page = address("withdraw_attempt", referral, attempt.pk)
    assert "open again" in client.get(page).content.decode()
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.COMPLETED
    form = {"key": uuid.uuid4()}
    for _ in range(2):
        response = client.post(page, form, follow=True)
        assert "The attempt is withdrawn" in response.content.decode()
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN
    assert ContactAttempt.objects.count() == 2
    again = client.post(page, {"key": uuid.uuid4()}, follow=True)
    assert "withdrawn already" in again.content.decode()


def test_withdrawing_without_the_forms_key_does_nothing(client, referral, officer):
    attempt = ContactAttemptFactory.create(referral=referral, made_by=officer)
    response = client.post(address("withdraw_attempt", referral, attempt.pk))
    assert "Open this page again" in response.content.decode()
    assert ContactAttempt.objects.count() == 1


def test_an_attempt_is_found_under_its_own_referral_only(client, make_referral, referral, officer):
    attempt = ContactAttemptFactory.create(referral=make_referral(), made_by=officer)
    for name in ("withdraw_attempt", "attempt_saved"):
        assert client.get(address(name, referral, attempt.pk)).status_code == 404


def test_the_hcop_logs_closes_and_withdraws_nothing(client_of, referral, hcop):
    attempt = ContactAttemptFactory.create(referral=referral)
    client = client_of(hcop)
    for page in (
        address("log_contact", referral),
        address("close_referral", referral),
        address("withdraw_attempt", referral, attempt.pk),
    ):
        assert client.get(page).status_code == client.post(page, given()).status_code == 403


def test_what_changed_stands_before_the_form_and_reading_it_leads_back_to_it(client, referral):
    notice = ReferralNoticeFactory.create(referral=referral)
    page = address("log_contact", referral)
    text = client.get(page).content.decode()
    assert text.index("Changed since it was referred") < text.index("Save contact")
    assert text.index("Safety note") < text.index("I have read this") < text.index("No restrictions")
    response = client.post(
        address("read_changes", referral), {"notice": notice.pk, "back_to": "log_contact"}, follow=True
    )
    assert response.redirect_chain[-1][0] == page
    assert "Changed since" not in response.content.decode()


def test_what_the_crime_record_decides_is_neither_ticked_nor_chosen(client, referral):
    text = client.get(address("log_contact", referral)).content.decode()
    assert "Crime transferred" not in text
    ContactAttemptFactory.create(referral=referral, result=Result.DECLINED)
    response = client.post(address("close_referral", referral), {"reason": CloseReason.CANCELLED})
    assert response.status_code == 200
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.OPEN


def test_red_means_danger_and_stands_only_where_there_is_some(client_of, officer, make_referral):
    browser = client_of(officer)
    calm = make_referral()
    danger = make_referral(case__restrictions=["no_home_visit"])
    pages = {
        each: browser.get(reverse("log_contact", args=[each.number])).content.decode()
        for each in (calm, danger)
    }
    assert "app-restrictions--none" in pages[calm]
    assert "app-restrictions--none" not in pages[danger]
