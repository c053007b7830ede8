"""A team is added, renamed and closed; its mailbox counts once it is known to be read."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from referrals.mail import outbox
from referrals.models import (
    Case,
    MailboxTest,
    MailKind,
    Notification,
    Referral,
    Team,
    TeamMembership,
    TrialStatus,
    Ward,
)
from referrals.places.actions.mailboxes import change_mailbox, confirm_mailbox
from referrals.places.actions.membership import join_team
from referrals.places.actions.teams import add_team, close_team, rename_team
from referrals.places.actions.wards import change_ward
from referrals.scope import today
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import (
    DecisionFactory,
    FollowUpFactory,
    NotificationFactory,
    PlaceMoveFactory,
    PostcodeFactory,
    TeamFactory,
    TeamMembershipFactory,
    TrialFactory,
    UserFactory,
)

MakeReferral = Callable[..., Referral]
NEW = "new@example.police.uk"
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def team(world: World) -> Team:
    return world.teams[0]


@pytest.fixture
def empty(world: World) -> Team:
    """A team that covers no ward."""
    return TeamFactory.create(borough=world.teams[0].borough)


def test_a_new_teams_mail_goes_out_before_it_is_confirmed(
    world: World, administrator: User, now: datetime
) -> None:
    borough = world.wards[0].borough
    made = add_team(
        name="Merton North", borough=borough, mailbox="North@EXAMPLE.police.uk", by=administrator, at=now
    )
    assert (made.mailbox, made.borough) == ("north@example.police.uk", borough)
    test = MailboxTest.objects.get(team=made)
    assert (test.address, test.confirmed_at) == (made.mailbox, None)
    sent = Notification.objects.get()
    assert (sent.kind, sent.recipient) == (MailKind.MAILBOX_TEST, made.mailbox)
    with pytest.raises(Refused, match="choose another name"):
        add_team(name="merton north", borough=borough, mailbox=NEW, by=administrator, at=now)
    with pytest.raises(Refused, match="Give a work e-mail address"):
        add_team(name="South", borough=borough, mailbox="team@example.org", by=administrator, at=now)


def test_the_test_mail_holds_a_code_that_counts_once(
    team: Team, administrator: User, officer: User, system: User, now: datetime
) -> None:
    old = team.mailbox
    test = change_mailbox(team=team, address=NEW, by=administrator, at=now)
    outbox.deliver(notification_id=Notification.objects.get().pk, by=system)
    [message] = mail.outbox
    assert message.to == [NEW]
    assert f"/places/mailbox/?code={test.code}" in message.body
    team.refresh_from_db()
    assert team.mailbox == old, "the old address goes on being used"
    confirm_mailbox(code=f" {test.code[:5].lower()}-{test.code[5:]} ", by=officer, at=now)
    team.refresh_from_db()
    assert team.mailbox == NEW
    with pytest.raises(Refused, match="No test mail"):
        confirm_mailbox(code=test.code, by=officer, at=now)
    assert AuditEntry.objects.get(action=Action.MAILBOX_CONFIRMED).recipients == [NEW]


def test_what_waits_for_the_old_address_goes_to_the_new_one(
    team: Team, administrator: User, make_referral: MakeReferral, other_officer: User, now: datetime
) -> None:
    waits, sent, at_work, personal = (NotificationFactory.create(referral=make_referral()) for _ in range(4))
    elsewhere = NotificationFactory.create(referral=make_referral(), recipient=team.mailbox)
    Notification.objects.filter(pk=sent.pk).update(sent_at=now)
    Notification.objects.filter(pk=at_work.pk).update(
        claim_token="11111111-1111-4111-8111-111111111111", claimed_until=now + timedelta(minutes=5)
    )
    Notification.objects.filter(pk=personal.pk).update(recipient="pc1@example.police.uk")
    Referral.objects.filter(notifications=elsewhere).update(team=other_officer_team(other_officer))
    old = team.mailbox
    test = change_mailbox(team=team, address=NEW, by=administrator, at=now)
    confirm_mailbox(code=test.code, by=administrator, at=now)
    recipients = dict(Notification.objects.values_list("pk", "recipient"))
    assert recipients[waits.pk] == NEW
    assert recipients[sent.pk] == recipients[at_work.pk] == recipients[elsewhere.pk] == old
    assert recipients[personal.pk] == "pc1@example.police.uk"


def other_officer_team(user: User) -> Team:
    return TeamMembership.objects.get(user=user).team


def test_a_later_test_takes_the_place_of_the_one_before(
    team: Team, administrator: User, system: User, now: datetime
) -> None:
    first = change_mailbox(team=team, address=NEW, by=administrator, at=now)
    second = change_mailbox(team=team, address=team.mailbox, by=administrator, at=now)
    with pytest.raises(Refused, match="No test mail"):
        confirm_mailbox(code=first.code, by=administrator, at=now)
    notification = Notification.objects.get(mailbox_test=first)
    assert not outbox.deliver(notification_id=notification.pk, by=system)
    confirm_mailbox(code=second.code, by=administrator, at=now)
    team.refresh_from_db()
    assert team.mailbox == second.address


def test_only_somebody_of_the_team_or_who_keeps_teams_confirms(
    team: Team, administrator: User, other_officer: User, hcop: User, auditor: User, now: datetime
) -> None:
    test = change_mailbox(team=team, address=NEW, by=administrator, at=now)
    for user in (other_officer, hcop, auditor):
        with pytest.raises(Refused, match="No test mail"):
            confirm_mailbox(code=test.code, by=user, at=now)
    with pytest.raises(NotAllowed):
        change_mailbox(team=team, address=NEW, by=other_officer, at=now)


def test_a_name_changes_and_is_taken_once_in_a_borough(world: World, team: Team, administrator: User) -> None:
    assert rename_team(team=team, name="Merton Abbey", by=administrator)
    assert not rename_team(team=team, name="Merton Abbey", by=administrator)
    assert rename_team(team=team, name="MERTON abbey", by=administrator), "its own name may be spelt anew"
    with pytest.raises(Refused, match="choose another name"):
        rename_team(team=world.teams[1], name="Merton Abbey", by=administrator)
    assert rename_team(team=world.teams[3], name="Merton Abbey", by=administrator)


def test_a_team_without_ward_and_work_is_closed_and_its_people_leave(
    empty: Team, administrator: User, officer: User, now: datetime
) -> None:
    member = UserFactory.create()
    join_team(user=member, team=empty, starts_on=today() - timedelta(days=3), by=administrator)
    test = change_mailbox(team=empty, address=NEW, by=administrator, at=now)
    close_team(team=empty, by=administrator, at=now)
    empty.refresh_from_db()
    assert (empty.closed_at, empty.closed_by) == (now, administrator)
    assert TeamMembership.objects.get(user=member).ends_on == today()
    test.refresh_from_db()
    assert test.replaced
    for act in (
        lambda: close_team(team=empty, by=administrator, at=now),
        lambda: rename_team(team=empty, name="Other", by=administrator),
        lambda: change_mailbox(team=empty, address=NEW, by=administrator, at=now),
        lambda: join_team(user=officer, team=empty, starts_on=today(), by=administrator),
    ):
        with pytest.raises(Refused, match="is closed"):
            act()
    add_team(name=empty.name, borough=empty.borough, mailbox=NEW, by=administrator, at=now)


def _work(empty: Team, make_referral: MakeReferral) -> dict[str, Callable[[], Any]]:
    def refer(**fields: Any) -> Referral:
        referral = make_referral(**fields)
        Referral.objects.filter(pk=referral.pk).update(team=empty)
        return referral

    return {
        "open referral": refer,
        "follow-up": lambda: FollowUpFactory.create(attempt__referral=refer(completed=True)),
        "a merged team's": lambda: FollowUpFactory.create(attempt__referral=_of_merged(empty, refer)),
        "overnight review": lambda: DecisionFactory.create(team=empty),
        "is planned": lambda: PlaceMoveFactory.create(to_team=empty, from_team__borough=empty.borough),
    }


def _of_merged(empty: Team, refer: MakeReferral) -> Referral:
    """An ended referral of a team that was merged into this one."""
    referral = refer(completed=True)
    merged = TeamFactory.create(borough=empty.borough)
    Referral.objects.filter(pk=referral.pk).update(team=merged)
    merged.closed_at, merged.closed_by, merged.merged_into = referral.closed_at, referral.closed_by, empty
    merged.save()
    return referral


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("open referral", "open referral"),
        ("follow-up", "follow-up"),
        ("a merged team's", "1 follow-up"),
        ("overnight review", "overnight review"),
        ("is planned", "is planned"),
    ],
)
def test_a_team_with_something_left_to_do_is_not_closed(
    empty: Team, make_referral: MakeReferral, administrator: User, now: datetime, what: str, says: str
) -> None:
    _work(empty, make_referral)[what]()
    with pytest.raises(Refused, match=says):
        close_team(team=empty, by=administrator, at=now)
    empty.refresh_from_db()
    assert empty.closed_at is None


@pytest.mark.parametrize("what", ["follow-up", "a merged team's"])
def test_the_database_closes_no_team_with_follow_ups_that_are_not_done(
    empty: Team, make_referral: MakeReferral, administrator: User, now: datetime, what: str
) -> None:
    _work(empty, make_referral)[what]()
    with pytest.raises(IntegrityError, match="closed_without_work"):
        Team.objects.filter(pk=empty.pk).update(closed_at=now, closed_by=administrator)


def test_nobody_joins_a_team_that_is_closed_meanwhile(
    empty: Team, administrator: User, officer: User, now: datetime
) -> None:
    as_read = Team.objects.get(pk=empty.pk)
    close_team(team=empty, by=administrator, at=now)
    with pytest.raises(Refused, match="is closed"):
        join_team(user=officer, team=as_read, starts_on=today(), by=administrator)
    with pytest.raises(IntegrityError, match="in_an_open_team"), transaction.atomic():
        TeamMembershipFactory.create(user=officer, team=empty)


def test_a_team_that_covers_a_ward_is_not_closed(team: Team, administrator: User, now: datetime) -> None:
    with pytest.raises(Refused, match="covers 1 ward"):
        close_team(team=team, by=administrator, at=now)


def test_the_database_keeps_work_and_wards_from_a_closed_team(
    world: World, empty: Team, make_referral: MakeReferral, administrator: User, now: datetime
) -> None:
    referral, ended = make_referral(), make_referral(completed=True)
    close_team(team=empty, by=administrator, at=now)
    for act, name in (
        (lambda: Referral.objects.filter(pk=referral.pk).update(team=empty), "open_at_an_open_team"),
        (lambda: Ward.objects.filter(pk=world.wards[0].pk).update(team=empty), "covered_by_an_open_team"),
        (lambda: Ward.objects.update(team=world.north_team), "covered_by_an_open_team"),
        (
            lambda: Team.objects.filter(pk=world.teams[0].pk).update(closed_at=now, closed_by=administrator),
            "closed_without_work",
        ),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            act()
    Referral.objects.filter(pk=ended.pk).update(team=empty)
    with pytest.raises(IntegrityError, match="open_at_an_open_team"), transaction.atomic():
        Referral.objects.filter(pk=ended.pk).update(
            status="open", contacted_at=None, closed_at=None, closed_by=None
        )


def test_a_recoded_ward_keeps_its_reports_and_postcodes(
    world: World, administrator: User, make_case: Callable[..., Case]
) -> None:
    ward = world.wards[0]
    postcode, case = PostcodeFactory.create(ward=ward), make_case()
    assert change_ward(ward=ward, name="Abbey Road", code="E05099999", by=administrator)
    assert not change_ward(ward=ward, name="Abbey Road", code="E05099999", by=administrator)
    postcode.refresh_from_db()
    case.refresh_from_db()
    assert (postcode.ward, case.ward) == (ward, ward)
    assert Ward.objects.get(code="E05099999") == ward
    entry = AuditEntry.objects.get(action=Action.WARD_CHANGED)
    assert (entry.references, entry.fields) == ([ward.code, "E05099999"], ["code", "name"])


def test_a_code_is_the_ons_and_of_one_ward(world: World, administrator: User) -> None:
    for code, says in (("Abbey", "seven digits"), (world.wards[1].code, "already")):
        with pytest.raises(Refused, match=says):
            change_ward(ward=world.wards[0], name="Abbey", code=code, by=administrator)


def test_a_code_stays_while_a_trial_names_it(world: World, administrator: User) -> None:
    ward = world.wards[0]
    TrialFactory.create(bcu=world.south_west, name="Pilot", status=TrialStatus.SEALED)
    with pytest.raises(Refused, match="Pilot names the ward"):
        change_ward(ward=ward, name="Abbey", code="E05099999", by=administrator)
    assert change_ward(ward=ward, name="Abbey Road", code=ward.code, by=administrator)
