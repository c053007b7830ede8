"""The administrator's pages of teams and wards."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.models import MailboxTest, Notification, PlaceMove, Referral, Team, Ward
from referrals.scope import today
from src_app.accounts.models import User
from src_app.audit.models import AuditEntry, Purpose
from src_app.templatetags.words import day
from tests.conftest import World
from tests.factories import (
    NOW,
    MailboxTestFactory,
    PlaceMoveFactory,
    RefusingMailboxFactory,
    TeamFactory,
    TeamMembershipFactory,
    WardFactory,
)

TEAMS, ADD, CONFIRM = reverse("team_list"), reverse("add_team"), reverse("confirm_mailbox")
MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")


def at(name: str, team: Team) -> str:
    return reverse(name, args=[team.pk])


def words(response: Any) -> str:
    return " ".join(strip_tags(response.content.decode()).split())


def row_of(browser: Client, team: Team) -> dict[str, str]:
    table = browser.get(TEAMS, {"search": team.name}).context["list"].table
    [row] = table.rows
    return {
        column.name: " ".join(strip_tags(str(row.get_cell(column.name))).split()) for column in table.columns
    }


def test_the_list_shows_what_each_team_has(
    browser: Client, world: World, make_referral: MakeReferral, officer: User, supervisor: User
) -> None:
    make_referral()
    make_referral(due_at=NOW - timedelta(hours=1), made_at=NOW - timedelta(days=3))
    make_referral(completed=True)
    TeamMembershipFactory.create(team=world.teams[0], ends_on=today())
    row = row_of(browser, world.teams[0])
    assert (row["wards"], row["borough"], row["people"]) == ("Abbey", "Merton", "2")
    assert row["open"] == "2, 1 overdue"
    assert row["mailbox"] == f"{world.teams[0].mailbox} Never tested"
    entry = AuditEntry.objects.latest("pk")
    assert (entry.subject, entry.purpose) == ("team", Purpose.ADMINISTRATION)


def test_the_state_of_each_mailbox_is_said(browser: Client, world: World) -> None:
    not_yet, new, confirmed, refusing = world.teams[:4]
    MailboxTestFactory.create(team=not_yet)
    MailboxTestFactory.create(team=new, address="new@example.police.uk")
    MailboxTestFactory.create(team=confirmed, confirmed_at=NOW, confirmed_by_id=_somebody())
    RefusingMailboxFactory.create(address=refusing.mailbox)
    since = day(NOW)
    said = {
        team: row_of(browser, team)["mailbox"].removeprefix(team.mailbox).strip() for team in world.teams[:4]
    }
    assert said == {
        not_yet: f"Not confirmed since {since}",
        new: f"New address not confirmed since {since}",
        confirmed: f"Confirmed on {since}",
        refusing: f"Refuses mail since {since} Never tested",
    }


def _somebody() -> int:
    return User.objects.get(username="administrator").pk


def test_as_many_queries_for_thirty_teams_as_for_three(browser: Client, world: World) -> None:
    counts = []
    for more in (3, 27):
        for _ in range(more):
            ward = WardFactory.create(borough=world.wards[0].borough)
            MailboxTestFactory.create(team=ward.team)
        with CaptureQueriesContext(connection) as queries:
            browser.get(TEAMS)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_closed_teams_are_found_apart(browser: Client, world: World, administrator: User) -> None:
    closed = TeamFactory.create(borough=world.wards[0].borough, closed_at=NOW, closed_by=administrator)
    names = {state: words(browser.get(TEAMS, {"state": state})) for state in ("open", "closed")}
    assert closed.name in names["closed"]
    assert closed.name not in names["open"]
    assert "Abbey team" in names["open"]
    assert "was closed on" in words(browser.get(at("team", closed)))


def test_a_team_is_added_tested_and_confirmed_by_the_code_that_somebody_reads_out(
    browser: Client, world: World
) -> None:
    given = {
        "name": "Merton North",
        "borough": world.wards[0].borough_id,
        "mailbox": "north@example.police.uk",
    }
    response = browser.post(ADD, given, follow=True)
    made = Team.objects.get(name="Merton North")
    assert "a test mail is on its way to north@example.police.uk" in words(response)
    assert "Not confirmed since" in words(response)
    code = MailboxTest.objects.get(team=made).code
    assert code not in response.content.decode(), "the administrator does not confirm what nobody has read"
    wrong = browser.post(CONFIRM, {"code": "ABCDE23456"})
    assert "No test mail that waits has this code" in words(wrong)
    page = browser.post(CONFIRM, {"code": code}, follow=True)
    assert "Mail of Merton North goes to north@example.police.uk" in words(page)
    assert "Confirmed on" in words(page)
    assert "choose another name" in words(browser.post(ADD, given))


def test_an_officer_opens_the_link_and_confirms(
    browser: Client, world: World, officer: User, client_of: Callable[[User], Client]
) -> None:
    team = world.teams[0]
    address = {"address": "new@example.police.uk"}
    page = browser.post(at("change_mailbox", team), address, follow=True)
    assert f"Until its code is given the team’s mail goes to {team.mailbox} as before." in words(page)
    code = MailboxTest.objects.get().code
    own = client_of(officer)
    opened = own.get(CONFIRM, {"code": code})
    assert opened.context["form"]["code"].value() == code
    assert team.name not in words(opened)
    assert "goes to new@example.police.uk" in words(own.post(CONFIRM, {"code": code}, follow=True))
    team.refresh_from_db()
    assert team.mailbox == "new@example.police.uk"


def test_a_move_of_wards_is_checked_with_numbers_before_it_is_done(
    browser: Client, world: World, make_referral: MakeReferral, officer: User
) -> None:
    make_referral(taken_by=officer, taken_at=NOW)
    make_referral()
    address = at("move_wards", world.teams[0])
    assert words(browser.post(address, {})).count("Tick at least one ward") == 2
    given = {"wards": [world.wards[0].pk], "to_team": world.teams[1].pk, "starts_on": today()}
    page = words(browser.post(address, given))
    assert "1 ward goes to Colliers Wood team: Abbey." in page
    assert "2 open referrals go along" in page
    assert "1 of them is taken: somebody of Colliers Wood team has to take it anew" in page
    assert "Abbey team has no ward left." in page
    assert not PlaceMove.objects.exists()
    done = browser.post(address, {**given, "confirmed": "yes"}, follow=True)
    assert "Done. Both teams are told by e-mail." in words(done)
    assert Ward.objects.get(pk=world.wards[0].pk).team == world.teams[1]
    assert reverse("close_team", args=[world.teams[0].pk]) in done.content.decode()


def test_a_merge_is_checked_planned_shown_and_called_off(
    browser: Client, world: World, make_referral: MakeReferral, officer: User
) -> None:
    make_referral(taken_by=officer, taken_at=NOW)
    address = at("merge_team", world.teams[0])
    given = {"to_team": world.teams[1].pk, "starts_on": today() + timedelta(days=2)}
    page = words(browser.post(address, given))
    assert "1 referral stays with whoever has taken it." in page
    assert "1 person goes along. From then on everybody in Colliers Wood team sees" in page
    assert "The numbers are those of today" in page
    planned = browser.post(address, {**given, "confirmed": "yes"}, follow=True)
    assert "Planned: it is carried out early on that day" in words(planned)
    for team in world.teams[:2]:
        assert "Abbey team is merged into Colliers Wood team" in words(browser.get(at("team", team)))
    again = browser.post(address, {**given, "confirmed": "yes"})
    assert "Drop that first" in words(again)
    off = browser.post(reverse("drop_move", args=[PlaceMove.objects.get().pk]), follow=True)
    assert "Called off. Both teams are told by e-mail." in words(off)
    assert "called off by Administrator" in words(off)


def test_a_team_that_is_merged_today_leads_to_the_other(browser: Client, world: World) -> None:
    given = {"to_team": world.teams[1].pk, "starts_on": today(), "confirmed": "yes"}
    response = browser.post(at("merge_team", world.teams[0]), given)
    assert response["Location"] == at("team", world.teams[1])
    assert "it is part of Colliers Wood team" in words(browser.get(at("team", world.teams[0])))
    assert Notification.objects.count() == 2


def test_who_would_be_in_no_team_is_named_before_one_is_closed(
    browser: Client, world: World, officer: User
) -> None:
    empty = TeamFactory.create(borough=world.teams[0].borough)
    alone = TeamMembershipFactory.create(team=empty).user
    TeamMembershipFactory.create(team=empty, user=officer)
    page = words(browser.get(at("close_team", empty)))
    assert "2 people leave the team today." in page
    assert f"1 person is in no other team and will see no referral until you move them: {alone}." in page
    assert officer.display_name not in page
    assert "covers 1 ward" in words(browser.post(at("close_team", world.teams[0])))
    assert "The team is closed." in words(browser.post(at("close_team", empty), follow=True))


def test_a_name_is_changed(browser: Client, world: World) -> None:
    page = browser.post(at("rename_team", world.teams[0]), {"name": "Merton Abbey"}, follow=True)
    assert "The name is saved." in words(page)
    page = browser.post(at("rename_team", world.teams[0]), {"name": "Merton Abbey"}, follow=True)
    assert "Nothing changed: it was so already." in words(page)


def test_a_ward_gets_its_new_code(browser: Client, world: World) -> None:
    address = reverse("change_ward", args=[world.wards[0].pk])
    assert "Abbey, Merton" in words(browser.get(address))
    assert "seven digits" in words(browser.post(address, {"name": "Abbey", "code": "new"}))
    browser.post(address, {"name": "Abbey Road", "code": "E05099999"})
    assert Ward.objects.get(code="E05099999").name == "Abbey Road"


def test_bcus_are_listed_with_their_boroughs(browser: Client, world: World) -> None:
    page = words(browser.get(reverse("bcu_list")))
    assert "South West (SW)" in page
    assert f"Merton {world.wards[0].borough.code} 3 wards 3 teams" in page


def test_a_move_whose_day_has_passed_is_marked(browser: Client, world: World) -> None:
    move = PlaceMoveFactory.create(from_team=world.teams[0])
    assert "Could not be carried out" not in words(browser.get(at("team", world.teams[0])))
    PlaceMove.objects.filter(pk=move.pk).update(starts_on=today() - timedelta(days=1))
    assert "Could not be carried out" in words(browser.get(at("team", world.teams[0])))


def test_a_move_that_is_done_is_not_called_off(browser: Client, world: World) -> None:
    move = PlaceMoveFactory.create(from_team=world.teams[0], done_at=NOW)
    page = browser.post(reverse("drop_move", args=[move.pk]), follow=True)
    assert "It was carried out already" in words(page)
