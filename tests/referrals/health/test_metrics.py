"""Prometheus reads gauges with its token alone, and no label of them names anybody."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from referrals.models import ImportStatus
from src_app.audit.models import Action, AuditEntry
from src_app.health.models import TaskRun
from src_app.health.readers import HEARTBEAT
from tests.conftest import World
from tests.factories import (
    AuditEntryFactory,
    CaseImportFactory,
    NotificationFactory,
    ReferralFactory,
    RefusingMailboxFactory,
)

PAGE = reverse("metrics")
TOKEN = "a-token-of-more-than-32-characters"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def _gauges() -> dict[tuple[str, str], float]:
    response = Client().get(PAGE, HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name.removeprefix("reassurance_"), "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    "shown", [None, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é"]
)
def test_without_the_token_nothing_is_told(db: None, shown: str | None) -> None:
    headers = {"Authorization": shown} if shown else {}
    response = Client().get(PAGE, headers=headers)
    assert (response.status_code, response.content) == (401, b"")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_where_no_token_is_set_there_is_no_such_address(db: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get(PAGE).status_code == 404
    assert Client().get(PAGE, HTTP_AUTHORIZATION="Bearer ").status_code == 404


@pytest.mark.usefixtures("clock")
def test_each_gauge_is_as_the_database_has_it(world: World, now: datetime) -> None:
    ward = world.wards[0]
    TaskRun.objects.create(name=HEARTBEAT, known_since=now - HOUR, finished_at=now - HOUR)
    settled = {"status": ImportStatus.SAVED, "settled_at": now, "report_encrypted": None, "parts": None}
    CaseImportFactory.create(bcu=world.south_west, uploaded_at=now - 2 * HOUR, **settled)
    AuditEntryFactory.create(action=Action.OUTCOMES_IMPORTED, at=now - 3 * HOUR)
    overdue, _ = (
        ReferralFactory.create(case__ward=ward, made_at=now - 9 * HOUR, due_at=due_at)
        for due_at in (now - HOUR, now + HOUR)
    )
    failed = {"attempts": 2, "last_error": "SMTPRecipientsRefused"}
    NotificationFactory.create(referral=overdue, created_at=now - 4 * HOUR, **failed)
    RefusingMailboxFactory.create(address=overdue.team.mailbox, reply_code=452)
    assert _gauges() == {
        ("outbox_waiting", ""): 1,
        ("outbox_failed", ""): 1,
        ("outbox_oldest_age_seconds", ""): 4 * 3600,
        ("refused_mailboxes", ""): 1,
        ("task_last_finish_age_seconds", HEARTBEAT): 3600,
        ("task_late", HEARTBEAT): 1,
        ("extract_age_seconds", "SW"): 2 * 3600,
        ("outcomes_age_seconds", ""): 3 * 3600,
        ("referrals_open", ""): 2,
        ("referrals_overdue", ""): 1,
    }
    text = Client().get(PAGE, HTTP_AUTHORIZATION=f"Bearer {TOKEN}").content.decode()
    assert overdue.team.mailbox not in text
    assert AuditEntry.objects.count() == 1


def test_before_anything_happened_there_are_zeros_and_no_ages(db: None) -> None:
    gauges = _gauges()
    assert set(gauges.values()) == {0}
    assert not any(name.startswith(("task", "extract", "outcomes")) for name, _ in gauges)
