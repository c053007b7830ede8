"""Linked referrals: who is to be spoken with before a victim is called, as far as the officer may know."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.contact.readers.linked import ENDED_WITHIN, MOST_TOLD, linked_to
from referrals.models import CloseReason, Referral, ReferralStatus, Result
from src_app.audit.models import Action, AuditEntry
from tests.factories import ContactAttemptFactory, TeamMembershipFactory

pytestmark = pytest.mark.usefixtures("clock")

VICTIM = {"case__victim_hash": "a" * 64}
INCIDENT = {"case__incident_hash": "b" * 64}


@pytest.fixture
def told(officer, now):
    """What the officer is told beside a referral, in one sentence each."""

    def of(referral):
        linked = linked_to([referral], officer, now)[referral.pk]
        return [f"{each.shared} {each.number}: {each.words}" for each in linked.told]

    return of


def test_a_colleague_who_has_it_is_named_with_the_last_try(told, make_referral, colleague, now):
    mine, theirs = make_referral(**VICTIM), make_referral(**VICTIM, taken_by=colleague, taken_at=now)
    assert told(mine) == [f"victim {theirs.number}: Speak first with PCSO 7002, who has it."]
    ContactAttemptFactory.create(referral=theirs, made_at=now - timedelta(hours=3), result=Result.CALL_BACK)
    withdrawn = ContactAttemptFactory.create(referral=theirs, made_at=now - timedelta(hours=1))
    ContactAttemptFactory.create(referral=theirs, made_at=now, withdraws=withdrawn)
    assert told(mine)[0].endswith(
        "who has it. Last tried Monday 23 November, 4:30am: asked to be called back."
    )


def test_what_is_true_is_said_of_each(told, make_referral, officer, colleague, now):
    mine = make_referral(**VICTIM)
    long_ago, lately = now - timedelta(days=20), now - timedelta(days=9)
    free = make_referral(**VICTIM)
    assert told(mine) == [f"victim {free.number}: Nobody has it yet: take both, so that one person calls."]
    free.taken_by, free.taken_at = officer, now
    free.save()
    assert told(mine) == [f"victim {free.number}: You have it too."]
    done = make_referral(**VICTIM, completed=True, made_at=long_ago, closed_by=colleague)
    closed = make_referral(
        **VICTIM, closed=True, made_at=lately, close_reason=CloseReason.DECLINED, closed_by=colleague
    )
    made, ended = told(mine)[1:]
    assert made == (
        f"victim {done.number}: PCSO 7002 made contact, Tuesday 3 November, 12:30pm: speak with them first."
    )
    assert ended.startswith(f"victim {closed.number}: Closed without contact by PCSO 7002, Tuesday 17 Nov")
    assert ended.endswith(": victim declined contact.")


def test_the_victim_counts_more_than_the_incident_and_a_colleague_s_comes_first(
    told, make_referral, officer, colleague, now
):
    mine = make_referral(**VICTIM, **INCIDENT)
    incident = make_referral(**INCIDENT, taken_by=colleague, taken_at=now)
    own = make_referral(**VICTIM, taken_by=officer, taken_at=now)
    both = make_referral(**VICTIM, **INCIDENT, taken_by=colleague, taken_at=now)
    make_referral()
    assert [each.split(":")[0] for each in told(mine)] == [
        f"victim {both.number}",
        f"victim {own.number}",
        f"incident {incident.number}",
    ]


def test_of_many_the_first_few_are_told_and_the_others_counted(make_referral, officer, now):
    mine, *_ = [make_referral(**VICTIM) for _ in range(MOST_TOLD + 3)]
    linked = linked_to([mine], officer, now)[mine.pk]
    assert (len(linked.told), linked.more) == (MOST_TOLD, 2)


def test_what_ended_long_ago_is_left_to_the_page_of_the_referral(told, make_referral, now):
    mine = make_referral(**VICTIM)
    make_referral(**VICTIM, completed=True, made_at=now - ENDED_WITHIN - timedelta(days=1))
    assert told(mine) == []


def test_of_another_team_only_this_is_said_that_it_is_to_contact_the_victim_too(
    told, make_referral, officer, other_officer, world, now
):
    mine, stranger = make_referral(**VICTIM, **INCIDENT), make_referral(**INCIDENT)
    make_referral(**VICTIM, ward=world.wards[1], taken_by=other_officer, taken_at=now)
    linked = linked_to([mine, stranger], officer, now)
    assert [each.with_another_team for each in linked.values()] == [True, False]
    assert [each.split(":")[0] for each in told(mine)] == [f"incident {stranger.number}"]
    Referral.objects.filter(team=world.teams[1]).update(
        status=ReferralStatus.CLOSED,
        close_reason=CloseReason.DECLINED,
        closed_at=now,
        closed_by=other_officer,
    )
    assert not linked_to([mine], officer, now)[mine.pk].with_another_team
    Referral.objects.filter(team=world.teams[1]).update(
        status=ReferralStatus.OPEN, close_reason="", closed_at=None, closed_by=None
    )
    TeamMembershipFactory.create(user=officer, team=world.teams[1])
    assert len(told(mine)) == 2
    assert not linked_to([mine], officer, now)[mine.pk].with_another_team


def test_it_stands_on_the_card_and_above_the_buttons_and_is_recorded(
    client_of, make_referral, officer, colleague, world, now
):
    mine = make_referral(**VICTIM)
    theirs = make_referral(**VICTIM, completed=True, made_at=now - timedelta(days=9), closed_by=colleague)
    hidden = make_referral(**VICTIM, ward=world.wards[1])
    client = client_of(officer)
    for name, button in (("my_referrals", "Log contact"), ("log_contact", "Save"), ("referral", "Take")):
        text = client.get(
            reverse(name, args=[] if name == "my_referrals" else [mine.number])
        ).content.decode()
        main = text.split("<main")[1]
        assert main.index("Same victim as") < main.index(f">{button}"), name
        assert "speak with them first" in main
        assert "Another team is to contact this victim too." in main
        assert hidden.number not in main
        references = AuditEntry.objects.latest("pk").references
        assert {mine.number, theirs.number} <= set(references), name
        assert hidden.number not in references


def test_the_number_of_queries_does_not_grow_with_the_linked_ones(
    client_of, make_referral, officer, colleague, now
):
    client, counts = client_of(officer), []
    for number in (3, 12):
        for each in range(number):
            pair = {"case__victim_hash": f"{number}{each}".ljust(64, "c")}
            make_referral(**pair)
            other = make_referral(**pair, taken_by=colleague, taken_at=now)
            ContactAttemptFactory.create_batch(2, referral=other)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(reverse("my_referrals"))
        assert all(card.linked.told for part in page.context["parts"] for card in part.cards)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert AuditEntry.objects.filter(action=Action.LIST_SHOWN).count() == 2
