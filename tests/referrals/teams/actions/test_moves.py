"""Wards go to another team, and a team becomes part of another, with all that they have."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from referrals.contact.actions.absence import return_work
from referrals.contact.actions.attempts import log_attempt, withdraw_attempt
from referrals.health.actions import tell_of_faults
from referrals.health.readers import health
from referrals.mail.outbox import deliver
from referrals.mail.reminders import tell_of_late_follow_ups
from referrals.models import (
    Decision,
    Fault,
    FollowUpKind,
    HandOver,
    HandOverReason,
    MailKind,
    Method,
    Notification,
    PlaceMove,
    Referral,
    ReferralStatus,
    Result,
    TeamMembership,
    Ward,
)
from referrals.scope import referrals_visible_to, teams_of, today
from referrals.tasks import carry_out_moves as task
from referrals.teams.actions.moves import carry_out_moves, drop_move, merge_team, move_wards
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import (
    ContactAttemptFactory,
    DecisionFactory,
    FollowUpFactory,
    NotificationFactory,
    PlaceMoveFactory,
    TeamFactory,
    TeamMembershipFactory,
)

MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")
DAY = timedelta(days=1)


@pytest.fixture
def give(world: World, administrator: User, now: datetime) -> dict[str, Any]:
    """The first team's to the second, today."""
    teams = {"from_team": world.teams[0], "to_team": world.teams[1]}
    return {**teams, "starts_on": today(), "by": administrator, "at": now}


def told(kind: MailKind) -> list[str]:
    return sorted(Notification.objects.filter(kind=kind).values_list("recipient", flat=True))


def test_open_referrals_of_a_ward_go_along_with_clock_and_attempts(
    world: World, give: dict[str, Any], make_referral: MakeReferral, officer: User, other_officer: User
) -> None:
    referral = make_referral(taken_by=officer, taken_at=give["at"])
    attempt = ContactAttemptFactory.create(referral=referral, made_by=officer)
    ended = make_referral(closed=True)
    move = move_wards(**give, wards=world.wards[:1])
    due_at = referral.due_at
    referral.refresh_from_db()
    assert Ward.objects.get(pk=world.wards[0].pk).team == world.teams[1]
    assert (referral.team, referral.ward, referral.due_at) == (world.teams[1], world.wards[0], due_at)
    assert referral.taken_by is None
    assert list(referral.attempts.all()) == [attempt]
    assert list(referrals_visible_to(other_officer)) == [referral]
    assert list(referrals_visible_to(officer)) == [ended]
    assert move.done_at == give["at"]
    assert told(MailKind.HANDED_TO) == [world.teams[1].mailbox]
    assert told(MailKind.HANDED_ON) == [world.teams[0].mailbox]
    assert told(MailKind.PLACE_MOVE) == sorted([world.teams[0].mailbox, world.teams[1].mailbox])
    entry = AuditEntry.objects.get(action=Action.WARDS_MOVED)
    assert world.wards[0].code in entry.references


def test_a_day_to_come_is_carried_out_on_that_day_and_once(
    world: World,
    give: dict[str, Any],
    make_referral: MakeReferral,
    clock: time_machine.Traveller,
    system: User,
) -> None:
    move_wards(**{**give, "starts_on": today() + DAY}, wards=world.wards[:1])
    task()
    assert Ward.objects.get(pk=world.wards[0].pk).team == world.teams[0]
    assert len(told(MailKind.PLACE_MOVE)) == 2
    referral = make_referral()
    clock.shift(DAY)
    task()
    assert carry_out_moves(by=system, at=give["at"] + DAY) == 0
    assert Ward.objects.get(pk=world.wards[0].pk).team == world.teams[1]
    referral.refresh_from_db()
    assert referral.team == world.teams[1]
    assert len(told(MailKind.PLACE_MOVE)) == 4
    assert HandOver.objects.count() == 1


def test_what_was_referred_to_the_old_team_meanwhile_goes_to_the_new_one(
    world: World, give: dict[str, Any], make_referral: MakeReferral, system: User
) -> None:
    """As where the team was read before the ward went, and the referral saved after it."""
    move_wards(**give, wards=world.wards[:1])
    left, ended = make_referral(), make_referral(closed=True)
    Referral.objects.update(team=world.teams[0])
    task()
    assert [each.team for each in Referral.objects.order_by("pk")] == [world.teams[1], world.teams[0]]
    assert left.hand_overs.get().reason == HandOverReason.REORGANISED
    assert not ended.hand_overs.exists()
    assert told(MailKind.HANDED_TO) == [world.teams[1].mailbox]
    task()
    assert left.hand_overs.count() == 1


def test_one_that_cannot_be_carried_out_does_not_hold_up_the_others(
    world: World, give: dict[str, Any], system: User, settings: Any
) -> None:
    settings.ADMIN_MAILBOX = "admin@example.police.uk"
    # Planned before the rule, or past the actions: the teams are of two BCUs.
    bad = PlaceMoveFactory.create(from_team=world.teams[2], to_team=world.north_team, starts_on=today())
    good = PlaceMoveFactory.create(from_team=world.teams[0], to_team=world.teams[1], starts_on=today())
    assert carry_out_moves(by=system, at=give["at"]) == 1
    good.refresh_from_db()
    assert good.done_at is not None
    assert Ward.objects.get(pk=world.wards[2].pk).team == world.teams[2]
    tell_of_faults(by=system, at=give["at"])
    fault = Fault.objects.get(name=f"move {bad.pk}")
    assert fault.what == f"A move that was not carried out: {bad}. The database refused it."
    assert Notification.objects.get(fault=fault).recipient == "admin@example.police.uk"
    drop_move(move_id=bad.pk, by=give["by"], at=give["at"])
    tell_of_faults(by=system, at=give["at"] + DAY)
    fault.refresh_from_db()
    assert fault.ended_at == give["at"] + DAY


def test_why_a_move_was_refused_is_told_too(
    world: World, give: dict[str, Any], make_referral: MakeReferral, system: User
) -> None:
    to_team = TeamFactory.create(borough=world.teams[0].borough)
    referral = make_referral()
    Ward.objects.filter(team=world.teams[0]).update(team=world.teams[1])
    bad = PlaceMoveFactory.create(from_team=world.teams[0], to_team=to_team, starts_on=today(), is_merge=True)
    assert carry_out_moves(by=system, at=give["at"]) == 0
    [told] = [what for name, what in health(at=give["at"]).late().items() if name == f"move {bad.pk}"]
    assert told.endswith(f"{to_team} covers no ward, and cannot take referrals over: choose another team.")
    referral.refresh_from_db()
    # The team that has its ward now.
    assert referral.team == world.teams[1]


def test_wards_are_locked_in_one_order_and_beside_their_readers(world: World, give: dict[str, Any]) -> None:
    with CaptureQueriesContext(connection) as asked:
        merge_team(**give)
    [locking] = [
        each["sql"] for each in asked if 'FROM "referrals_ward"' in each["sql"] and "FOR " in each["sql"]
    ]
    assert 'ORDER BY "referrals_ward"."id" ASC FOR NO KEY UPDATE' in locking


def test_a_merged_teams_people_keep_what_they_have_taken(
    world: World,
    give: dict[str, Any],
    make_referral: MakeReferral,
    officer: User,
    supervisor: User,
    other_officer: User,
    system: User,
) -> None:
    referral = make_referral(taken_by=officer, taken_at=give["at"])
    ended = make_referral(completed=True)
    follow_up = FollowUpFactory.create(
        attempt__referral=ended, acknowledged_by=supervisor, acknowledged_at=give["at"]
    )
    waiting = [NotificationFactory.create(referral=each) for each in (referral, ended)]
    draft = DecisionFactory.create(team=world.teams[0])
    due_at = referral.due_at
    merge_team(**give)
    referral.refresh_from_db()
    assert (referral.team, referral.taken_by, referral.due_at) == (world.teams[1], officer, due_at)
    ended.refresh_from_db()
    assert ended.team == world.teams[0], "the old team keeps its history"
    assert list(teams_of(officer)) == [world.teams[1]]
    for person in (officer, supervisor, other_officer):
        assert set(referrals_visible_to(person)) == {referral, ended}
    assert return_work(by=system, at=give["at"]) == 0
    follow_up.refresh_from_db()
    assert follow_up.acknowledged_by == supervisor
    for each in waiting:
        each.refresh_from_db()
        assert each.recipient == world.teams[1].mailbox
    assert Decision.objects.get(pk=draft.pk).team == world.teams[1]
    old = world.teams[0]
    old.refresh_from_db()
    assert (old.closed_at, old.merged_into) == (give["at"], world.teams[1])
    assert told(MailKind.PLACE_MOVE) == sorted([world.teams[0].mailbox, world.teams[1].mailbox])
    assert told(MailKind.HANDED_ON) == [], "nobody who went along is told to make no contact"
    assert world.wards[0].code in AuditEntry.objects.get(action=Action.TEAM_MERGED).references


def test_whoever_is_in_both_teams_is_in_one_afterwards_for_as_long_as_in_either(
    world: World, give: dict[str, Any], officer: User
) -> None:
    soon, later = today() + 5 * DAY, today() + 9 * DAY
    TeamMembership.objects.filter(user=officer).update(ends_on=later)
    TeamMembershipFactory.create(user=officer, team=world.teams[1], starts_on=today() - DAY, ends_on=soon)
    joins = TeamMembershipFactory.create(team=world.teams[0], starts_on=soon)
    merge_team(**give)
    lasting = TeamMembership.objects.filter(team=world.teams[1])
    assert [(each.starts_on, each.ends_on) for each in lasting.filter(user=officer)] == [
        (today() - DAY, later)
    ]
    assert [(each.starts_on, each.ends_on) for each in lasting.filter(user=joins.user)] == [(soon, None)]
    joins.refresh_from_db()
    assert joins.ends_on == joins.starts_on


def test_of_a_team_merged_twice_the_last_has_the_work(
    world: World, give: dict[str, Any], make_referral: MakeReferral, officer: User
) -> None:
    ended = make_referral(completed=True)
    merge_team(**give)
    merge_team(**{**give, "from_team": world.teams[1], "to_team": world.teams[2]})
    world.teams[0].refresh_from_db()
    assert world.teams[0].merged_into == world.teams[2]
    assert list(referrals_visible_to(officer)) == [ended]


def test_what_comes_up_late_is_told_to_the_team_that_has_the_work(
    world: World,
    give: dict[str, Any],
    make_referral: MakeReferral,
    officer: User,
    supervisor: User,
    system: User,
) -> None:
    User.objects.filter(pk=supervisor.pk).update(email="sergeant@example.police.uk")
    ended = make_referral(closed=True)
    merge_team(**give)
    log_attempt(
        referral_id=ended.pk,
        key=uuid4(),
        method=Method.TELEPHONE,
        result=Result.CONTACT_MADE,
        made_at=give["at"],
        by=officer,
        at=give["at"],
        follow_ups=[FollowUpKind.STATEMENT],
    )
    recipients = told(MailKind.FOLLOW_UP)
    assert world.teams[1].mailbox in recipients
    assert "sergeant@example.police.uk" in recipients
    assert world.teams[0].mailbox not in recipients
    much_later = give["at"] + 9 * DAY
    tell_of_late_follow_ups(by=system, at=much_later)
    assert "sergeant@example.police.uk" in told(MailKind.FOLLOW_UPS_LATE)


def test_a_referral_that_opens_again_goes_to_the_team_of_its_ward(
    world: World, give: dict[str, Any], make_referral: MakeReferral, supervisor: User
) -> None:
    referral = make_referral(completed=True)
    attempt = ContactAttemptFactory.create(referral=referral, made_by=supervisor, result="contact_made")
    merge_team(**give)
    withdraw_attempt(attempt_id=attempt.pk, key=uuid4(), by=supervisor, at=give["at"] + DAY)
    referral.refresh_from_db()
    assert (referral.status, referral.team) == (ReferralStatus.OPEN, world.teams[1])
    assert told(MailKind.HANDED_TO) == [world.teams[1].mailbox]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"starts_on": -1}, "today or a later day"),
        ({"to_team": "same"}, "the same team"),
        ({"to_team": "north"}, "not of one BCU"),
        ({"to_team": "closed"}, "is closed"),
    ],
)
def test_what_cannot_be_is_refused(
    world: World, give: dict[str, Any], changed: dict[str, Any], says: str, administrator: User, now: datetime
) -> None:
    closed = TeamFactory.create(borough=world.teams[0].borough, closed_at=now, closed_by=administrator)
    teams = {"same": world.teams[0], "north": world.north_team, "closed": closed}
    values = {name: teams.get(str(value), today() + DAY * -1) for name, value in changed.items()}
    with pytest.raises(Refused, match=says):
        merge_team(**{**give, **values})
    with pytest.raises(Refused, match=says):
        move_wards(**{**give, **values}, wards=world.wards[:1])
    assert not PlaceMove.objects.exists()


def test_no_plan_contradicts_another(world: World, give: dict[str, Any], now: datetime) -> None:
    later = {**give, "starts_on": today() + DAY}
    move_wards(**later, wards=world.wards[:1])
    with pytest.raises(Refused, match="Planned already"):
        move_wards(**give, wards=world.wards[:1])
    with pytest.raises(Refused, match="Planned already"):
        merge_team(**{**give, "from_team": world.teams[1], "to_team": world.teams[2]})
    merge_team(**{**later, "from_team": world.teams[3], "to_team": world.teams[4]})
    with pytest.raises(Refused, match="Planned already"):
        merge_team(**{**later, "from_team": world.teams[3], "to_team": world.teams[5]})
    with pytest.raises(Refused, match="is merged into"):
        move_wards(**{**give, "to_team": world.teams[3]}, wards=world.wards[:1])
    with pytest.raises(Refused, match="not a ward of"):
        move_wards(**give, wards=world.wards[1:2])
    with pytest.raises(Refused, match="tick at least one"):
        move_wards(**give, wards=[])


def test_a_plan_is_called_off_and_both_are_told(
    world: World, give: dict[str, Any], administrator: User, system: User, now: datetime
) -> None:
    move = merge_team(**{**give, "starts_on": today() + DAY})
    drop_move(move_id=move.pk, by=administrator, at=now)
    assert drop_move(move_id=move.pk, by=administrator, at=now).dropped_at == now
    assert carry_out_moves(by=system, at=now + 2 * DAY) == 0
    assert len(told(MailKind.PLACE_MOVE)) == 4
    done = merge_team(**give)
    with pytest.raises(Refused, match="carried out already"):
        drop_move(move_id=done.pk, by=administrator, at=now)


@pytest.mark.parametrize("called_off", [False, True])
def test_the_mail_says_what_goes_where_and_when(
    world: World, give: dict[str, Any], administrator: User, system: User, now: datetime, *, called_off: bool
) -> None:
    move = move_wards(**{**give, "starts_on": today() + DAY}, wards=world.wards[:1])
    if called_off:
        drop_move(move_id=move.pk, by=administrator, at=now)
    for notification in Notification.objects.filter(kind=MailKind.PLACE_MOVE):
        assert deliver(notification_id=notification.pk, by=system)
    [*_, message] = mail.outbox
    begins = "Called off" if called_off else "From 24 November 2026"
    assert message.subject == f"{begins}: Abbey: from Abbey team to Colliers Wood team"
    assert ("Everything stays as it is." in message.body) is called_off
    assert "/referrals/" in message.body


def test_a_merge_calls_off_what_was_planned_of_the_wards(world: World, give: dict[str, Any]) -> None:
    planned = move_wards(
        **{**give, "starts_on": today() + DAY, "to_team": world.teams[2]}, wards=world.wards[:1]
    )
    merge_team(**give)
    planned.refresh_from_db()
    assert planned.dropped_at is not None


def test_an_hcop_moves_no_wards(world: World, give: dict[str, Any], hcop: User) -> None:
    with pytest.raises(NotAllowed):
        move_wards(**{**give, "by": hcop}, wards=world.wards[:1])
    with pytest.raises(NotAllowed):
        merge_team(**{**give, "by": hcop})
    with pytest.raises(NotAllowed):
        carry_out_moves(by=hcop, at=give["at"])
