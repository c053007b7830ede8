"""Sessions that have ended are deleted every night."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from src_app.accounts.actions import clear_expired_sessions
from src_app.celery import app
from src_app.tasks import clear_expired_sessions as task


def _session(name: str, hours: int) -> None:
    Session.objects.create(
        session_key=name, session_data="", expire_date=timezone.now() + timedelta(hours=hours)
    )


def test_sessions_that_have_ended_are_deleted_and_no_other(db: None) -> None:
    for number in range(5):
        _session(f"ended {number}", -number - 1)
    _session("open", 1)
    assert clear_expired_sessions(at=timezone.now(), batch=2) == 5
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]


def test_it_is_a_task_of_every_night(db: None) -> None:
    _session("ended", -1)
    (entry,) = (each for each in app.conf.beat_schedule.values() if each["task"] == task.name)
    assert entry["schedule"].hour == {3}
    task()
    assert not Session.objects.exists()
