"""The administrator's list of wards."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from referrals.models import Mode
from src_app.accounts.models import User
from src_app.audit.models import AuditEntry, Purpose
from tests.conftest import World
from tests.downloads import csv_rows, workbook_rows
from tests.factories import (
    PostcodeFactory,
    RefusingMailboxFactory,
    TrialFactory,
    WardFactory,
    WardModeFactory,
)

WARDS = reverse("place_list")


@pytest.fixture
def browser(client_of: Callable[[User], Client], administrator: User) -> Client:
    return client_of(administrator)


def _cells(browser: Client, url: str, column: str) -> dict[str, str]:
    rows = browser.get(url).context["list"].table.rows
    return {strip_tags(row.get_cell("name")): strip_tags(row.get_cell(column)) for row in rows}


def test_each_ward_shows_its_team_and_mailbox(browser: Client, world: World) -> None:
    ward = world.wards[0]
    assert _cells(browser, WARDS, "team")["Abbey"] == "Abbey team"
    assert _cells(browser, WARDS, "mailbox")["Abbey"] == ward.team.mailbox


def test_a_mailbox_that_refuses_mail_is_said_on_the_administrators_first_page(
    browser: Client, world: World
) -> None:
    assert "refused-mailboxes" not in browser.get(WARDS).content.decode()
    RefusingMailboxFactory.create(address=world.teams[0].mailbox)
    assert browser.get("/", follow=True).request["PATH_INFO"] == WARDS
    text = " ".join(browser.get(WARDS).content.decode().split())
    assert f"{world.teams[0].mailbox}</strong> has refused mail since 23 November 2026, 7:30am" in text


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


def test_looking_is_recorded(browser: Client, world: World) -> None:
    browser.get(WARDS)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.subject, entry.purpose) == ("ward", Purpose.ADMINISTRATION)
    assert world.wards[0].code in entry.references


def test_as_many_queries_for_thirty_rows_as_for_three(browser: Client, world: World) -> None:
    counts = []
    for more in (3, 27):
        for _ in range(more):
            WardModeFactory.create(ward=WardFactory.create(borough=world.wards[0].borough))
        with CaptureQueriesContext(connection) as queries:
            browser.get(WARDS)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_wards_of_one_borough_by_name_or_by_code(browser: Client, world: World) -> None:
    merton = world.wards[0].borough
    WardFactory.create(borough=merton, name="Zenith", code="E05000001")
    names = list(_cells(browser, f"{WARDS}?borough={merton.pk}", "code"))
    assert names == ["Abbey", "Colliers Wood", "Graveney", "Zenith"]
    by_code = _cells(browser, f"{WARDS}?borough={merton.pk}&order=code", "code")
    assert list(by_code.values()) == sorted(by_code.values())
    assert list(by_code) != names


@pytest.mark.parametrize("rows", [csv_rows, workbook_rows])
def test_wards_are_a_file(browser: Client, world: World, rows: Callable[..., list[dict[str, Any]]]) -> None:
    [row] = [row for row in rows(browser, WARDS) if row["Ward"] == "Abbey"]
    assert (row["Team"], row["Now"], row["Code"]) == ("Abbey team", "SRC for all", world.wards[0].code)
    assert AuditEntry.objects.latest("pk").rows == 7


def test_wards_without_a_postcode_are_named_until_they_have_one(browser: Client, world: World) -> None:
    for ward in world.wards[1:]:
        PostcodeFactory.create(ward=ward)
    PostcodeFactory.create(ward=world.north_ward)
    page = " ".join(browser.get(WARDS).content.decode().split())
    assert "1 ward without a postcode." in page
    assert f"{world.wards[0].name} ({world.wards[0].code})" in page
    PostcodeFactory.create(ward=world.wards[0])
    assert "without-postcode" not in browser.get(WARDS).content.decode()
