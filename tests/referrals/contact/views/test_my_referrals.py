"""The officer's list."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.contact.actions.follow_ups import acknowledge, finish
from referrals.contact.views import my_referrals
from referrals.models import (
    Arm,
    Case,
    CloseReason,
    FollowUp,
    FollowUpKind,
    FollowUpResult,
    Noticed,
    OrderReason,
    Restriction,
    Result,
    TextKind,
)
from referrals.review.actions.drafts import set_safety
from referrals.review.actions.refer_now import ask_to_ring_again, refer_now
from src_app.audit.models import Action, AuditEntry
from tests.factories import (
    AllocationFactory,
    ContactAttemptFactory,
    DecisionFactory,
    FollowUpFactory,
    PersonalTextFactory,
    ReferralNoticeFactory,
    ReferralOrderFactory,
    TeamMembershipFactory,
    UserFactory,
)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def page(client_of, officer):
    """The list as the officer sees it."""
    client = client_of(officer)
    return lambda query="": client.get(reverse("my_referrals") + query)


def cards_of(response):
    return [card for part in response.context["parts"] for card in part.cards]


def test_the_first_due_comes_first_and_the_first_sentence_counts(page, make_referral, now):
    week = make_referral(due_at=now + timedelta(days=6))
    today = make_referral(due_at=now + timedelta(hours=5))
    overdue = make_referral(made_at=now - timedelta(days=5), due_at=now - timedelta(days=2))
    response = page()
    cards = cards_of(response)
    assert [card.referral for card in cards] == [overdue, today, week]
    assert [card.due.words for card in cards] == [
        "2 days overdue",
        "Due in 5 hours, 12:30pm",
        "Due Sunday 29 November, 7:30am",
    ]
    assert "2 to contact today in Abbey team. 1 is overdue." in response.content.decode()


def test_the_due_time_itself_is_not_overdue_and_midnight_is_tomorrow(page, make_referral, now):
    make_referral(due_at=now)
    make_referral(due_at=now.replace(hour=0, minute=0) + timedelta(days=1))
    make_referral(due_at=now + timedelta(days=1))
    make_referral(due_at=now + timedelta(days=1, minutes=1))
    sentence = page().context["summary"].sentence
    assert sentence == "1 to contact today in Abbey team, 2 more by this time tomorrow."


def test_a_call_back_stands_where_its_time_puts_it_over_pages_too(page, make_referral, now, monkeypatch):
    def made(due, call_back=None):
        return make_referral(
            made_at=now - timedelta(days=1),
            due_at=now + timedelta(hours=due),
            call_back_at=now + timedelta(hours=call_back) if call_back else None,
        )

    monkeypatch.setattr(my_referrals, "PER_PAGE", 2)
    later, passed, overdue, soon, after_due = made(6), made(9, -1), made(-2), made(8, 3), made(5, 30)
    order, asked = [], ""
    while True:
        response = page(asked)
        order += [card.referral for card in cards_of(response)]
        if not (next_url := response.context["parts"][0].paged.next_url):
            break
        asked = "?" + next_url.partition("?")[2]
    assert order == [overdue, passed, soon, after_due, later]
    says = {card.referral: card.call_back for card in cards_of(page())}
    assert says == {overdue: "", passed: "Ring now: asked to be rung at 6:30am"}


def test_each_card_says_who_has_it_and_offers_what_comes_next(page, make_referral, officer, colleague, now):
    mine = make_referral(taken_by=officer, taken_at=now)
    free = make_referral()
    theirs = make_referral(taken_by=colleague, taken_at=now)
    own_case = make_referral(case__officer_in_case="pc1001")
    text = page().content.decode()
    assert [word in text for word in ("With you", "Not taken", "With PCSO 7002")] == [True] * 3
    assert reverse("log_contact", args=[mine.number]) in text
    assert reverse("take_referral", args=[free.number]) in text
    assert reverse("log_contact", args=[free.number]) in text
    for other in (theirs, own_case):
        assert reverse("log_contact", args=[other.number]) not in text
    for other in (mine, theirs, own_case):
        assert reverse("take_referral", args=[other.number]) not in text
    assert "You are the officer in the case" in text


def test_restrictions_and_needs_are_on_the_card_strand_and_offence_are_not(page, make_referral):
    referral = make_referral(
        case__restrictions=[Restriction.NO_HOME_VISIT, Restriction.INTERPRETER],
        case__offence="Threats to kill",
        case__victim_under_18=True,
    )
    PersonalTextFactory.create(
        case=referral.case, kind=TextKind.COMMUNICATION_NEED, body="Polish interpreter"
    )
    PersonalTextFactory.create(case=referral.case, body="Dog at address")
    text = page().content.decode()
    assert "Safety note: read it first" in text
    for shown in ("No home visit", "Interpreter needed", "Under 18", "Polish interpreter"):
        assert shown in text
    for hidden in ("Threats to kill", "Race", referral.case.crime_reference, "Dog at address"):
        assert hidden not in text


HIGH_RISK, ASKED = "High risk", "Asked for contact"
NOW = {"suitable": False, "contact_by": "neighbourhood_team"}


@pytest.mark.parametrize(
    ("decision", "orders", "wishes", "tags"),
    [
        ({**NOW, "reason": "high_risk"}, [], "", [HIGH_RISK]),
        ({**NOW, "reason": "asked_for_contact"}, [], "", [ASKED]),
        ({**NOW, "reason": "asked_for_contact"}, ["high_risk"], "", [HIGH_RISK, ASKED]),
        (
            {"suitable": False, "reason": "outside_bcu", "contact_by": "home_bcu"},
            ["high_risk"],
            "",
            [HIGH_RISK],
        ),
        ({}, ["high_risk"], "Asks for contact", [HIGH_RISK]),
        ({}, ["asked_for_contact"], "", [ASKED]),
        ({}, ["other_safety"], "", []),
        ({}, [], "Asked for contact to stop", []),
        ({}, [], "", []),
        (None, [], "", []),
    ],
)
def test_a_card_and_its_pages_say_that_the_victim_asked_for_contact_or_is_at_high_risk(
    page, client_of, officer, make_referral, decision, orders, wishes, tags
):
    referral = make_referral()
    if decision is not None:
        DecisionFactory.create(case=referral.case, **decision)
    for reason in orders:
        ReferralOrderFactory.create(referral=referral, reason=reason)
    if wishes:
        PersonalTextFactory.create(case=referral.case, kind=TextKind.CONTACT_WISHES, body=wishes)
    texts = [page().text]
    texts += [
        client_of(officer).get(reverse(name, args=[referral.number])).text
        for name in ("referral", "log_contact")
    ]
    for text in texts:
        assert re.findall(rf">({HIGH_RISK}|{ASKED})<", text) == tags


@pytest.mark.parametrize("reason", OrderReason)
def test_a_control_that_is_referred_now_looks_like_any_other_case(
    client_of, officer, hcop, make_case, now, reason
):
    usual, control = (make_case(reported_at=now - timedelta(hours=9), decided_at=now) for _ in range(2))
    for case in (usual, control):
        DecisionFactory.create(case=case)
    AllocationFactory.create(case=control, arm=Arm.CONTROL, allocated_at=now - timedelta(hours=1))
    seen = []
    for case in (usual, control):
        referral = refer_now(case_id=case.pk, key=uuid.uuid4(), reason=reason, by=hcop, at=now)
        client = client_of(officer)
        [card] = re.findall(
            rf'<li class="app-card(?:(?!</li>).)*{referral.number}.*?</li>',
            client.get(reverse("my_referrals")).text,
            re.DOTALL,
        )
        pages = [
            client.get(reverse(name, args=[referral.number])).text for name in ("referral", "log_contact")
        ]
        said = " ".join([card, *pages])
        for own in (referral.number, case.crime_reference):
            said = said.replace(own, "")
        seen.append(re.sub(r'(value|nonce)="[^"]*"|[\w-]{60,}', "", said))
    assert seen[0] == seen[1]


def test_a_card_says_how_often_somebody_tried_and_what_came_of_it_last(page, make_referral, now):
    once, twice, never = make_referral(), make_referral(), make_referral()
    for referral, hours in ((once, 3), (twice, 4), (twice, 2)):
        ContactAttemptFactory.create(referral=referral, made_at=now - timedelta(hours=hours))
    withdrawn = ContactAttemptFactory.create(referral=once, made_at=now - timedelta(hours=1))
    ContactAttemptFactory.create(referral=once, made_at=now, withdraws=withdrawn)
    tries = {card.referral: card.tries for card in cards_of(page())}
    assert tries[once] == "Tried once: No answer, Monday 23 November, 4:30am"
    assert tries[twice] == "Tried 2 times, last: No answer, Monday 23 November, 5:30am"
    assert tries[never] == ""
    assert tries[twice] in page().content.decode()


def test_a_card_says_first_what_changed_and_was_not_read(page, make_referral, officer, colleague, now):
    mine = make_referral(taken_by=officer, taken_at=now - timedelta(hours=1))
    free = make_referral()
    theirs = make_referral(taken_by=colleague, taken_at=now + timedelta(minutes=1))
    read = make_referral()
    for referral in (mine, free, theirs):
        ReferralNoticeFactory.create(referral=referral, changed=[Noticed.CONTACT_WISHES])
    ReferralNoticeFactory.create(referral=mine)
    ReferralNoticeFactory.create(referral=read, read_at=now, read_by=officer)
    unread = {card.referral: card.unread for card in cards_of(page())}
    assert unread[read] is None
    assert {unread[each].title for each in (free, theirs)} == {"Changed since it was referred"}
    text = " ".join(page().content.decode().split())
    assert "<strong>Changed since you took it:</strong> safety note, contact wishes" in text
    assert (unread[mine].for_safety, unread[free].for_safety) == (True, False)


def test_the_officer_in_the_case_who_has_it_is_told_to_return_it(page, make_referral, officer, now):
    own = {"case__officer_in_case": "PC 1001"}
    make_referral(**own)
    assert "Open to return it" not in page().content.decode()
    make_referral(**own, taken_by=officer, taken_at=now)
    assert "Open to return it" in page().content.decode()


def test_what_is_done_says_why_it_was_closed(page, make_referral, now):
    make_referral(closed=True, close_reason=CloseReason.UNFLAGGED, made_at=now - timedelta(days=4))
    assert "Closed without contact: no longer flagged as a hate crime" in page().content.decode()


def test_the_list_is_the_own_teams_and_recorded_as_one_consultation(page, make_referral, world):
    mine = make_referral()
    done = make_referral(completed=True, made_at=mine.made_at - timedelta(days=1))
    old = make_referral(completed=True, made_at=mine.made_at - timedelta(days=9))
    others = make_referral(ward=world.wards[1])
    text = page().content.decode()
    assert mine.number in text
    assert done.number in text
    assert others.number not in text
    assert old.number not in text
    entry = AuditEntry.objects.get(action=Action.LIST_SHOWN)
    assert entry.references == [mine.number, done.number]


def test_ended_referrals_are_no_cards(page, make_referral, now):
    make_referral(completed=True)
    assert cards_of(page()) == []
    assert "Nobody to contact now" in page().content.decode()


def test_an_officer_without_a_team_is_told_what_to_do(client_of, db):
    response = client_of(UserFactory.create()).get(reverse("my_referrals"))
    assert "Ask your system administrator" in response.content.decode()


def test_two_teams_are_both_named_and_many_are_counted(page, make_referral, officer, world):
    make_referral()
    TeamMembershipFactory.create(user=officer, team=world.teams[1])
    assert "in Abbey team and Colliers Wood team." in page().context["summary"].sentence
    for team in world.teams[2:4]:
        TeamMembershipFactory.create(user=officer, team=team)
    assert "in your 4 teams." in page().context["summary"].sentence


def test_more_than_fifty_are_paged(page, make_referral, now):
    for minutes in range(51):
        make_referral(due_at=now + timedelta(minutes=minutes))
    first = page()
    assert len(cards_of(first)) == 50
    assert first.context["summary"].open == 51
    second = page("?" + first.context["parts"][0].paged.next_url.partition("?")[2])
    assert len(cards_of(second)) == 1
    assert cards_of(second)[0].referral.due_at == now + timedelta(minutes=50)


def test_ones_own_come_first_then_what_nobody_has_and_colleagues_are_folded_away(
    page, make_referral, officer, colleague, now
):
    def taken(by, hours):
        return make_referral(taken_by=by, taken_at=now, due_at=now + timedelta(hours=hours))

    theirs, free = taken(colleague, 1), make_referral(due_at=now + timedelta(hours=2))
    later, first = taken(officer, 4), taken(officer, 3)
    parts = [
        (part.title, part.count, [card.referral for card in part.cards]) for part in page().context["parts"]
    ]
    assert parts == [
        ("Yours", 2, [first, later]),
        ("Nobody has these yet", 1, [free]),
        ("Colleagues have these", 1, [theirs]),
    ]
    text = page().text
    assert text.index("Colleagues have these: 1</summary>") < text.index(theirs.number)
    assert text.index(free.number) < text.index("<details")
    assert '<details class="app-more">' in text


def test_a_part_without_any_is_not_there(page, make_referral):
    make_referral()
    assert [part.title for part in page().context["parts"]] == ["Nobody has these yet"]


def test_each_part_is_paged_by_itself_and_counts_all_its_pages(
    page, make_referral, officer, colleague, now, monkeypatch
):
    monkeypatch.setattr(my_referrals, "PER_PAGE", 2)
    for minutes in range(3):
        make_referral(taken_by=colleague, taken_at=now, due_at=now + timedelta(minutes=minutes))
    mine = make_referral(taken_by=officer, taken_at=now)
    theirs = page().context["parts"][1]
    assert (theirs.count, len(theirs.cards)) == (3, 2)
    second = page("?" + theirs.paged.next_url.partition("?")[2])
    assert [len(part.cards) for part in second.context["parts"]] == [1, 1]
    assert cards_of(second)[0].referral == mine
    assert '<details class="app-more" open>' in second.text


@pytest.fixture
def asked_again(make_referral, hcop, now):
    """A victim whom the officer's team has spoken with, and is asked to ring again."""
    referral = make_referral(completed=True, made_at=now - timedelta(days=20))
    return ask_to_ring_again(case_id=referral.case_id, reason=OrderReason.HIGH_RISK, by=hcop, at=now)


def test_a_victim_to_ring_again_is_on_the_list_until_somebody_has_done_it(
    page, client_of, officer, colleague, asked_again, clock
):
    number, officers = asked_again.referral.number, client_of(officer)
    text = page().text
    assert "Ring the victim again: high risk" in text
    assert number in AuditEntry.objects.filter(action=Action.LIST_SHOWN).latest("pk").references
    assert "Ring the victim again" in client_of(colleague).get(reverse("my_referrals")).text
    taken = officers.post(reverse("acknowledge_follow_up", args=[asked_again.pk]))
    assert taken.url == reverse("my_referrals")
    assert "With PC 1001" in page().text
    officers.post(reverse("finish_follow_up", args=[asked_again.pk]), {"result": "spoken_with"})
    asked_again.refresh_from_db()
    assert (asked_again.acknowledged_by, asked_again.done_by) == (officer, officer)
    assert "Ring the victim again" not in client_of(colleague).get(reverse("my_referrals")).text
    undo = reverse("undo_follow_up", args=[asked_again.pk])
    assert undo in page().text
    officers.post(undo)
    asked_again.refresh_from_db()
    assert asked_again.done_at is None
    officers.post(reverse("finish_follow_up", args=[asked_again.pk]), {"result": "spoken_with"})
    clock.shift(timedelta(hours=1, minutes=1))
    assert "Ring the victim again" not in client_of(officer).get(reverse("my_referrals")).text


@pytest.mark.parametrize("is_any_open", [True, False])
def test_the_first_thing_said_is_that_a_victim_is_to_be_rung_again(
    page, make_referral, asked_again, officer, now, is_any_open
):
    if is_any_open:
        make_referral()
    text = page().text
    assert '<a href="#ring-again">Victims to ring again: 1</a>' in text
    assert "Nobody to contact now" not in text
    acknowledge(follow_up_id=asked_again.pk, by=officer, at=now)
    finish(follow_up_id=asked_again.pk, result=FollowUpResult.SPOKEN_WITH, by=officer, at=now)
    text = page().text
    assert "#ring-again" not in text
    assert ("Nobody to contact now" in text) != is_any_open


def test_a_victim_to_ring_again_is_shown_with_what_must_be_known_before(
    page, client_of, officer, colleague, asked_again, hcop, now
):
    referral = asked_again.referral
    own = page().text
    acknowledge(follow_up_id=asked_again.pk, by=officer, at=now)
    set_safety(
        case_id=referral.case_id,
        restrictions=[Restriction.NO_VOICEMAIL],
        note="Moved back in",
        seen=None,
        by=hcop,
        at=now,
    )
    words = ("Changed: read it before you ring", "No voicemail", "Safety note: read it first")
    assert [each in own for each in words] == [False] * 3
    assert [each in page().text for each in words] == [True] * 3
    opened = client_of(officer).get(reverse("referral", args=[referral.number]))
    assert opened.context["unread"].may_read
    assert words[0] in opened.text
    theirs = client_of(colleague).get(reverse("referral", args=[referral.number]))
    assert theirs.context["unread"].whose == "PC 1001 reads it, or your supervisor."
    ids = {"notice": opened.context["unread"].ids}
    client_of(officer).post(reverse("read_changes", args=[referral.number]), ids)
    assert words[0] not in page().text


def test_whoever_rings_again_reads_how_to_pass_on_a_threat(page, client_of, officer, asked_again):
    action = reverse("acknowledge_follow_up", args=[asked_again.pk])
    number = asked_again.referral.number
    for text in (page().text, client_of(officer).get(reverse("referral", args=[number])).text):
        assert "999 and your supervisor" in text
        assert "If the victim tells of a threat" in text
        assert "This call is not logged here" in text
    assert action in page().text
    Case.objects.filter(pk=asked_again.referral.case_id).update(officer_in_case=officer.display_name)
    assert "You are the officer in the case: a colleague rings." in page().text
    assert action not in page().text


def test_an_officer_deals_with_nothing_else_that_came_up(client_of, officer, make_referral, asked_again):
    attempt = ContactAttemptFactory.create(referral=make_referral())
    threat = FollowUpFactory.create(attempt=attempt, kind=FollowUpKind.THREAT)
    address = reverse("acknowledge_follow_up", args=[threat.pk])
    assert client_of(officer).post(address).status_code == 404


def test_a_page_that_is_none_is_not_found(page):
    assert page("?page=nonsense").status_code == 404


def left_of(page):
    """The attempts under "Still to do", with what the page says of each."""
    return {left.attempt: left.tasks for left in page().context["left"].shown}


def test_what_a_contact_left_to_do_stays_on_the_list_until_it_is_done(
    page, client_of, officer, make_referral, now
):
    referral = make_referral(completed=True)
    attempt = ContactAttemptFactory.create(
        referral=referral, made_by=officer, logged_at=now, result=Result.CONTACT_MADE
    )
    FollowUpFactory.create(attempt=attempt, kind=FollowUpKind.STATEMENT)
    address = reverse("attempt_saved", args=[referral.number, attempt.pk])
    tasks = ["The victim wants to give a statement: tell PC 9001.", "Note it on the crime record."]
    assert left_of(page) == {attempt: tasks}
    assert f'href="{address}"' in page().text
    entry = AuditEntry.objects.filter(action=Action.LIST_SHOWN).latest("pk")
    assert referral.number in entry.references

    done = client_of(officer).post(reverse("settle_attempt", args=[referral.number, attempt.pk]))
    assert done.url == reverse("my_referrals")
    assert left_of(page) == {}
    assert f'href="{address}"' not in page().text
    saved = client_of(officer).get(address).text
    assert "Nothing more to do" in saved
    assert "Words for crime record" in saved
    assert (
        "Done after it: PC 1001" in client_of(officer).get(reverse("referral", args=[referral.number])).text
    )


def test_what_others_have_done_leaves_the_list_by_itself(page, officer, supervisor, make_referral, now):
    attempt = ContactAttemptFactory.create(
        referral=make_referral(), made_by=officer, logged_at=now, noted_on_record=True
    )
    assert left_of(page) == {}
    follow_up = FollowUpFactory.create(attempt=attempt, kind=FollowUpKind.WITHDRAW)
    FollowUpFactory.create(attempt=attempt, kind=FollowUpKind.BARRED_METHOD)
    assert left_of(page) == {attempt: ["The victim wishes to withdraw support: tell PC 9001."]}
    FollowUp.objects.filter(pk=follow_up.pk).update(acknowledged_at=now, acknowledged_by=supervisor)
    assert left_of(page) == {}


@pytest.mark.parametrize("kind", [FollowUpKind.THREAT, FollowUpKind.NEW_OFFENCE])
def test_a_threat_stays_until_somebody_deals_with_it(
    page, client_of, officer, supervisor, make_referral, now, kind
):
    attempt = ContactAttemptFactory.create(
        referral=make_referral(completed=True), made_by=officer, logged_at=now
    )
    follow_up = FollowUpFactory.create(attempt=attempt, kind=kind)
    assert len(left_of(page)[attempt]) == 2
    client_of(officer).post(reverse("settle_attempt", args=[attempt.referral.number, attempt.pk]))
    assert len(left_of(page)[attempt]) == 1
    address = reverse("attempt_saved", args=[attempt.referral.number, attempt.pk])
    assert '<h1 class="govuk-heading-l">Still to do</h1>' in client_of(officer).get(address).text
    FollowUp.objects.filter(pk=follow_up.pk).update(acknowledged_at=now, acknowledged_by=supervisor)
    assert left_of(page) == {}


def test_what_a_victim_said_comes_first_and_stays_however_old_it_is(page, officer, make_referral, now):
    make = ContactAttemptFactory.create
    long_ago = now - timedelta(days=60)
    old = make(
        referral=make_referral(made_at=long_ago), made_by=officer, made_at=long_ago, logged_at=long_ago
    )
    FollowUpFactory.create(attempt=old, kind=FollowUpKind.STATEMENT)
    for _ in range(25):
        make(referral=make_referral(), made_by=officer, logged_at=now)
    left = page().context["left"]
    assert (left.shown[0].attempt, len(left.shown), left.count) == (old, 20, 26)
    assert "Still to do after your contacts: 26" in page().text


def test_only_the_own_contacts_of_the_last_days_are_still_to_do(
    page, officer, colleague, make_referral, world, now
):
    make = ContactAttemptFactory.create
    make(referral=make_referral(), made_by=colleague, logged_at=now)
    make(referral=make_referral(made_at=now - timedelta(days=8)), made_by=officer)
    make(referral=make_referral(ward=world.wards[1]), made_by=officer, logged_at=now)
    mistake = make(referral=make_referral(), made_by=officer, logged_at=now)
    make(referral=mistake.referral, made_by=officer, logged_at=now, withdraws=mistake)
    assert left_of(page) == {}
    own = make(referral=make_referral(), made_by=officer, logged_at=now)
    assert set(left_of(page)) == {own}


def test_the_number_of_queries_does_not_grow_with_the_rows(page, make_referral, officer, colleague, now):
    def fill(number):
        for _ in range(number):
            referral = make_referral(taken_by=colleague, taken_at=now)
            PersonalTextFactory.create(case=referral.case, kind=TextKind.COMMUNICATION_NEED, body="BSL")
            DecisionFactory.create(case=referral.case)
            ReferralOrderFactory.create(referral=referral)
            own = ContactAttemptFactory.create(referral=referral, made_by=officer, logged_at=now)
            FollowUpFactory.create(attempt=own)
            ReferralNoticeFactory.create_batch(2, referral=referral)
            ContactAttemptFactory.create_batch(2, referral=referral)
            make_referral(completed=True, made_at=now - timedelta(days=1))

    fill(3)
    page()
    with CaptureQueriesContext(
        connection,
    ) as few:
        page()
    fill(27)
    with CaptureQueriesContext(connection) as many:
        page()
    assert len(few) == len(many)


@pytest.mark.parametrize("who", ["hcop", "leader", "auditor"])
def test_it_is_for_those_who_contact_victims(request, client_of, who):
    assert client_of(request.getfixturevalue(who)).get(reverse("my_referrals")).status_code == 403
