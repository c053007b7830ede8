"""A task is late where its time has come and gone, by the clock in London."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pytest_django.fixtures import Settings

from src_app.health.models import TaskRun
from src_app.health.readers import HEARTBEAT, tasks

LONDON = ZoneInfo("Europe/London")
MINUTE = timedelta(minutes=1)
RATES, REMINDERS = "outcomes.tasks.compute_rates", "referrals.tasks.send_reminders"


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.WORKER_LATE_AFTER, settings.TASK_LATE_AFTER = 3 * MINUTE, 30 * MINUTE


def _in_london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def _is_late(name: str, *, last: datetime, at: datetime) -> bool:
    TaskRun.objects.update_or_create(name=name, defaults={"known_since": last, "finished_at": last})
    (task,) = tasks(at=at)
    return task.is_late


@pytest.mark.parametrize(
    ("name", "last", "from_then_on"),
    [
        (HEARTBEAT, "2026-11-23T07:30", "2026-11-23T07:33:30"),
        (REMINDERS, "2026-11-23T07:30", "2026-11-23T08:05"),
        (RATES, "2026-11-22T02:41", "2026-11-23T03:00"),
        # A day of 25 hours, and one of 23.
        (RATES, "2026-10-24T02:30", "2026-10-25T03:00"),
        (RATES, "2026-03-28T02:30", "2026-03-29T03:00"),
    ],
)
def test_it_is_late_from_a_while_after_its_next_time_on(
    db: None, name: str, last: str, from_then_on: str
) -> None:
    limit = _in_london(from_then_on)
    assert not _is_late(name, last=_in_london(last), at=limit - MINUTE)
    assert _is_late(name, last=_in_london(last), at=limit + MINUTE)


def test_one_that_never_finished_is_late_too(db: None, now: datetime) -> None:
    TaskRun.objects.create(name=RATES, known_since=now, started_at=now, failed_at=now, error="KeyError")
    assert [task.is_late for task in tasks(at=now)] == [False]
    assert [(task.is_late, task.has_failed) for task in tasks(at=now + timedelta(days=1))] == [(True, True)]


def test_what_runs_when_asked_is_never_late(db: None, now: datetime) -> None:
    TaskRun.objects.create(name="referrals.tasks.deliver_mail", known_since=now, finished_at=now)
    (task,) = tasks(at=now + timedelta(days=400))
    assert (task.every, task.is_late) == (None, False)


def test_each_planned_task_has_its_interval(db: None, now: datetime) -> None:
    for name in (RATES, REMINDERS, "referrals.tasks.delete_expired_extracts", HEARTBEAT):
        TaskRun.objects.create(name=name, known_since=now)
    assert {task.run.name.rpartition(".")[2]: task.every for task in tasks(at=now)} == {
        "compute_rates": timedelta(days=1),
        "send_reminders": 5 * MINUTE,
        "delete_expired_extracts": timedelta(hours=1),
        "heartbeat": MINUTE / 2,
    }
