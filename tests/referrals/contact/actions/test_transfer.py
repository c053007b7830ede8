"""A referral goes to another ward team, of another BCU too: what goes along, and who sees what."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from outcomes.case.readers import records_of
from outcomes.case.timeline import timeline
from referrals.cases.readers import cases_found
from referrals.compliance.readers.overdue import overdue
from referrals.contact.actions.absence import return_work
from referrals.contact.actions.follow_ups import chase
from referrals.contact.actions.hand_over import follow_ward
from referrals.contact.actions.transfer import transfer
from referrals.contact.readers.stranded import stranded_work
from referrals.contact.readers.went_elsewhere import went_from_led_teams, went_from_own_teams
from referrals.mail.messages import message_of
from referrals.models import (
    FollowUpKind,
    HandOver,
    HandOverReason,
    MailKind,
    Notification,
    Referral,
)
from referrals.scope import (
    allocations_visible_to,
    cases_visible_to,
    flags_visible_to,
    follow_ups_visible_to,
    referrals_visible_to,
)
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World, _in_bcu, _in_team
from tests.factories import AllocationFactory, ContactAttemptFactory, FollowUpFactory

MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def referral(make_referral: MakeReferral, officer: User, now: datetime) -> Referral:
    return make_referral(taken_by=officer, taken_at=now)


@pytest.fixture
def north_officer(world: World) -> User:
    return _in_team(world.north_team, Role.OFFICER, "north_officer", "PC 3001")


@pytest.fixture
def north_inspector(world: World) -> User:
    return _in_bcu(world.north, Role.SUPERVISOR, "north_inspector", "Insp 10")


@pytest.fixture
def to_north(world: World, referral: Referral, now: datetime) -> Callable[..., Referral]:
    def act(by: User, **changed: Any) -> Referral:
        given = {
            "referral_id": referral.pk,
            "seen": referral.ward_id,
            "ward": world.north_ward,
            "reason": HandOverReason.LIVES_ELSEWHERE,
            "at": now,
        }
        return transfer(**{**given, **changed}, by=by)

    return act


@pytest.mark.parametrize("who", ["supervisor", "inspector", "hcop"])
def test_clock_and_history_go_along_and_both_teams_are_told(
    request: pytest.FixtureRequest,
    world: World,
    referral: Referral,
    to_north: Callable[..., Referral],
    officer: User,
    who: str,
) -> None:
    by = request.getfixturevalue(who)
    attempt = ContactAttemptFactory.create(referral=referral, made_by=officer)
    due_at, case_bcu = referral.due_at, referral.case.bcu
    to_north(by)
    referral.refresh_from_db()
    assert (referral.team, referral.ward, referral.due_at) == (world.north_team, world.north_ward, due_at)
    assert referral.taken_by is None
    assert list(referral.attempts.all()) == [attempt]
    assert referral.case.bcu == case_bcu, "the case stays the sending BCU's"
    handed = HandOver.objects.get()
    assert (handed.reason, handed.by_hand, handed.handed_by) == ("lives_elsewhere", True, by)
    told = Notification.objects.values_list("kind", "recipient")
    assert set(told) == {
        (MailKind.HANDED_TO, world.north_team.mailbox),
        (MailKind.HANDED_ON, world.teams[0].mailbox),
    }
    assert AuditEntry.objects.filter(action=Action.REFERRAL_HANDED_OVER).count() == 1


def test_the_receiving_bcu_sees_the_referral_and_the_sending_team_no_more(
    referral: Referral,
    to_north: Callable[..., Referral],
    officer: User,
    supervisor: User,
    inspector: User,
    hcop: User,
    north_hcop: User,
    north_officer: User,
    north_inspector: User,
) -> None:
    sending, receiving = (officer, supervisor, inspector), (north_officer, north_inspector, north_hcop)
    for user in (*sending, hcop):
        assert referrals_visible_to(user).filter(pk=referral.pk).exists()
    for user in receiving:
        assert not referrals_visible_to(user).exists()
    to_north(supervisor)
    for user in (*receiving, hcop):
        assert list(referrals_visible_to(user)) == [referral], user
    for user in sending:
        assert not referrals_visible_to(user).exists(), user


def test_case_flag_and_trial_stay_the_sending_bcus(
    make_referral: MakeReferral,
    to_north: Callable[..., Referral],
    world: World,
    hcop: User,
    north_hcop: User,
    now: datetime,
) -> None:
    allocation = AllocationFactory.create(case__ward=world.wards[0], arm="src")
    referral = make_referral(case=allocation.case, allocation=allocation)
    to_north(hcop, referral_id=referral.pk, seen=referral.ward_id)
    for visible in (cases_visible_to, allocations_visible_to, flags_visible_to):
        assert visible(hcop).exists()
        assert not visible(north_hcop).exists(), visible.__name__


def test_a_search_finds_it_on_both_sides_and_no_other_case_of_the_bcu(
    referral: Referral,
    make_referral: MakeReferral,
    to_north: Callable[..., Referral],
    hcop: User,
    north_hcop: User,
) -> None:
    other = make_referral()
    number, of_other = (each.number.replace("-", "") for each in (referral, other))
    to_north(hcop)
    assert cases_found(north_hcop, number).cases == [referral.case]
    assert cases_found(hcop, number).cases == [referral.case]
    assert cases_found(north_hcop, of_other).cases == []


def test_what_came_up_goes_along_and_what_is_the_cases_stays(
    referral: Referral,
    to_north: Callable[..., Referral],
    supervisor: User,
    hcop: User,
    north_hcop: User,
    north_inspector: User,
    inspector: User,
    system: User,
    now: datetime,
) -> None:
    owned = {"acknowledged_at": now, "acknowledged_by": inspector}
    threat = FollowUpFactory.create(attempt__referral=referral, kind=FollowUpKind.THREAT, **owned)
    ruled_out = FollowUpFactory.create(
        referral=referral,
        attempt=None,
        kind=FollowUpKind.RULED_OUT,
        raised_at=now,
        raised_by=system,
        acknowledged_at=now,
        acknowledged_by=hcop,
    )
    to_north(hcop)
    assert set(follow_ups_visible_to(hcop)) == {threat, ruled_out}
    assert set(follow_ups_visible_to(north_hcop)) == {threat}
    assert set(follow_ups_visible_to(north_inspector)) == {threat}
    for user in (supervisor, inspector):
        assert not follow_ups_visible_to(user).exists()
    return_work(by=system, at=now)
    threat.refresh_from_db()
    ruled_out.refresh_from_db()
    assert threat.acknowledged_by is None, "its owner does not see it any more"
    assert ruled_out.acknowledged_by == hcop


def test_what_is_overdue_is_chased_where_the_team_is(
    make_referral: MakeReferral,
    to_north: Callable[..., Referral],
    hcop: User,
    north_hcop: User,
    now: datetime,
) -> None:
    late = make_referral(made_at=now - timedelta(days=4), due_at=now - timedelta(days=1))
    assert list(overdue(hcop, at=now)) == [late]
    to_north(hcop, referral_id=late.pk, seen=late.ward_id)
    assert not overdue(hcop, at=now).exists()
    assert list(overdue(north_hcop, at=now)) == [late]
    for user, teams in ((hcop, []), (north_hcop, ["Hendon team"])):
        stranded = stranded_work(user)
        assert stranded is not None
        assert [team.name for team in stranded.teams] == teams


def test_the_sending_side_sees_where_it_went(
    world: World,
    referral: Referral,
    to_north: Callable[..., Referral],
    officer: User,
    supervisor: User,
    hcop: User,
    inspector: User,
    other_officer: User,
    now: datetime,
) -> None:
    to_north(supervisor)
    ago = now - timedelta(days=7)
    [told] = went_from_own_teams(officer, ago, 20)
    assert (told.number, told.from_team, told.to_team) == (referral.number, "Abbey team", "")
    for went in (
        went_from_own_teams(supervisor, ago, 20),
        went_from_led_teams(inspector, ago, 20),
        went_from_led_teams(hcop, ago, 20),
    ):
        [each] = went
        assert (each.number, each.from_team, each.to_team) == (referral.number, "Abbey team", "Hendon team")
    assert went_from_own_teams(other_officer, ago, 20) == []
    assert went_from_own_teams(officer, now + timedelta(seconds=1), 20) == []
    # What came back did not go anywhere.
    Referral.objects.filter(pk=referral.pk).update(team=world.teams[0], ward=world.wards[0])
    assert went_from_own_teams(officer, ago, 20) == went_from_led_teams(hcop, ago, 20) == []


def test_the_mail_to_the_sending_team_says_not_where_it_went(
    referral: Referral, to_north: Callable[..., Referral], supervisor: User, world: World
) -> None:
    to_north(supervisor)
    message = message_of(Notification.objects.get(kind=MailKind.HANDED_ON))
    said = f"{message.subject} {message.body} {message.alternatives}"
    for name in (world.north_ward.name, world.north_team.name):
        assert name not in said
    assert "Your supervisor knows which." in message.body


def test_where_it_is_now_they_transfer_and_chase_it(
    referral: Referral, to_north: Callable[..., Referral], world: World, hcop: User, north_hcop: User
) -> None:
    def again(by: User) -> Referral:
        return to_north(by, seen=world.north_ward.pk, ward=world.wards[1])

    def remind(by: User) -> bool:
        return chase(referral_id=referral.pk, key=uuid4(), by=by, at=referral.made_at)

    to_north(hcop)
    assert referrals_visible_to(hcop).exists()
    for act in (again, remind):
        with pytest.raises(Referral.DoesNotExist):
            act(hcop)
        act(north_hcop)
        referral.refresh_from_db()
        if act is again:
            to_north(hcop, seen=world.wards[1].pk)


def test_the_pages_offer_that_to_nobody_else(
    client_of: Callable[[User], Client], referral: Referral, to_north: Callable[..., Referral], hcop: User
) -> None:
    transfers, chases = (
        reverse(name, args=[referral.number]) for name in ("transfer_referral", "chase_referral")
    )
    pages = [reverse("referral", args=[referral.number]), reverse("case", args=[referral.case_id])]
    before = "".join(client_of(hcop).get(page).content.decode() for page in pages)
    assert before.count(transfers) > 1
    assert chases in before
    to_north(hcop)
    after = "".join(client_of(hcop).get(page).content.decode() for page in pages)
    assert transfers not in after
    assert chases not in after
    assert client_of(hcop).get(transfers).status_code == 404
    assert client_of(hcop).post(chases).status_code == 404


def test_it_may_come_back_and_the_victims_ward_moves_it_no_more(
    world: World,
    referral: Referral,
    to_north: Callable[..., Referral],
    supervisor: User,
    north_hcop: User,
    now: datetime,
) -> None:
    to_north(supervisor)
    referral.refresh_from_db()
    assert not follow_ward(referral=referral, by=north_hcop, at=now)
    to_north(north_hcop, seen=world.north_ward.pk, ward=world.wards[1], reason=HandOverReason.WRONG_TEAM)
    referral.refresh_from_db()
    assert referral.team == world.teams[1]
    assert not referrals_visible_to(north_hcop).exists()


def test_the_time_line_says_why(referral: Referral, to_north: Callable[..., Referral], hcop: User) -> None:
    to_north(hcop)
    [event] = [
        each for each in timeline(referral.case, records_of(referral.case)) if each.title == "Handed over"
    ]
    assert event.detail == "From Abbey team to Hendon team: the victim lives there now."


def test_what_cannot_be_is_refused(
    world: World,
    referral: Referral,
    make_referral: MakeReferral,
    to_north: Callable[..., Referral],
    officer: User,
    supervisor: User,
    north_hcop: User,
) -> None:
    with pytest.raises(NotAllowed):
        to_north(officer)
    with pytest.raises(Referral.DoesNotExist):
        to_north(north_hcop)
    ended = make_referral(closed=True)
    for changed, says in (
        ({"ward": world.wards[0]}, "already: choose another"),
        ({"seen": world.wards[1].pk}, "Nothing was transferred"),
        ({"reason": HandOverReason.REORGANISED}, "Choose why"),
        ({"referral_id": ended.pk, "seen": ended.ward_id}, "was ended on"),
    ):
        with pytest.raises(Refused, match=says):
            to_north(supervisor, **changed)
    assert not HandOver.objects.exists()
