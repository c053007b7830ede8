"""The administrator is told of each fault once, and once more when it is over."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.core import mail
from pytest_django.fixtures import Settings

from referrals.health.actions import tell_of_faults
from referrals.health.readers import MAIL_SWEEP
from referrals.mail import outbox
from referrals.models import Fault, MailKind, Notification
from referrals.tasks import tell_of_faults as task
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.health.models import TaskRun
from src_app.health.readers import HEARTBEAT
from tests.database import refused_by
from tests.factories import NotificationFactory, ReferralFactory

DAY = timedelta(days=1)
RATES = "outcomes.tasks.compute_rates"
ADMINISTRATOR = "administrator@example.org"


@pytest.fixture(autouse=True)
def _mailbox(settings: Settings) -> None:
    settings.ADMIN_MAILBOX = ADMINISTRATOR


@pytest.fixture
def rates(db: None, now: datetime) -> TaskRun:
    """The nightly task, which last finished more than a day ago. The workers are there all the time."""
    for name in (HEARTBEAT, MAIL_SWEEP):
        TaskRun.objects.create(name=name, known_since=now, finished_at=now + 9 * DAY)
    return TaskRun.objects.create(name=RATES, known_since=now - 9 * DAY, finished_at=now - 2 * DAY)


def _told(kind: MailKind) -> list[str]:
    return list(Notification.objects.filter(kind=kind).values_list("fault__what", flat=True))


def test_each_fault_is_told_once_and_once_more_when_it_is_over(
    rates: TaskRun, system: User, now: datetime
) -> None:
    for hour in range(3):
        tell_of_faults(by=system, at=now + timedelta(hours=hour))
        Notification.objects.update(sent_at=now)
    assert _told(MailKind.FAULT) == ["The task “compute rates”"]
    assert _told(MailKind.FAULT_OVER) == []
    rates.finished_at = now + timedelta(hours=3)
    rates.save()
    for hour in range(4, 6):
        tell_of_faults(by=system, at=now + timedelta(hours=hour))
        Notification.objects.update(sent_at=now)
    assert _told(MailKind.FAULT_OVER) == ["The task “compute rates”"]
    tell_of_faults(by=system, at=now + 3 * DAY)
    assert len(_told(MailKind.FAULT)) == 2
    assert Fault.objects.filter(ended_at__isnull=True).count() == 1
    assert {*Notification.objects.values_list("recipient", flat=True)} == {ADMINISTRATOR}


@pytest.mark.usefixtures("rates")
def test_it_is_recorded_what_was_told(system: User, now: datetime) -> None:
    tell_of_faults(by=system, at=now)
    entry = AuditEntry.objects.get(action=Action.MAIL_QUEUED)
    assert (entry.purpose, entry.subject) == (Purpose.ADMINISTRATION, "fault")
    assert (entry.references, entry.recipients) == ([f"task {RATES}"], [ADMINISTRATOR])


@pytest.mark.usefixtures("clock")
def test_the_mail_says_what_since_when_and_where_to_look(rates: TaskRun, system: User, now: datetime) -> None:
    task.apply()
    (message,) = Notification.objects.filter(fault__name=f"task {RATES}")
    assert outbox.deliver(notification_id=message.pk, by=system)
    begun = mail.outbox[0]
    assert (begun.to, begun.subject) == ([ADMINISTRATOR], "Late: The task “compute rates”")
    assert "23 November 2026, 7:30am" in begun.body
    assert f"{django_settings.SITE_URL}/system-health/\n" in begun.body
    rates.finished_at = now
    rates.save()
    tell_of_faults(by=system, at=now)
    over = Notification.objects.get(kind=MailKind.FAULT_OVER)
    assert outbox.deliver(notification_id=over.pk, by=system)
    assert mail.outbox[1].subject == "No longer late: The task “compute rates”"
    assert AuditEntry.objects.filter(action=Action.MAIL_SENT, subject="fault").count() == 2


def test_that_it_is_late_is_not_told_once_it_is_over(rates: TaskRun, system: User, now: datetime) -> None:
    tell_of_faults(by=system, at=now)
    message = Notification.objects.get()
    Fault.objects.update(ended_at=now)
    assert not outbox.deliver(notification_id=message.pk, by=system, at=now)
    message.refresh_from_db()
    assert message.abandoned_at == now


@pytest.mark.usefixtures("rates")
def test_without_a_mailbox_nobody_is_told(system: User, now: datetime, settings: Settings) -> None:
    settings.ADMIN_MAILBOX = ""
    tell_of_faults(by=system, at=now)
    assert not Fault.objects.exists()
    assert not Notification.objects.exists()


def test_nobody_else_tells_of_faults(officer: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        tell_of_faults(by=officer, at=now)


def test_a_fault_is_open_once_and_a_message_is_of_a_fault_or_of_something_else(
    db: None, now: datetime
) -> None:
    fault = Fault.objects.create(name="outbox", what="Mail", began_at=now)
    with refused_by("fault_open_once"):
        Fault.objects.create(name="outbox", what="Mail", began_at=now)
    either = "notification_is_about_one_thing"
    with refused_by(either):
        NotificationFactory.create(fault=fault)
    with refused_by(either):
        NotificationFactory.create(kind=MailKind.FAULT, fault=fault)
    with refused_by(either):
        NotificationFactory.create(
            kind=MailKind.FAULT, referral=None, recipient="a@example.org", created_at=now
        )
    referral = ReferralFactory.create()
    with refused_by(either):
        NotificationFactory.create(kind=MailKind.DUE_SOON, referral=referral, fault=fault)
