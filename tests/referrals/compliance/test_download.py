"""The table by ward as a file."""

import csv
import io
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from referrals.models import Referral
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World

ClientOf = Callable[[User], Client]
MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")


def test_the_table_downloads_and_the_download_is_recorded(
    client_of: ClientOf, due: MakeReferral, leader: User, world: World
) -> None:
    due(-30, contacted=-1)
    due(-30)
    response = client_of(leader).get(reverse("compliance_download"))
    assert "compliance-2026-08-31-2026-11-23.csv" in response["Content-Disposition"]
    [row] = csv.DictReader(io.StringIO(response.content.decode()))
    ward = world.wards[0]
    assert row == {
        "ward_code": ward.code,
        "ward": "Abbey",
        "borough": "Merton",
        "due": "2",
        "in_time": "1",
        "late": "0",
        "closed_without_contact": "0",
        "overdue": "1",
        "not_yet_due": "0",
    }
    entry = AuditEntry.objects.get(action=Action.DOWNLOADED)
    assert (entry.actor, entry.purpose) == (leader, Purpose.SUPERVISION)
