"""The overdue, and the wards, as files."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from referrals.models import Referral
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.downloads import csv_rows, workbook_rows

ClientOf = Callable[[User], Client]
MakeReferral = Callable[..., Referral]
Rows = Callable[..., list[dict[str, Any]]]
URL = reverse("compliance")
pytestmark = [pytest.mark.usefixtures("clock"), pytest.mark.parametrize("rows", [csv_rows, workbook_rows])]


def test_the_wards_download_with_their_denominator_and_the_download_is_recorded(
    client_of: ClientOf, due: MakeReferral, leader: User, world: World, rows: Rows
) -> None:
    due(-30, contacted=-1)
    due(-30)
    due(-30, ward=world.wards[3])
    browser = client_of(leader)
    [row] = rows(browser, URL, "wards-", borough=world.wards[0].borough.code)
    ward = world.wards[0]
    assert {heading: str(cell) for heading, cell in row.items()} == {
        "Ward code": ward.code,
        "Ward": "Abbey",
        "Borough": "Merton",
        "Due": "2",
        "Contacted in time": "1",
        "Late": "0",
        "Closed without contact": "0",
        "Overdue": "1",
        "Not yet due": "0",
        "Clock stopped": "0",
    }
    entry = AuditEntry.objects.get(action=Action.DOWNLOADED)
    assert (entry.actor, entry.purpose, entry.subject) == (leader, Purpose.SUPERVISION, "compliance")
    assert (entry.references, entry.fields, entry.rows) == ([], ["borough"], 1)
    name = browser.get(URL, {"wards-format": "csv"})["Content-Disposition"]
    assert "compliance-2026-08-31-2026-11-23.csv" in name


def test_the_overdue_download_within_scope_and_are_named_in_the_log(
    client_of: ClientOf, due: MakeReferral, supervisor: User, colleague: User, world: World, rows: Rows
) -> None:
    late = due(-30)
    taken = due(-50, taken_by=colleague, taken_at=late.made_at + timedelta(hours=1))
    due(-30, ward=world.wards[1])
    found = rows(client_of(supervisor), URL, "overdue-")
    assert [(row["Referral"], row["Ward"], row["Taken by"] or "") for row in found] == [
        (taken.number, "Abbey", str(colleague)),
        (late.number, "Abbey", ""),
    ]
    assert str(found[1]["Overdue since"])[:10] == "2026-11-22"
    entry = AuditEntry.objects.get(action=Action.DOWNLOADED)
    assert (entry.references, entry.rows) == ([taken.number, late.number], 2)


def test_a_leader_downloads_no_referral(
    client_of: ClientOf, due: MakeReferral, leader: User, rows: Rows
) -> None:
    due(-30)
    assert rows(client_of(leader), URL, "overdue-") == []
    assert AuditEntry.objects.get(action=Action.DOWNLOADED).references == []
