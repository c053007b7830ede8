"""Open work that nobody can do as things stand."""

from datetime import timedelta

import pytest
from django.urls import reverse

from referrals.contact.actions.absence import return_work
from referrals.contact.actions.taking import take
from referrals.contact.readers.stranded import StrandedWork, stranded_work
from referrals.models import ReferralNotice, RefusingMailbox
from src_app.accounts.models import User
from tests.factories import FollowUpFactory, LeaveFactory, NotificationFactory, RefusingMailboxFactory

pytestmark = pytest.mark.usefixtures("clock")


def _stranded(user: User) -> StrandedWork:
    found = stranded_work(user)
    assert found is not None
    return found


def test_a_team_of_which_nobody_is_at_work_is_named_with_its_open_referrals(
    make_referral, world, supervisor, officer, hcop
):
    first, _ = make_referral(), make_referral()
    make_referral(completed=True)
    make_referral(ward=world.wards[1])
    assert [team.name for team in _stranded(hcop).teams] == [world.teams[1].name]
    assert not _stranded(supervisor).is_any
    LeaveFactory.create(user=officer)
    LeaveFactory.create(user=supervisor)
    (team,) = _stranded(supervisor).teams
    assert (team.name, team.open, team.first_due) == (world.teams[0].name, 2, first.due_at)


def test_a_mailbox_that_refuses_is_named_since_when(make_referral, world, supervisor, hcop, now):
    """A team's own always, another with what waits about referrals in sight."""
    referral = make_referral()
    for address in (world.teams[0].mailbox, world.teams[1].mailbox, "pc1001@example.org", "pc2@example.org"):
        RefusingMailboxFactory.create(address=address)
    NotificationFactory.create(referral=referral, recipient="pc1001@example.org")
    NotificationFactory.create(referral=referral, recipient="pc2@example.org", sent_at=now)
    NotificationFactory.create(
        referral=make_referral(ward=world.north_ward), recipient="pc1001@example.org", sent_at=None
    )
    found = [(each.recipient, each.since, each.messages) for each in _stranded(supervisor).mailboxes]
    assert found == [("pc1001@example.org", now, 1), (world.teams[0].mailbox, now, 0)]
    assert len(_stranded(hcop).mailboxes) == 3
    RefusingMailbox.objects.update(ended_at=now)
    assert not _stranded(hcop).mailboxes


def test_what_came_back_is_counted_until_somebody_takes_it(
    make_referral, supervisor, officer, colleague, system, now
):
    referral = make_referral(taken_by=officer, taken_at=now)
    LeaveFactory.create(user=officer)
    return_work(by=system, at=now)
    assert _stranded(supervisor).came_back == 1
    ReferralNotice.objects.update(read_at=now, read_by=colleague)
    assert _stranded(supervisor).came_back == 1
    take(referral_id=referral.pk, by=colleague, at=now)
    assert _stranded(supervisor).came_back == 0


def test_it_stands_on_the_first_page_of_whoever_chases_and_of_nobody_else(
    client_of, make_referral, supervisor, officer, hcop, leader, now, system
):
    make_referral(taken_by=officer, taken_at=now)
    LeaveFactory.create(user=officer)
    return_work(by=system, at=now)
    for user, name in ((supervisor, "compliance"), (hcop, "overnight_review"), (hcop, "compliance")):
        page = " ".join(client_of(user).get(reverse(name)).content.decode().split())
        assert "1 open referral came back from somebody who is away, and nobody has it" in page
        assert (reverse("give_referrals") in page) is (user == supervisor)
    assert stranded_work(leader) is None
    assert "came back from somebody" not in client_of(leader).get(reverse("compliance")).content.decode()


def test_what_is_overdue_and_nobodys_is_counted(make_referral, supervisor, officer, now):
    overdue = {"made_at": now - timedelta(days=5), "due_at": now - timedelta(hours=1)}
    make_referral(**overdue)
    make_referral(**overdue, taken_by=officer, taken_at=now)
    make_referral()
    assert _stranded(supervisor).untaken == 1


def test_what_nobody_acknowledged_in_time_is_counted_and_marked_on_its_list(
    make_referral, client_of, supervisor, now, clock
):
    FollowUpFactory.create(attempt__referral=make_referral(), raised_at=now)
    clock.move_to(now + timedelta(hours=24))
    assert _stranded(supervisor).follow_ups == 0
    assert ">Overdue<" not in client_of(supervisor).get(reverse("follow_up_list")).text
    clock.move_to(now + timedelta(hours=24, minutes=1))
    assert _stranded(supervisor).follow_ups == 1
    assert ">Overdue<" in client_of(supervisor).get(reverse("follow_up_list")).text
    compliance = client_of(supervisor).get(reverse("compliance")).text
    assert "1 follow-up</a> should have been acknowledged by now" in compliance
