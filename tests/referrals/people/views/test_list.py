"""The administrator's list of people."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.downloads import csv_rows, workbook_rows
from tests.factories import TeamMembershipFactory, UserFactory

PEOPLE = reverse("person_list")


def _rows(browser: Client, asked: str = "") -> dict[str, Any]:
    listed = browser.get(f"{PEOPLE}?{asked}").context["list"].table.rows
    return {row.record.user.display_name: row for row in listed}


def test_each_person_shows_role_and_where_they_belong_today(
    browser: Client, world: World, officer: User, hcop: User, leader: User
) -> None:
    TeamMembershipFactory.create(user=officer, team=world.teams[3])
    TeamMembershipFactory.create(
        user=officer, team=world.teams[1], ends_on=timezone.localdate() - timedelta(days=1)
    )
    rows = _rows(browser)
    assert rows["PC 1001"].get_cell("role") == "Neighbourhood officer or PCSO"
    places = {name: row.get_cell("places") for name, row in rows.items()}
    assert places["PC 1001"] == "Abbey team, Merton; Balham team, Wandsworth"
    assert places[hcop.display_name] == places[leader.display_name] == "South West"
    assert places["Administrator"] == "Nowhere"


def test_of_many_teams_three_are_shown_and_the_file_has_all(browser: Client, world: World) -> None:
    sergeant = UserFactory.create(role="supervisor", display_name="PS 52")
    for team in world.teams:
        TeamMembershipFactory.create(user=sergeant, team=team)
    assert _rows(browser)["PS 52"].get_cell("places").endswith("Colliers Wood team, Merton and 3 others")
    (row,) = csv_rows(browser, PEOPLE, role="supervisor")
    assert row["Belongs to"].count(";") == 5


def test_what_is_amiss_with_an_account_is_said(browser: Client, system: User) -> None:
    UserFactory.create(display_name="PC left", is_active=False)
    ready = UserFactory.create(display_name="PC ready", email="ready@example.police.uk")
    Authenticator.objects.create(user=ready, type=Authenticator.Type.TOTP, data={})
    rows = _rows(browser)
    assert "Closed" in rows["PC left"].get_cell("state")
    assert rows["PC ready"].get_cell("state") == "Open"
    assert rows["PC ready"].get_cell("last_login") == "Never"
    for words in ("No e-mail", "No second factor"):
        assert words in rows["Administrator"].get_cell("state")
    assert system.display_name not in rows
    page = browser.get(PEOPLE).content.decode()
    assert "1 open account has no e-mail address." in page
    User.objects.filter(email=None).update(is_active=False)


@pytest.mark.parametrize(
    ("asked", "shows"),
    [
        ("search=1001", ["PC 1001"]),
        ("search=ADMIN", ["Administrator"]),
        ("role=officer", ["PC 1001", "PC left", "PC ready"]),
        ("role=officer&state=open", ["PC 1001", "PC ready"]),
        ("state=closed", ["PC left"]),
        ("state=no_email&role=officer", ["PC 1001"]),
        ("state=no_factor&role=officer", ["PC 1001"]),
        ("state=never&role=officer", ["PC 1001", "PC ready"]),
        ("search=nobody", []),
        ("search=%25", []),
    ],
)
def test_people_are_found(browser: Client, officer: User, asked: str, shows: list[str]) -> None:
    UserFactory.create(display_name="PC left", is_active=False, email="left@example.police.uk")
    ready = UserFactory.create(display_name="PC ready", email="ready@example.police.uk")
    Authenticator.objects.create(user=ready, type=Authenticator.Type.WEBAUTHN, data={})
    assert list(_rows(browser, asked)) == shows


def test_people_of_a_team_today(browser: Client, world: World, officer: User, other_officer: User) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    TeamMembershipFactory.create(user=other_officer, team=world.teams[0], ends_on=yesterday)
    assert list(_rows(browser, f"team={world.teams[0].pk}")) == ["PC 1001"]


def test_people_by_user_name(browser: Client, officer: User, hcop: User) -> None:
    usernames = [row.record.user.username for row in _rows(browser, "order=username").values()]
    assert usernames == ["administrator", "hcop", "officer"]


def test_looking_is_recorded(browser: Client) -> None:
    browser.get(PEOPLE)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.subject, entry.purpose) == ("account", Purpose.ADMINISTRATION)
    assert entry.references == ["administrator"]


def test_as_many_queries_for_thirty_people_as_for_three(browser: Client, world: World) -> None:
    counts = []
    for more in (3, 27):
        TeamMembershipFactory.create_batch(more, team=world.teams[0])
        with CaptureQueriesContext(connection) as queries:
            browser.get(PEOPLE)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_pages_of_people_keep_showing_people(browser: Client) -> None:
    UserFactory.create_batch(120)
    first = browser.get(PEOPLE).context["list"].paged
    second = browser.get(first.next_url).context["list"].paged
    assert len(first.rows) == 100
    assert all(isinstance(row, User) for row in second.rows)
    assert len(second.rows) == 21


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_people_are_a_file(browser: Client, officer: User, rows: Callable[..., list[dict[str, Any]]]) -> None:
    (row,) = rows(browser, PEOPLE, role="officer")
    assert (row["Name"], row["User name"]) == (officer.display_name, "officer")
    assert (row["Belongs to"], row["Account"]) == ("Abbey team, Merton", "No e-mail; No second factor")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.references, entry.fields, entry.rows) == (
        Action.DOWNLOADED,
        ["officer"],
        ["role"],
        1,
    )
