"""The administrator sees what is late, in words, and nothing about anybody."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.health.readers import MAIL_SWEEP, health
from referrals.mail.readers import Outbox, RefusedMailbox, outbox, refused_mailboxes
from referrals.models import ImportStatus
from src_app.accounts.models import User
from src_app.audit.models import Action
from src_app.health.models import TaskRun
from src_app.health.readers import HEARTBEAT
from tests.conftest import World
from tests.factories import AuditEntryFactory, CaseImportFactory, NotificationFactory, RefusingMailboxFactory

PAGE = reverse("system_health")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def browser(client_of: Callable[[User], Client], administrator: User) -> Client:
    return client_of(administrator)


def _saved(bcu: Any, uploaded_at: datetime) -> None:
    settled = {"status": ImportStatus.SAVED, "settled_at": uploaded_at, "report_encrypted": None}
    CaseImportFactory.create(bcu=bcu, uploaded_at=uploaded_at, parts=None, **settled)


@pytest.fixture
def all_well(world: World, now: datetime) -> None:
    """Everything happened a moment ago."""
    for name in (HEARTBEAT, MAIL_SWEEP):
        TaskRun.objects.create(name=name, known_since=now - HOUR, finished_at=now - MINUTE)
    _saved(world.south_west, now - HOUR)
    AuditEntryFactory.create(action=Action.OUTCOMES_IMPORTED, at=now - HOUR)


@pytest.mark.usefixtures("all_well")
def test_nothing_is_late_where_all_is_well(now: datetime) -> None:
    found = health(at=now)
    assert found.late() == {}
    assert [seen.is_late for seen in found.processes] == [False, False]


@pytest.mark.usefixtures("all_well")
def test_each_is_late_once_its_limit_is_passed(world: World, now: datetime) -> None:
    NotificationFactory.create(created_at=now - HOUR)
    assert set(health(at=now).late()) == {"outbox"}
    assert set(health(at=now + HOUR).late()) == {"outbox", f"task {HEARTBEAT}", f"task {MAIL_SWEEP}"}
    after = now + settings.EXTRACT_LATE_AFTER
    assert health(at=after).late()["extract SW"] == "The extract of South West"
    assert health(at=now + settings.OUTCOMES_LATE_AFTER).late()["outcomes"] == "The file of outcomes"
    _saved(world.south_west, after - HOUR)
    assert "extract SW" not in health(at=after).late()


def test_before_anything_happened_the_processes_alone_are_late(world: World, now: datetime) -> None:
    assert list(health(at=now).late().values()) == [
        "The heartbeat of beat and worker",
        "The heartbeat of beat and mail worker",
    ]


def test_an_extract_that_was_not_saved_is_none(world: World, now: datetime) -> None:
    CaseImportFactory.create(bcu=world.south_west)
    assert {seen.code: seen.last_at for seen in health(at=now).extracts} == {"SW": None, "N": None}


def test_the_outbox_says_what_waits_and_what_failed(db: None, now: datetime) -> None:
    NotificationFactory.create(created_at=now - 3 * HOUR, sent_at=now)
    NotificationFactory.create(created_at=now - 3 * HOUR, abandoned_at=now)
    assert outbox(at=now) == Outbox(waiting=0, oldest_at=None, failed=0, is_late=False)
    NotificationFactory.create(created_at=now - MINUTE)
    NotificationFactory.create(created_at=now - 2 * MINUTE, attempts=1, last_error="SMTPDataError")
    assert outbox(at=now) == Outbox(waiting=2, oldest_at=now - 2 * MINUTE, failed=1, is_late=False)


def test_a_mailbox_that_refuses_does_not_make_the_mail_that_waits_late(db: None, now: datetime) -> None:
    """It stands on a line of its own; one that is refused for a while is still waited for."""
    RefusingMailboxFactory.create(address="abbey@example.org")
    passing = RefusingMailboxFactory.create(address="balham@example.org", reply_code=452)
    for address in ("abbey@example.org", "abbey@example.org"):
        NotificationFactory.create(recipient=address, created_at=now - 3 * HOUR, last_error="SMTPDataError")
    assert outbox(at=now) == Outbox(waiting=0, oldest_at=None, failed=0, is_late=False)
    assert health(at=now).late()["mailboxes"] == "Mail to mailboxes that refuse it"
    NotificationFactory.create(recipient=passing.address, created_at=now - 3 * HOUR)
    assert outbox(at=now).is_late
    assert refused_mailboxes() == [
        RefusedMailbox("abbey@example.org", now, now, 550, 2),
        RefusedMailbox("balham@example.org", now, now, 452, 1),
    ]


def _text(browser: Client) -> str:
    return " ".join(browser.get(PAGE).content.decode().split())


@pytest.mark.usefixtures("all_well", "clock")
def test_the_page_says_it_in_words(browser: Client, now: datetime) -> None:
    assert "Nothing is late." in _text(browser)
    assert "No message waits." in _text(browser)
    failed = {"failed_at": now - 2 * HOUR, "error": "KeyError"}
    TaskRun.objects.create(name="outcomes.tasks.compute_rates", known_since=now - 48 * HOUR, **failed)
    message = NotificationFactory.create(
        created_at=now - HOUR, attempts=2, last_error="SMTPRecipientsRefused", recipient="abbey@example.org"
    )
    RefusingMailboxFactory.create(address="abbey@example.org", reply_code=452)
    text = _text(browser)
    for said in (
        "3 things are late",
        "<li>The task “compute rates”</li>",
        "<li>Mail to mailboxes that refuse it</li>",
        "2 hours ago: KeyError",
        "every 30 seconds",
        "1 message waits, the oldest for 1 hour; 1 failed at the last attempt.",
        "abbey@example.org</strong> has refused mail since 23 November 2026, 7:30am (answer 452); 1 message",
    ):
        assert said in text
    referral = message.referral
    assert referral is not None
    for kept in (referral.number, referral.case.crime_reference):
        assert kept not in text


@pytest.mark.usefixtures("all_well")
def test_the_page_runs_as_many_queries_however_much_there_is(
    browser: Client, world: World, now: datetime
) -> None:
    browser.get(PAGE)
    with CaptureQueriesContext(connection) as before:
        browser.get(PAGE)
    for number in range(5):
        TaskRun.objects.create(name=f"task {number}", known_since=now)
        mail = NotificationFactory.create(attempts=2, last_error="SMTPDataError")
        RefusingMailboxFactory.create(address=mail.recipient)
        _saved(world.north, now)
    with CaptureQueriesContext(connection) as after:
        browser.get(PAGE)
    assert len(after) == len(before)
