"""Briefings: who was there, and who is still to be briefed."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.guidance.actions import record_briefing, set_attendance
from referrals.guidance.readers import coverage, teams_to_brief
from referrals.models import Briefing, BriefingAttendance
from referrals.scope import today
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import NOW, TeamFactory, TeamMembershipFactory, UserFactory

LIST, ADD = reverse("briefing_list"), reverse("add_briefing")
ClientOf = Callable[[User], Client]


@pytest.fixture
def colleague(world: World) -> User:
    """Of the officer's team."""
    user = UserFactory.create(username="pc7007", display_name="PC 7007")
    TeamMembershipFactory.create(user=user, team=world.teams[0])
    return user


def sent(**fields: object) -> dict[str, object]:
    return {"title": "Online session", "held_on": today().isoformat(), "names": "", **fields}


def words(browser: Client, address: str) -> str:
    return " ".join(browser.get(address).content.decode().split())


def attended() -> set[str]:
    there = BriefingAttendance.objects.filter(was_there=True)
    return set(there.values_list("user__username", flat=True))


def test_a_pasted_list_and_ticks_say_who_was_there(
    client_of: ClientOf, supervisor: User, officer: User, colleague: User
) -> None:
    browser = client_of(supervisor)
    answer = browser.post(ADD, sent(names=f"pc 7007\r\n{colleague.username}", people=[officer.pk]))
    assert answer["Location"] == LIST
    assert attended() == {"officer", "pc7007"}
    entry = AuditEntry.objects.get(action=Action.BRIEFING_RECORDED)
    assert sorted(entry.references) == ["officer", "pc7007"]


def test_a_name_that_nobody_has_saves_nothing_and_loses_nothing(
    client_of: ClientOf, supervisor: User, officer: User
) -> None:
    browser = client_of(supervisor)
    page = browser.post(ADD, sent(names="officer\nPC 9999")).content.decode()
    assert "“PC 9999” is nobody of your teams, or more than one: give user names." in page
    assert "officer\nPC 9999" in page
    assert not Briefing.objects.exists()


def test_a_team_sees_who_is_still_to_be_briefed(
    client_of: ClientOf, supervisor: User, officer: User, colleague: User
) -> None:
    record_briefing(title="Parade", held_on=today(), people=[officer], by=supervisor, at=NOW)
    browser = client_of(supervisor)
    page = words(browser, LIST)
    people = coverage(supervisor, today()).people
    assert f"<strong>1 of {people} people</strong> was at a briefing." in page
    assert "PC 7007" in page
    assert officer.display_name not in page


def test_somebody_of_two_teams_counts_once(world: World, administrator: User, officer: User) -> None:
    TeamMembershipFactory.create(user=officer, team=world.teams[1])
    before = coverage(administrator, today())
    assert before.people == len(before.missing)
    record_briefing(title="Parade", held_on=today(), people=[officer], by=administrator, at=NOW)
    after = coverage(administrator, today())
    assert (after.people, after.briefed) == (before.people, 1)
    assert sum(row.briefed for row in after.teams) == 2


def test_a_supervisor_says_nothing_of_others_people(world: World, supervisor: User, hcop: User) -> None:
    other = UserFactory.create()
    TeamMembershipFactory.create(user=other, team=world.teams[-1])
    with pytest.raises(NotAllowed):
        record_briefing(title="Parade", held_on=today(), people=[other], by=supervisor, at=NOW)
    assert not Briefing.objects.exists()


def test_who_was_there_is_put_right_and_others_people_stay(
    client_of: ClientOf, administrator: User, supervisor: User, world: World, officer: User, colleague: User
) -> None:
    other = UserFactory.create()
    TeamMembershipFactory.create(user=other, team=world.teams[-1])
    briefing = record_briefing(
        title="Online", held_on=today(), people=[officer, other], by=administrator, at=NOW
    )
    address = reverse("briefing", args=[briefing.pk])
    page = words(client_of(supervisor), address)
    assert re.search(rf'value="{officer.pk}"\s+id="person-{officer.pk}"\s+checked', page)
    client_of(supervisor).post(address, {"names": "", "people": [colleague.pk]})
    assert attended() == {"pc7007", other.username}
    client_of(supervisor).post(address, {"names": "", "people": [officer.pk, colleague.pk]})
    assert attended() == {"officer", "pc7007", other.username}


def test_a_briefing_is_recorded_once_and_not_before_it_was_held(
    client_of: ClientOf, supervisor: User, officer: User
) -> None:
    browser = client_of(supervisor)
    tomorrow = (today() + timedelta(days=1)).isoformat()
    page = browser.post(ADD, sent(held_on=tomorrow)).content.decode()
    assert "give today or an earlier day" in page
    browser.post(ADD, sent())
    assert "open it and add who was there" in browser.post(ADD, sent()).content.decode()
    assert Briefing.objects.count() == 1


def test_a_briefing_that_is_not_there_is_not_found(client_of: ClientOf, supervisor: User) -> None:
    assert client_of(supervisor).get(reverse("briefing", args=[404])).status_code == 404


def test_attendance_asks_for_authority(officer: User, supervisor: User) -> None:
    briefing = record_briefing(title="Parade", held_on=today(), people=[], by=supervisor, at=NOW)
    with pytest.raises(NotAllowed):
        set_attendance(briefing_id=briefing.pk, people=[officer], by=officer)


def test_as_many_queries_for_many_people_as_for_few(
    client_of: ClientOf, supervisor: User, world: World
) -> None:
    browser = client_of(supervisor)

    def asked(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get(address)
        return len(captured)

    few = asked(LIST), asked(ADD)
    for _ in range(5):
        TeamMembershipFactory.create(team=world.teams[0])
    assert (asked(LIST), asked(ADD)) == few


def test_a_closed_team_is_briefed_no_more(world: World, administrator: User) -> None:
    closed = TeamFactory.create(borough=world.teams[0].borough, closed_at=NOW, closed_by=administrator)
    teams = set(teams_to_brief(administrator))
    assert world.teams[0] in teams
    assert closed not in teams
