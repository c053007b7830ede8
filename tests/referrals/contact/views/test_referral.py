"""The page of one referral; taking it, handing it back, sending a reminder."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from referrals.models import FollowUpKind, Noticed, Notification, Restriction, Result, TextKind
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.factories import (
    ContactAttemptFactory,
    FollowUpFactory,
    PersonalTextFactory,
    ReferralNoticeFactory,
)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def open_as(client_of):
    """The referral's page as an account sees it."""
    return lambda user, referral: client_of(user).get(reverse("referral", args=[referral.number]))


def test_restrictions_notes_and_wishes_come_before_everything_else(open_as, make_referral, officer, now):
    referral = make_referral(
        case__restrictions=[Restriction.NO_HOME_VISIT, Restriction.VICTIM_ONLY],
        case__restrictions_set_at=now - timedelta(minutes=5),
        case__restrictions_set_by=officer,
    )
    for kind, body in (
        (TextKind.SAFETY_NOTE, "Dog at address"),
        (TextKind.REVIEW_SAFETY, "Suspect works nights"),
        (TextKind.CONTACT_WISHES, "Telephone only"),
        (TextKind.COMMUNICATION_NEED, "Easy read"),
    ):
        PersonalTextFactory.create(case=referral.case, kind=kind, body=body)
    text = open_as(officer, referral).content.decode()
    order = [
        "No home visit.",
        "Speak to the victim only.",
        "Dog at address",
        "From the hate crime officer: Suspect works nights",
        "Wishes: Telephone only",
        "Communication: Easy read",
        "From the crime record as at 23 November 2026, ",
        "Set by the hate crime officer at 23 November 2026, 7:25am.",
        "Check the crime record first.",
        "Log contact",
        "Attempts so far",
        "Show what was reported",
        "Harassment",
        "Race or ethnicity",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "999 and your supervisor" in text
    assert "A message left never mentions hate, strand or offence" in text


@pytest.mark.parametrize("kind", [TextKind.SAFETY_NOTE, TextKind.REVIEW_SAFETY])
def test_a_safety_note_without_restrictions_is_the_first_thing_read(open_as, make_referral, officer, kind):
    referral = make_referral()
    PersonalTextFactory.create(case=referral.case, kind=kind, body="Do not attend the address")
    PersonalTextFactory.create(case=referral.case, kind=TextKind.CONTACT_WISHES, body="By letter")
    text = " ".join(open_as(officer, referral).content.decode().split())
    assert re.search(r"<strong>[^<]*Do not attend the address</strong> Wishes: By letter", text)
    assert "No restrictions" not in text


def test_that_nothing_is_recorded_is_said(open_as, make_referral, officer):
    text = open_as(officer, make_referral()).content.decode()
    assert "No restrictions and no safety note are recorded here." in text


def test_a_child_is_spoken_to_through_a_guardian_whatever_was_set(open_as, make_referral, officer):
    referral = make_referral(case__victim_under_18=True)
    assert "speak through a safe parent or guardian" in open_as(officer, referral).content.decode()


def test_opening_it_is_recorded(open_as, make_referral, officer, hcop):
    referral = make_referral()
    open_as(officer, referral)
    open_as(hcop, referral)
    entries = AuditEntry.objects.filter(action=Action.REFERRAL_OPENED).order_by("pk")
    assert [(each.actor, each.purpose) for each in entries] == [
        (officer, Purpose.CONTACT),
        (hcop, Purpose.SUPERVISION),
    ]
    assert entries[0].references == [referral.number, referral.case.crime_reference]


def test_attempts_are_listed_and_a_withdrawn_one_is_struck_out(open_as, make_referral, officer, supervisor):
    referral = make_referral()
    wrong = ContactAttemptFactory.create(referral=referral, made_by=officer, result=Result.WRONG_DETAILS)
    ContactAttemptFactory.create(referral=referral, made_by=supervisor, withdraws=wrong)
    right = ContactAttemptFactory.create(referral=referral, made_by=officer, result=Result.CALL_BACK)
    FollowUpFactory.create(attempt=right, kind=FollowUpKind.STATEMENT)
    text = open_as(officer, referral).content.decode()
    assert "<s>Wrong details</s>" in text
    assert "Withdrawn by PS 51" in text
    assert "Asked to be called back" in text
    assert "waits for somebody to acknowledge it" in text
    assert text.count("moj-timeline__title") == 2
    assert reverse("withdraw_attempt", args=[referral.number, right.pk]) in text
    assert reverse("withdraw_attempt", args=[referral.number, wrong.pk]) not in text


def test_what_was_found_unsafe_is_for_the_supervisor_to_decide(open_as, make_referral, officer, supervisor):
    referral = make_referral()
    unsafe = ContactAttemptFactory.create(referral=referral, made_by=officer, result=Result.UNSAFE)
    FollowUpFactory.create(attempt=unsafe, kind=FollowUpKind.UNSAFE)
    decide = reverse("decide_safety", args=[referral.number])
    assert decide in open_as(supervisor, referral).content.decode()
    page = open_as(officer, referral).content.decode()
    assert "a supervisor is asked" in page
    assert decide not in page


def test_a_colleague_is_not_offered_to_withdraw_and_the_supervisor_is(
    open_as, make_referral, officer, colleague, supervisor
):
    referral = make_referral()
    attempt = ContactAttemptFactory.create(referral=referral, made_by=officer)
    link = reverse("withdraw_attempt", args=[referral.number, attempt.pk])
    assert link not in open_as(colleague, referral).content.decode()
    assert link in open_as(supervisor, referral).content.decode()


def test_linked_referrals_are_those_the_viewer_may_see(open_as, make_referral, officer, hcop, world):
    same = {"case__victim_hash": "a" * 64}
    referral = make_referral(**same)
    own = make_referral(**same)
    others = make_referral(ward=world.wards[1], **same)
    unlinked = make_referral()
    seen = open_as(officer, referral).content.decode()
    assert own.number in seen
    assert others.number not in seen
    assert unlinked.number not in seen
    shown = AuditEntry.objects.filter(action=Action.REFERRAL_OPENED).earliest("pk").references
    assert shown == [referral.number, referral.case.crime_reference, own.number]
    assert others.number in open_as(hcop, referral).content.decode()


def test_the_officer_in_the_case_may_read_and_nothing_more(open_as, make_referral, officer):
    referral = make_referral(case__officer_in_case="PC 1001")
    text = open_as(officer, referral).content.decode()
    assert "SRC comes from somebody else" in text
    for name in ("take_referral", "log_contact", "close_referral"):
        assert reverse(name, args=[referral.number]) not in text


def test_the_hcop_reads_and_reminds_but_does_not_contact(open_as, make_referral, hcop):
    referral = make_referral()
    text = open_as(hcop, referral).content.decode()
    assert "Send a reminder" in text
    for name in ("take_referral", "log_contact", "close_referral", "my_referrals"):
        assert reverse(name, args=[referral.number] if name != "my_referrals" else []) + '"' not in text


def test_closing_is_offered_once_an_attempt_has_shown_a_reason(open_as, make_referral, officer):
    referral = make_referral()
    link = reverse("close_referral", args=[referral.number])
    assert link not in open_as(officer, referral).content.decode()
    ContactAttemptFactory.create(referral=referral, result=Result.DECLINED)
    assert link in open_as(officer, referral).content.decode()


@pytest.mark.parametrize("end", ["completed", "closed"])
def test_an_ended_referral_says_so_and_offers_no_take_or_reminder(open_as, make_referral, supervisor, end):
    referral = make_referral(**{end: True})
    text = open_as(supervisor, referral).content.decode()
    assert referral.get_status_display() in text
    assert "Send a reminder" not in text
    assert reverse("take_referral", args=[referral.number]) not in text
    assert (reverse("log_contact", args=[referral.number]) in text) == (end == "closed")


@pytest.mark.parametrize("who", ["other_officer", "north_hcop"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_teams_referral_is_not_found(request, client_of, make_referral, who, method):
    client, referral = client_of(request.getfixturevalue(who)), make_referral()
    attempt = ContactAttemptFactory.create(referral=referral)
    pages = {
        "get": ["referral", "log_contact", "close_referral"],
        "post": ["take_referral", "return_referral", "log_contact", "close_referral", "chase_referral"],
    }[method]
    addresses = [reverse(name, args=[referral.number]) for name in pages]
    addresses.append(reverse("withdraw_attempt", args=[referral.number, attempt.pk]))
    statuses = {getattr(client, method)(address).status_code for address in addresses}
    # 403 where the role may not do it at all.
    assert statuses <= {404, 403}
    assert getattr(client, method)(addresses[0]).status_code == (
        404 if who == "other_officer" or method == "get" else 403
    )


def test_taking_it_leads_to_what_must_be_known_first(client_of, make_referral, officer):
    referral = make_referral()
    client = client_of(officer)
    response = client.post(reverse("take_referral", args=[referral.number]))
    assert response.url == reverse("referral", args=[referral.number])
    referral.refresh_from_db()
    assert referral.taken_by == officer


def test_whoever_comes_second_is_told_who_has_it(client_of, make_referral, officer, colleague, now):
    referral = make_referral(taken_by=colleague, taken_at=now)
    response = client_of(officer).post(reverse("take_referral", args=[referral.number]), follow=True)
    assert "PCSO 7002 took" in response.content.decode()


def test_handing_it_back_leads_to_the_list(client_of, make_referral, officer, now):
    referral = make_referral(taken_by=officer, taken_at=now)
    response = client_of(officer).post(reverse("return_referral", args=[referral.number]), follow=True)
    assert "is back with the team" in response.content.decode()
    referral.refresh_from_db()
    assert referral.taken_by is None


def test_what_a_colleague_has_is_not_handed_back(client_of, make_referral, officer, colleague, now):
    referral = make_referral(taken_by=colleague, taken_at=now)
    response = client_of(officer).post(reverse("return_referral", args=[referral.number]), follow=True)
    assert "PCSO 7002 has" in response.content.decode()


@pytest.mark.parametrize("who", ["supervisor", "hcop"])
def test_a_reminder_is_sent_once_a_form(request, client_of, make_referral, who):
    client, referral = client_of(request.getfixturevalue(who)), make_referral()
    address, key = reverse("chase_referral", args=[referral.number]), uuid.uuid4()
    for _ in range(2):
        response = client.post(address, {"key": key}, follow=True)
        assert "is on its way" in response.content.decode()
    assert Notification.objects.count() == 1


def test_a_reminder_without_its_key_or_of_an_ended_referral_is_not_sent(client_of, make_referral, hcop):
    client = client_of(hcop)
    open_one, ended = make_referral(), make_referral(completed=True)
    response = client.post(reverse("chase_referral", args=[open_one.number]), follow=True)
    assert "Nothing was sent" in response.content.decode()
    response = client.post(reverse("chase_referral", args=[ended.number]), {"key": uuid.uuid4()}, follow=True)
    assert "nothing left to remind" in response.content.decode()
    assert not Notification.objects.exists()


def _read(client, referral, *notices, **more):
    ids = [notice.pk for notice in notices]
    return client.post(reverse("read_changes", args=[referral.number]), {"notice": ids, **more}, follow=True)


def test_what_changed_stands_before_the_restrictions_until_it_is_read(client_of, make_referral, officer, now):
    referral = make_referral(
        taken_by=officer,
        taken_at=now - timedelta(hours=1),
        case__restrictions=[Restriction.NO_HOME_VISIT],
    )
    notice = ReferralNoticeFactory.create(referral=referral, changed=[Noticed.RESTRICTIONS])
    client = client_of(officer)
    text = client.get(reverse("referral", args=[referral.number])).content.decode()
    order = ["Changed since you took it", "Restrictions", "I have read this", "No home visit."]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    for _ in range(2):
        response = _read(client, referral, notice)
        assert response.redirect_chain[-1][0] == reverse("referral", args=[referral.number])
        assert "Changed since you took it" not in response.content.decode()
    notice.refresh_from_db()
    assert notice.read_by == officer


def test_a_colleague_and_the_hcop_see_what_changed_and_who_reads_it(
    client_of, make_referral, officer, colleague, hcop, now
):
    referral = make_referral(taken_by=officer, taken_at=now)
    notice = ReferralNoticeFactory.create(referral=referral)
    for user in (colleague, hcop):
        text = client_of(user).get(reverse("referral", args=[referral.number])).content.decode()
        assert "Changed since PC 1001 took it" in text
        assert "PC 1001 reads it, or your supervisor." in text
        assert "I have read this" not in text
    assert "PC 1001 has" in _read(client_of(colleague), referral, notice).content.decode()


def test_reading_something_that_is_no_notice_changes_nothing(client_of, make_referral, officer):
    referral = make_referral()
    notice = ReferralNoticeFactory.create(referral=referral)
    client_of(officer).post(reverse("read_changes", args=[referral.number]), {"notice": ["x", "0"]})
    notice.refresh_from_db()
    assert notice.read_at is None


def test_an_ended_referral_has_nothing_to_read(open_as, make_referral, officer):
    referral = make_referral(closed=True)
    ReferralNoticeFactory.create(referral=referral)
    text = open_as(officer, referral).content.decode()
    assert "Closed without contact" in text
    assert "I have read this" not in text


def test_one_the_record_closed_says_to_make_no_contact(open_as, make_referral, officer, now):
    closed, ruled_out = make_referral(closed=True), make_referral(closed=True, ruled_out_since=now)
    assert "Make no contact for it now." not in open_as(officer, closed).content.decode()
    assert "Make no contact for it now." in open_as(officer, ruled_out).content.decode()


def test_a_taker_who_is_now_the_officer_in_the_case_hands_it_back(
    open_as, make_referral, officer, supervisor, now
):
    referral = make_referral(case__officer_in_case="PC 1001", taken_by=officer, taken_at=now)
    text = open_as(officer, referral).content.decode()
    assert "Return it to the team now." in text
    assert reverse("return_referral", args=[referral.number]) in text
    assert "a colleague must take it over" in open_as(supervisor, referral).content.decode()


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ({}, "Not confirmed yet"),
        ({"ruled_out_since": True}, "May be on the crime record: to be looked at"),
        ({"ruled_out_since": True, "flag_removed": True}, "Not on the crime record"),
        ({"flag_confirmed": True}, "On the crime record"),
        ({"flag_confirmed": True, "ruled_out_since": True}, "To be taken off the crime record"),
        (
            {"flag_confirmed": True, "ruled_out_since": True, "flag_removed": True},
            "Taken off the crime record",
        ),
    ],
)
def test_the_page_says_where_the_flag_stands(open_as, make_referral, hcop, now, flag, says):
    fields: dict[str, object] = {}
    for name in flag:
        fields |= {name: now} if name == "ruled_out_since" else {f"{name}_at": now, f"{name}_by": hcop}
    assert says in open_as(hcop, make_referral(**fields)).content.decode()
