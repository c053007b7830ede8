"""Notes that a task started, finished or failed: one statement each, outside the task's own transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from celery import current_app
from celery.signals import beat_init, task_failure, task_prerun, task_success
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from src_app.health.models import TaskRun

log = structlog.get_logger()


def _note(*names: str, **values: datetime | str) -> None:
    """Saves these values for the tasks of these names.

    No task fails because the database does not take the note: that is logged, and the note lost.
    """
    fields: Sequence[str] = list(values)
    if fields:
        on_conflict = {"update_conflicts": True, "update_fields": fields, "unique_fields": ["name"]}
    else:
        on_conflict = {"ignore_conflicts": True}
    rows = [TaskRun(name=name, known_since=timezone.now(), **values) for name in names]
    try:
        if not connection.in_atomic_block:
            # The database may have closed the worker's connection since the last task.
            connection.close_if_unusable_or_obsolete()
        TaskRun.objects.bulk_create(rows, **on_conflict)  # type: ignore[arg-type]
    except (DatabaseError, InterfaceError) as error:
        log.warning("a task's run was not noted", error=type(error).__name__)


@beat_init.connect
def _planned(**_: Any) -> None:
    """From now on a task that is planned and never runs is late."""
    _note(*{entry["task"] for entry in current_app.conf.beat_schedule.values()})


@task_prerun.connect
def _started(task: Any, **_: Any) -> None:
    _note(task.name, started_at=timezone.now())


@task_success.connect
def _finished(sender: Any, **_: Any) -> None:
    _note(sender.name, finished_at=timezone.now())


@task_failure.connect
def _failed(sender: Any, exception: BaseException, **_: Any) -> None:
    _note(sender.name, failed_at=timezone.now(), error=type(exception).__name__[:100])
