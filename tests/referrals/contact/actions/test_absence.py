"""What people have goes back to its team while they are away."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from referrals.contact.actions import absence
from referrals.contact.actions.absence import return_work
from referrals.contact.actions.follow_ups import acknowledge
from referrals.contact.actions.notices import give_notice
from referrals.models import (
    FollowUp,
    FollowUpKind,
    MailKind,
    Noticed,
    Notification,
    Referral,
    ReferralNotice,
    TeamMembership,
)
from referrals.places.actions.leave import end_leave, set_leave
from src_app.accounts.actions import close_account, set_role
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Role
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.factories import BcuMembershipFactory, FollowUpFactory, LeaveFactory

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def gone(officer, administrator, now, request):
    """The officer, who is away or has left in that way."""
    if request.param == "leave":
        LeaveFactory.create(user=officer)
    elif request.param == "closed":
        close_account(user=officer, because=ClosedBecause.LEFT, by=administrator)
    else:
        TeamMembership.objects.filter(user=officer).update(ends_on=now.date())
    return officer


@pytest.mark.parametrize("gone", ["leave", "closed", "left the team"], indirect=True)
def test_an_open_referral_goes_back_and_the_team_is_told_once(make_referral, gone, colleague, system, now):
    theirs = make_referral(taken_by=gone, taken_at=now, given_by=colleague)
    others = make_referral(taken_by=colleague, taken_at=now)
    ended = make_referral(taken_by=gone, taken_at=now, completed=True)
    assert return_work(by=system, at=now) == 1
    assert return_work(by=system, at=now) == 0
    holders = dict(Referral.objects.values_list("number", "taken_by"))
    assert holders == {theirs.number: None, others.number: colleague.pk, ended.number: gone.pk}
    assert ReferralNotice.objects.get().changed == [Noticed.HOLDER_AWAY]
    mail = Notification.objects.get()
    assert (mail.kind, mail.recipient) == (MailKind.HOLDER_AWAY, theirs.team.mailbox)
    assert AuditEntry.objects.get(action=Action.REFERRAL_RETURNED).actor == system


def test_leave_counts_from_its_first_day_to_the_day_before_they_are_back(
    make_referral, officer, supervisor, system, now, clock
):
    first = now.date() + timedelta(days=1)
    set_leave(user=officer, starts_on=first, back_on=first + timedelta(days=2), by=officer, at=now)
    make_referral(taken_by=officer, taken_at=now)
    assert return_work(by=system, at=now) == 0
    for days, returned in ((1, 1), (2, 1), (3, 0)):
        at = now + timedelta(days=days)
        clock.move_to(at)
        Referral.objects.update(taken_by=officer, taken_at=at)
        assert return_work(by=system, at=at) == returned, timezone.localdate(at)


def test_a_supervisor_of_the_whole_bcu_keeps_what_they_took(make_referral, world, now, system, inspector):
    make_referral(taken_by=inspector, taken_at=now)
    assert return_work(by=system, at=now) == 0


@pytest.fixture
def own(make_referral, supervisor, system, now):
    """Makes a follow-up of the record on a referral, which the supervisor owns unless told otherwise."""
    referral = make_referral()

    def make(**fields):
        owned = {"acknowledged_at": now, "acknowledged_by": supervisor}
        raised = {"raised_at": now, "raised_by": system, "kind": FollowUpKind.OFFICER_IN_CASE}
        return FollowUpFactory.create(referral=referral, attempt=None, **{**owned, **raised, **fields})

    return make


def _owners():
    return dict(FollowUp.objects.values_list("pk", "acknowledged_by"))


@pytest.mark.parametrize("why", ["leave", "closed", "another team", "another role"])
def test_follow_ups_go_back_too(own, supervisor, administrator, system, world, now, why):
    back, done = own(), own(kind=FollowUpKind.RULED_OUT, done_at=now, done_by=supervisor)
    if why == "leave":
        LeaveFactory.create(user=supervisor)
    elif why == "closed":
        close_account(user=supervisor, because=ClosedBecause.LEFT, by=administrator)
    elif why == "another team":
        TeamMembership.objects.filter(user=supervisor).update(team=world.teams[1])
    else:
        set_role(user=supervisor, role=Role.OFFICER, by=administrator)
    assert return_work(by=system, at=now) == 1
    assert _owners() == {back.pk: None, done.pk: supervisor.pk}


def test_who_no_longer_contacts_victims_keeps_nobody_to_ring_again(make_referral, officer, system, now):
    referral = make_referral(completed=True)
    raised = {"raised_at": now, "raised_by": system, "kind": FollowUpKind.RING_AGAIN_WISH}
    task = FollowUpFactory.create(attempt=None, referral=referral, **raised)
    acknowledge(follow_up_id=task.pk, by=officer, at=now)
    set_role(user=officer, role=Role.AUDITOR, by=system)
    return_work(by=system, at=now)
    task.refresh_from_db()
    assert task.acknowledged_by is None


@pytest.mark.parametrize("who", ["officer", "supervisor", "hcop"])
def test_whoever_took_a_victim_to_ring_again_keeps_them_until_they_are_away(request, own, system, now, who):
    holder = request.getfixturevalue(who)
    task = own(kind=FollowUpKind.RING_AGAIN_WISH, acknowledged_at=None, acknowledged_by=None)
    acknowledge(follow_up_id=task.pk, by=holder, at=now)
    assert return_work(by=system, at=now) == 0
    LeaveFactory.create(user=holder)
    assert return_work(by=system, at=now) == 1
    assert _owners() == {task.pk: None}


def test_of_two_of_a_kind_one_goes_back_and_holds_up_no_other(own, supervisor, system, now):
    first, second, other = own(), own(), own(kind=FollowUpKind.TRANSFERRED)
    LeaveFactory.create(user=supervisor)
    assert return_work(by=system, at=now) == 2
    assert return_work(by=system, at=now) == 0
    assert _owners() == {first.pk: None, second.pk: supervisor.pk, other.pk: None}


def test_one_that_the_database_refuses_holds_up_no_other(make_referral, officer, system, now, monkeypatch):
    first, second = (make_referral(taken_by=officer, taken_at=now) for _ in range(2))
    LeaveFactory.create(user=officer)
    given = give_notice

    def refuse_first(*, referral, **rest):
        if referral == first:
            raise DatabaseError
        return given(referral=referral, **rest)

    monkeypatch.setattr(absence, "give_notice", refuse_first)
    assert return_work(by=system, at=now) == 1
    assert dict(Referral.objects.values_list("pk", "taken_by")) == {first.pk: officer.pk, second.pk: None}


@pytest.mark.parametrize("role", [Role.HCOP, Role.LEADER])
def test_whoever_may_contact_nobody_any_more_keeps_none(make_referral, world, officer, system, now, role):
    make_referral(taken_by=officer, taken_at=now)
    BcuMembershipFactory.create(user=officer, bcu=world.south_west)
    User.objects.filter(pk=officer.pk).update(role=role)
    assert return_work(by=system, at=now) == 1


def test_leave_is_set_by_oneself_or_by_whoever_leads_the_team(
    officer, supervisor, hcop, colleague, other_officer, trial_lead, now
):
    days = {"starts_on": now.date(), "back_on": now.date() + timedelta(days=3)}
    for by in (colleague, other_officer, trial_lead):
        with pytest.raises(NotAllowed):
            set_leave(user=officer, **days, by=by, at=now)
    for by in (officer, supervisor, hcop):
        leave = set_leave(user=officer, **days, by=by, at=now)
        assert leave.set_by == by
        end_leave(leave_id=leave.pk, by=by)
        leave.refresh_from_db()
        assert leave.back_on == now.date()
    assert AuditEntry.objects.filter(action=Action.LEAVE_SET, references=[officer.username]).count() == 6


def test_an_hcop_who_falls_ill_is_put_on_leave_by_the_deputy_or_an_inspector(
    hcop, other_hcop, inspector, now
):
    days = {"starts_on": now.date(), "back_on": now.date() + timedelta(days=3)}
    for by in (other_hcop, inspector):
        leave = set_leave(user=hcop, **days, by=by, at=now)
        end_leave(leave_id=leave.pk, by=by)


def test_leave_that_cannot_be_is_refused_in_one_sentence(officer, now):
    today = now.date()

    def set_for(first, back):
        return set_leave(
            user=officer,
            starts_on=today + timedelta(days=first),
            back_on=today + timedelta(days=back),
            by=officer,
            at=now,
        )

    with pytest.raises(Refused, match="must come after the first day"):
        set_for(1, 1)
    with pytest.raises(Refused, match="begins today or later"):
        set_for(-1, 3)
    set_for(2, 5)
    with pytest.raises(Refused, match="on leave from 25 November 2026 and back on 28 November 2026"):
        set_for(4, 6)
    set_for(5, 6)


def test_a_leave_of_others_is_not_there(officer, colleague, now):
    leave = LeaveFactory.create(user=officer)
    with pytest.raises(type(leave).DoesNotExist):
        end_leave(leave_id=leave.pk, by=colleague)
