"""Digests that people and teams chose, and nobody else gets."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from referrals.digests.actions import choose_digests, send_digests
from referrals.mail import outbox
from referrals.models import Digest, DigestChoice, DigestKind, Notification, Referral, Team
from referrals.tasks import deliver_waiting_mail
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import (
    NOW,
    DeadlinePolicyFactory,
    DigestChoiceFactory,
    FollowUpFactory,
    LeaveFactory,
    TeamFactory,
    TeamMembershipFactory,
)

MakeReferral = Callable[..., Referral]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAGE = reverse("choose_digests")
MORNING, WEEK = DigestKind.MORNING, DigestKind.WEEK

pytestmark = pytest.mark.usefixtures("clock")


def _with_address(user: User) -> User:
    user.email = f"{user.username}@example.police.uk"
    user.save(update_fields=["email"])
    return user


def _at(text: str) -> datetime:
    return timezone.make_aware(datetime.fromisoformat(text))


def _numbers(choice: DigestChoice) -> dict[str, Any]:
    numbers: dict[str, Any] = Digest.objects.get(choice=choice).numbers
    return numbers


def _due(make_referral: MakeReferral, hours: float, **fields: Any) -> Referral:
    return make_referral(made_at=NOW - 5 * DAY, due_at=NOW + hours * HOUR, **fields)


def test_an_officer_gets_what_they_have_and_what_nobody_in_the_team_has(
    make_referral: MakeReferral, world: World, officer: User, colleague: User, system: User
) -> None:
    mine = {"taken_by": officer, "taken_at": NOW - DAY}
    _due(make_referral, -2, **mine)
    _due(make_referral, 10, **mine)
    _due(make_referral, 30, **mine)
    _due(make_referral, -2, taken_by=colleague, taken_at=NOW - DAY)
    _due(make_referral, -2)
    _due(make_referral, -2, ward=world.wards[1])
    _due(make_referral, -2, completed=True, **mine)
    choice = DigestChoiceFactory.create(user=_with_address(officer))
    assert send_digests(by=system, at=NOW) == 1
    assert _numbers(choice) == {
        "whose": "Your referrals",
        "overdue": 1,
        "due_today": 1,
        "untaken": 1,
        "follow_ups": None,
    }


def test_a_supervisor_and_the_teams_mailbox_get_the_teams_numbers(
    make_referral: MakeReferral, world: World, officer: User, supervisor: User, system: User
) -> None:
    referral = _due(make_referral, -2, taken_by=officer, taken_at=NOW - DAY)
    _due(make_referral, 10)
    FollowUpFactory.create(attempt__referral=referral)
    _due(make_referral, -2, ward=world.wards[1])
    own = DigestChoiceFactory.create(user=_with_address(supervisor))
    of_team = DigestChoiceFactory.create(user=None, team=world.teams[0])
    assert send_digests(by=system, at=NOW) == 2
    counts = {"overdue": 1, "due_today": 1, "untaken": 1, "follow_ups": 1}
    assert _numbers(own) == {"whose": "Referrals of your teams", **counts}
    assert _numbers(of_team) == {"whose": "Referrals of Abbey team", **counts}
    recipients = set(Notification.objects.values_list("recipient", flat=True))
    assert recipients == {supervisor.email, world.teams[0].mailbox}


def test_of_a_merged_team_the_team_that_has_its_work_hears(
    make_referral: MakeReferral, world: World, system: User
) -> None:
    old, new = world.teams[:2]
    FollowUpFactory.create(attempt__referral=make_referral(completed=True))
    of_old, of_new = (DigestChoiceFactory.create(user=None, team=team) for team in (old, new))
    old.wards.update(team=new)
    Team.objects.filter(pk=old.pk).update(closed_at=NOW, closed_by=system, merged_into=new)
    assert send_digests(by=system, at=NOW) == 1
    assert _numbers(of_new)["follow_ups"] == 1
    assert not Digest.objects.filter(choice=of_old).exists()


def test_an_hcop_hears_of_the_teams_they_lead_and_not_of_one_elsewhere_that_has_their_case(
    make_referral: MakeReferral, world: World, hcop: User, system: User
) -> None:
    _due(make_referral, -2)
    elsewhere = _due(make_referral, -2)
    away = world.north_ward
    Referral.objects.filter(pk=elsewhere.pk).update(team=away.team, ward=away)
    choice = DigestChoiceFactory.create(user=_with_address(hcop))
    assert send_digests(by=system, at=NOW) == 1
    assert _numbers(choice)["overdue"] == 1


@pytest.mark.parametrize(
    ("at", "sends"),
    [
        ("2026-11-23 06:59", False),
        ("2026-11-23 07:00", True),
        ("2026-11-23 12:59", True),  # a worker was away
        ("2026-11-23 13:00", False),
        ("2026-11-28 08:00", False),  # Saturday
        ("2026-11-29 08:00", False),
        ("2027-03-29 07:00", True),  # the Monday after the clocks went forward
        ("2026-10-26 06:59", False),  # and after they went back
    ],
)
def test_the_morning_digest_goes_out_on_weekday_mornings_and_never_later(
    make_referral: MakeReferral, officer: User, system: User, at: str, sends: bool
) -> None:
    _due(make_referral, -2)
    DigestChoiceFactory.create(user=_with_address(officer), chosen_at=_at("2026-10-01 12:00"))
    assert send_digests(by=system, at=_at(at)) == sends


def test_a_bcu_whose_deadlines_say_when_gets_its_digests_then(
    make_referral: MakeReferral, world: World, officer: User, system: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, digest_at=time(9))
    _due(make_referral, 10, taken_by=officer, taken_at=NOW - DAY)
    DigestChoiceFactory.create(user=_with_address(officer))
    assert send_digests(by=system, at=_at("2026-11-23 08:59")) == 0
    assert send_digests(by=system, at=_at("2026-11-23 09:00")) == 1


def test_each_is_sent_once_a_day_whoever_asks_how_often(
    make_referral: MakeReferral, officer: User, system: User
) -> None:
    _due(make_referral, -2)
    choice = DigestChoiceFactory.create(user=_with_address(officer))
    assert [send_digests(by=system, at=NOW + minutes * HOUR / 60) for minutes in (0, 0, 5)] == [1, 0, 0]
    # Chosen anew before this morning's time, as far as the database can tell.
    choice.ended_at, choice.ended_by = NOW, officer
    choice.save()
    DigestChoiceFactory.create(user=officer)
    assert send_digests(by=system, at=NOW) == 0
    assert send_digests(by=system, at=NOW + DAY) == 1
    assert Notification.objects.count() == 2


def test_where_there_is_nothing_to_say_nothing_comes_later_that_morning_either(
    make_referral: MakeReferral, officer: User, system: User
) -> None:
    choice = DigestChoiceFactory.create(user=_with_address(officer))
    assert send_digests(by=system, at=NOW) == 0
    assert _numbers(choice) == {}
    _due(make_referral, -2)
    assert send_digests(by=system, at=NOW + HOUR) == 0


def test_nobody_gets_what_they_did_not_choose_or_while_they_are_away(
    make_referral: MakeReferral,
    officer: User,
    colleague: User,
    other_officer: User,
    supervisor: User,
    system: User,
) -> None:
    _due(make_referral, -2)
    DigestChoiceFactory.create(user=officer)  # has no address
    DigestChoiceFactory.create(user=_with_address(colleague), chosen_at=NOW + HOUR)
    DigestChoiceFactory.create(user=_with_address(other_officer), ended_at=NOW, ended_by=other_officer)
    DigestChoiceFactory.create(user=_with_address(supervisor))
    LeaveFactory.create(user=supervisor)
    assert send_digests(by=system, at=NOW) == 0


@pytest.mark.parametrize("because", ["late", "ended", "closed", "moved"])
def test_one_that_waited_too_long_or_is_wanted_no_more_is_given_up(
    make_referral: MakeReferral, officer: User, system: User, because: str
) -> None:
    _due(make_referral, -2)
    choice = DigestChoiceFactory.create(user=_with_address(officer))
    send_digests(by=system, at=NOW)
    at = NOW + HOUR
    if because == "late":
        at = NOW + 7 * HOUR
    elif because == "ended":
        DigestChoice.objects.update(ended_at=NOW, ended_by=officer)
    else:
        changed = {"is_active": False} if because == "closed" else {"email": "new@example.police.uk"}
        User.objects.filter(digest_choices=choice).update(**changed)
    mail = Notification.objects.get()
    assert not outbox.deliver(notification_id=mail.pk, by=system, at=at)
    mail.refresh_from_db()
    assert mail.abandoned_at == at


def test_the_week_is_told_by_team_to_supervisors_and_by_ward_to_leaders_within_their_sight(
    make_referral: MakeReferral,
    world: World,
    inspector: User,
    supervisor: User,
    leader: User,
    system: User,
) -> None:
    last_week = _at("2026-11-18 12:00")
    contacted = {"made_at": last_week - 3 * DAY, "due_at": last_week, "completed": True}
    make_referral(contacted_at=last_week - HOUR, **contacted)
    make_referral(contacted_at=last_week + HOUR, **contacted)
    make_referral(made_at=last_week - 3 * DAY, due_at=last_week, ward=world.wards[3])
    make_referral(made_at=last_week - 9 * DAY, due_at=last_week - 7 * DAY)
    make_referral(made_at=last_week - 3 * DAY, due_at=last_week, ward=world.north_ward)
    choices = {
        user: DigestChoiceFactory.create(user=_with_address(user), kind=WEEK)
        for user in (inspector, supervisor, leader)
    }
    assert send_digests(by=system, at=NOW) == 3

    def rows(user: User) -> list[tuple[str, int, int, int, int]]:
        told = _numbers(choices[user])["rows"]
        return [(row["name"], row["in_time"], row["late"], row["overdue"], row["due"]) for row in told]

    assert rows(supervisor) == [("Abbey team", 1, 1, 0, 2)]
    assert rows(inspector) == [("Abbey team", 1, 1, 0, 2), ("Balham team", 0, 0, 1, 1)]
    assert rows(leader) == [
        ("Merton", 1, 1, 0, 2),
        ("Merton, Abbey", 1, 1, 0, 2),
        ("Wandsworth", 0, 0, 1, 1),
        ("Wandsworth, Balham", 0, 0, 1, 1),
    ]
    numbers = _numbers(choices[leader])
    assert (numbers["total"]["due"], numbers["overdue_now"]) == (3, 2)
    assert (numbers["first"], numbers["last"]) == ("2026-11-16", "2026-11-22")


@pytest.mark.parametrize(
    ("at", "on"),
    [
        ("2026-11-23 06:59", None),
        ("2026-11-23 07:00", date(2026, 11, 23)),
        ("2026-11-24 12:59", date(2026, 11, 23)),
        ("2026-11-24 13:01", None),
        ("2026-11-29 08:00", None),
    ],
)
def test_the_week_is_told_on_monday_and_caught_up_until_tuesday(
    make_referral: MakeReferral, supervisor: User, system: User, at: str, on: date | None
) -> None:
    make_referral(made_at=NOW - 9 * DAY, due_at=_at("2026-11-18 12:00"))
    DigestChoiceFactory.create(user=_with_address(supervisor), kind=WEEK, chosen_at=NOW - 9 * DAY)
    send_digests(by=system, at=_at(at))
    assert list(Digest.objects.values_list("on", flat=True)) == ([on] if on else [])


def test_it_reaches_the_person_with_numbers_and_links_and_the_log_keeps_no_address(
    make_referral: MakeReferral,
    supervisor: User,
    system: User,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    referral = _due(make_referral, -2)
    DigestChoiceFactory.create(user=_with_address(supervisor))
    make_referral(made_at=NOW - 9 * DAY, due_at=_at("2026-11-18 12:00"))
    DigestChoiceFactory.create(user=supervisor, kind=WEEK)
    send_digests(by=system, at=NOW)
    deliver_waiting_mail()
    morning, week = mailoutbox
    assert morning.subject == "23 November 2026: 2 overdue, 0 due today"
    assert "- 2 that nobody has taken\n- 0 follow-ups waiting\n" in morning.body
    assert "http://127.0.0.1:8000/compliance/\n" in morning.body
    assert week.subject == "Contact from 16 November 2026 to 22 November 2026: 0 of 1 in time"
    assert "- Abbey team: 0 of 1 in time, 0 late, 1 overdue, 0 closed without contact\n" in week.body
    for message in mailoutbox:
        assert referral.number not in message.body
        assert f"http://127.0.0.1:8000{PAGE}" in message.body
    told = AuditEntry.objects.filter(action=Action.MAIL_SENT)
    assert [(entry.subject, entry.recipients) for entry in told] == [("digest", [])] * 2


def test_everybody_chooses_on_one_page_and_nothing_is_chosen_at_first(
    client_of: Callable[[User], Client], supervisor: User, world: World, clock: time_machine.Traveller
) -> None:
    browser = client_of(_with_address(supervisor))
    page = browser.get(PAGE).content.decode()
    assert "checked" not in page
    assert "supervisor@example.police.uk" in page
    team = world.teams[0].pk
    said = browser.post(PAGE, {"kinds": ["morning", "week"], "teams": [team]}, follow=True).content.decode()
    assert "Saved." in said
    assert said.count("checked") == 3
    clock.shift(HOUR / 6)
    browser.post(PAGE, {"kinds": ["week"], "teams": [team]})
    browser.post(PAGE, {"kinds": ["week"], "teams": [team]})
    ended = DigestChoice.objects.get(ended_at__isnull=False)
    assert (ended.kind, ended.user, ended.ended_at, ended.ended_by) == (
        MORNING,
        supervisor,
        NOW + HOUR / 6,
        supervisor,
    )
    assert DigestChoice.objects.count() == 3
    assert AuditEntry.objects.filter(action=Action.DIGESTS_CHOSEN).count() == 2


def test_each_role_is_offered_what_it_can_use(
    client_of: Callable[[User], Client], officer: User, leader: User, hcop: User, world: World
) -> None:
    def offered(user: User) -> list[str]:
        form = client_of(user).get(PAGE).content.decode().split('id="chosen"')[1]
        return [word for word in ('value="morning"', 'value="week"', "Abbey team") if word in form]

    assert offered(officer) == ['value="morning"']
    assert offered(leader) == ['value="week"']
    assert offered(hcop) == ['value="morning"', 'value="week"']
    with pytest.raises(NotAllowed):
        choose_digests(kinds=[WEEK], teams=[], by=officer, at=NOW)
    with pytest.raises(NotAllowed):
        choose_digests(kinds=[], teams=[world.teams[0]], by=officer, at=NOW)


def test_two_of_one_kind_for_one_person_cannot_be(officer: User, system: User) -> None:
    DigestChoiceFactory.create(user=officer)
    with pytest.raises(IntegrityError), transaction.atomic():
        DigestChoiceFactory.create(user=officer)
    with pytest.raises(NotAllowed):
        send_digests(by=officer, at=NOW)


def test_whoever_leads_many_teams_finds_their_mailboxes_folded_away(
    client_of: Callable[[User], Client], world: World, supervisor: User
) -> None:
    browser = client_of(supervisor)
    assert "To the mailboxes of your" not in browser.get(PAGE).content.decode()
    for team in TeamFactory.create_batch(6, borough=world.teams[0].borough):
        TeamMembershipFactory.create(user=supervisor, team=team)
    TeamFactory.create(borough=world.teams[0].borough, closed_at=NOW, closed_by=supervisor)
    assert "To the mailboxes of your 7 teams" in browser.get(PAGE).content.decode()
