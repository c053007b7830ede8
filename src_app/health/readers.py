"""The last run of each kind of task, and whether it is late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import current_app
from celery.schedules import crontab
from django.conf import settings

from src_app.health.models import TaskRun

# Sent by beat and done by a worker: where it has run, both are there.
HEARTBEAT = "src_app.tasks.heartbeat"


@dataclass(frozen=True)
class Task:
    """The last run of one kind of task. ``every`` is its usual interval, None where it runs when asked."""

    run: TaskRun
    every: timedelta | None
    is_late: bool

    @property
    def has_failed(self) -> bool:
        """Whether its last run failed."""
        failed, finished = self.run.failed_at, self.run.finished_at
        return failed is not None and (finished is None or finished < failed)


def tasks(*, at: datetime) -> list[Task]:
    """Every kind of task that is planned or has run, by name."""
    planned: Mapping[str, float | crontab] = {
        entry["task"]: entry["schedule"] for entry in current_app.conf.beat_schedule.values()
    }
    return [
        Task(run, _interval(schedule), _is_late(run, schedule, at))
        for run in TaskRun.objects.order_by("name")
        for schedule in [planned.get(run.name)]
    ]


def _interval(schedule: float | crontab | None) -> timedelta | None:
    if isinstance(schedule, crontab):
        # Sets of numbers, which celery-types leaves out.
        hours, minutes = schedule.hour, schedule.minute  # type: ignore[attr-defined]
        return timedelta(days=1) / int(len(hours) * len(minutes))
    return None if schedule is None else timedelta(seconds=schedule)


def _is_late(run: TaskRun, schedule: float | crontab | None, at: datetime) -> bool:
    """Whether it should have finished once more by now. By the clock, which a day may have 25 hours of."""
    if schedule is None:
        return False
    last = run.finished_at or run.known_since
    if isinstance(schedule, crontab):
        begun, until_next, _ = schedule.remaining_delta(last)
        due = begun + until_next
    else:
        due = last + timedelta(seconds=schedule)
    allowed = settings.WORKER_LATE_AFTER if run.name == HEARTBEAT else settings.TASK_LATE_AFTER
    return bool(due + allowed < at)
