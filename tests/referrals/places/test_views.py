"""The administrator's lists of wards and people."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from referrals.models import Mode
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.downloads import csv_rows, workbook_rows
from tests.factories import (
    PostcodeFactory,
    TeamMembershipFactory,
    TrialFactory,
    UserFactory,
    WardFactory,
    WardModeFactory,
)

WARDS = reverse("place_list")
PEOPLE = reverse("person_list")


@pytest.fixture
def browser(client_of: Callable[[User], Client], administrator: User) -> Client:
    return client_of(administrator)


def _cells(browser: Client, url: str, column: str) -> dict[str, str]:
    return {row.get_cell("name"): row.get_cell(column) for row in browser.get(url).context["list"].table.rows}


def test_each_ward_shows_its_team_and_mailbox(browser: Client, world: World) -> None:
    ward = world.wards[0]
    assert _cells(browser, WARDS, "team")["Abbey"] == "Abbey team"
    assert _cells(browser, WARDS, "mailbox")["Abbey"] == ward.team.mailbox


def test_each_ward_shows_its_mode_today(browser: Client, world: World) -> None:
    today = timezone.localdate()
    trial = TrialFactory.create(bcu=world.south_west, name="Pilot")
    no_mode, in_trial, left, later = world.wards[:4]
    for ward in (in_trial, left):
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial, starts_on=today - timedelta(days=2))
    WardModeFactory.create(ward=left, mode=Mode.NOT_STARTED, starts_on=today)
    WardModeFactory.create(ward=later, mode=Mode.NOT_STARTED, starts_on=today + timedelta(days=1))
    modes = _cells(browser, WARDS, "mode")
    assert [modes[ward.name] for ward in (no_mode, in_trial, left, later)] == [
        "SRC for all",
        "Trial: Pilot",
        "Not started",
        "SRC for all",
    ]


def test_each_person_shows_role_and_where_they_belong_today(
    browser: Client, world: World, officer: User, hcop: User, leader: User
) -> None:
    TeamMembershipFactory.create(user=officer, team=world.teams[3])
    TeamMembershipFactory.create(
        user=officer, team=world.teams[1], ends_on=timezone.localdate() - timedelta(days=1)
    )
    assert _cells(browser, PEOPLE, "role")["PC 1001"] == "Neighbourhood officer or PCSO"
    places = _cells(browser, PEOPLE, "places")
    assert places["PC 1001"] == "Abbey team, Merton; Balham team, Wandsworth"
    assert places[hcop.display_name] == places[leader.display_name] == "South West"
    assert places["Administrator"] == "Nowhere"


def test_an_account_that_cannot_sign_in_says_so(browser: Client) -> None:
    UserFactory.create(display_name="PC left", is_active=False)
    assert _cells(browser, PEOPLE, "active")["PC left"] == "No"


@pytest.mark.parametrize(("url", "subject"), [(WARDS, "ward"), (PEOPLE, "account")])
def test_looking_is_recorded(browser: Client, world: World, url: str, subject: str) -> None:
    browser.get(url)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.subject, entry.purpose) == (subject, Purpose.ADMINISTRATION)
    assert (world.wards[0].code if subject == "ward" else "administrator") in entry.references


@pytest.mark.parametrize("url", [WARDS, PEOPLE])
def test_as_many_queries_for_thirty_rows_as_for_three(browser: Client, world: World, url: str) -> None:
    counts = []
    for more in (3, 27):
        for _ in range(more):
            TeamMembershipFactory.create(team=world.teams[0])
            WardModeFactory.create(ward=WardFactory.create(borough=world.wards[0].borough))
        with CaptureQueriesContext(connection) as queries:
            browser.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_pages_of_people_keep_showing_people(browser: Client) -> None:
    UserFactory.create_batch(120)
    first = browser.get(PEOPLE).context["list"].paged
    second = browser.get(first.next_url).context["list"].paged
    assert len(first.rows) == 100
    assert all(isinstance(row, User) for row in second.rows)
    assert len(second.rows) == 21


def test_wards_of_one_borough_by_name_or_by_code(browser: Client, world: World) -> None:
    merton = world.wards[0].borough
    WardFactory.create(borough=merton, name="Zenith", code="E05000001")
    names = list(_cells(browser, f"{WARDS}?borough={merton.pk}", "code"))
    assert names == ["Abbey", "Colliers Wood", "Graveney", "Zenith"]
    by_code = _cells(browser, f"{WARDS}?borough={merton.pk}&order=code", "code")
    assert list(by_code.values()) == sorted(by_code.values())
    assert list(by_code) != names


def test_people_of_one_role_who_can_still_sign_in(browser: Client, officer: User, hcop: User) -> None:
    left = UserFactory.create(display_name="PC left", role=officer.role, is_active=False)
    assert list(_cells(browser, f"{PEOPLE}?role=officer", "name")) == [
        officer.display_name,
        left.display_name,
    ]
    assert list(_cells(browser, f"{PEOPLE}?role=officer&active=True", "name")) == [officer.display_name]


def test_people_by_user_name(browser: Client, officer: User, hcop: User) -> None:
    usernames = list(_cells(browser, f"{PEOPLE}?order=username", "username").values())
    assert usernames == sorted(usernames) == ["administrator", "hcop", "officer"]


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_wards_and_people_are_files(
    browser: Client, world: World, officer: User, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    [row] = [row for row in rows(browser, WARDS) if row["Ward"] == "Abbey"]
    assert (row["Team"], row["Now"], row["Code"]) == ("Abbey team", "SRC for all", world.wards[0].code)
    assert AuditEntry.objects.latest("pk").rows == 7
    people = rows(browser, PEOPLE, role="officer")
    assert people == [
        {
            "Name": officer.display_name,
            "User name": "officer",
            "Role": "Neighbourhood officer or PCSO",
            "Belongs to": "Abbey team, Merton",
            "Can sign in": "Yes",
        }
    ]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.references, entry.fields, entry.rows) == (
        Action.DOWNLOADED,
        ["officer"],
        ["role"],
        1,
    )


def test_wards_without_a_postcode_are_named_until_they_have_one(browser: Client, world: World) -> None:
    for ward in world.wards[1:]:
        PostcodeFactory.create(ward=ward)
    PostcodeFactory.create(ward=world.north_ward)
    page = " ".join(browser.get(WARDS).content.decode().split())
    assert "1 ward without a postcode." in page
    assert f"{world.wards[0].name} ({world.wards[0].code})" in page
    PostcodeFactory.create(ward=world.wards[0])
    assert "without-postcode" not in browser.get(WARDS).content.decode()
