"""Of every kind of task it is known when it last started, finished and failed."""

from typing import Any

import pytest
import time_machine
from celery import shared_task
from celery.signals import beat_init
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from src_app.health.models import TaskRun
from src_app.health.readers import HEARTBEAT
from src_app.tasks import heartbeat
from tests.factories import NOW

SECRET = "V412345"


class Broken(Exception):
    """What a task of these tests fails with."""


@shared_task(name="tests.fails")
def _fails() -> None:
    raise Broken(SECRET)


def test_a_task_that_ran_is_noted_by_its_name(db: None, clock: time_machine.Traveller) -> None:
    heartbeat.apply()
    run = TaskRun.objects.get()
    assert (run.name, run.known_since, run.started_at, run.finished_at) == (HEARTBEAT, NOW, NOW, NOW)
    assert (run.failed_at, run.error) == (None, "")
    clock.shift(60)
    heartbeat.apply()
    run.refresh_from_db()
    assert (run.known_since, run.started_at, run.finished_at) == (NOW, timezone.now(), timezone.now())


def test_of_a_failure_the_class_alone_is_kept(db: None, clock: time_machine.Traveller) -> None:
    _fails.apply()
    run = TaskRun.objects.get()
    assert (run.started_at, run.finished_at, run.failed_at, run.error) == (NOW, None, NOW, "Broken")
    assert SECRET not in str(TaskRun.objects.values())


@pytest.mark.django_db(transaction=True)
def test_each_note_is_one_statement_in_a_transaction_of_its_own() -> None:
    with CaptureQueriesContext(connection) as asked:
        heartbeat.apply()
    words = [query["sql"].split()[0] for query in asked.captured_queries]
    assert words == ["BEGIN", "INSERT", "COMMIT"] * 2


def test_a_note_that_is_not_taken_stops_no_task(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(TaskRun.objects, "bulk_create", refused)
    assert heartbeat.apply().state == "SUCCESS"


def test_what_is_planned_is_known_when_beat_starts(db: None, clock: time_machine.Traveller) -> None:
    heartbeat.apply()
    beat_init.send(sender=None)
    clock.shift(60)
    beat_init.send(sender=None)
    assert {*TaskRun.objects.values_list("name", flat=True)} >= {HEARTBEAT, "outcomes.tasks.compute_rates"}
    assert {*TaskRun.objects.values_list("known_since", flat=True)} == {NOW}
    assert TaskRun.objects.get(name=HEARTBEAT).finished_at == NOW
