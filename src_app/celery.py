"""The Celery application: what runs outside a request, and when."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, worker_process_init

from src_app.end_with_parent import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")

app = Celery("src_app")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# A sweep that no worker came to before the next one is dropped, so that they do not queue up.
_EVERY_HALF_MINUTE: dict[str, Any] = {"schedule": 30.0, "options": {"expires": 25}}
app.conf.beat_schedule = {
    "heartbeat": {
        "task": "src_app.tasks.heartbeat",
        **_EVERY_HALF_MINUTE,
    },
    "deliver waiting mail": {
        "task": "referrals.tasks.deliver_waiting_mail",
        **_EVERY_HALF_MINUTE,
    },
    "send reminders": {
        "task": "referrals.tasks.send_reminders",
        "schedule": crontab(minute="*/5"),
    },
    "recount due times": {
        "task": "referrals.tasks.recount_due_times",
        "schedule": crontab(minute="4"),
    },
    "send digests": {
        "task": "referrals.tasks.send_digests",
        "schedule": crontab(minute="*/5"),
    },
    "tell of faults": {
        "task": "referrals.tasks.tell_of_faults",
        "schedule": crontab(minute="*/5"),
    },
    "return work": {
        "task": "referrals.tasks.return_work",
        **_EVERY_HALF_MINUTE,
    },
    "carry out moves": {
        "task": "referrals.tasks.carry_out_moves",
        **_EVERY_HALF_MINUTE,
    },
    "take extracts": {
        "task": "referrals.tasks.take_extracts",
        **_EVERY_HALF_MINUTE,
    },
    "resume extracts": {
        "task": "referrals.tasks.resume_extracts",
        **_EVERY_HALF_MINUTE,
    },
    "delete expired extracts": {
        "task": "referrals.tasks.delete_expired_extracts",
        "schedule": crontab(minute="7"),
    },
    "close ended trials": {
        "task": "referrals.tasks.close_ended_trials",
        "schedule": crontab(minute="1"),
    },
    "send heads": {
        "task": "referrals.tasks.send_heads",
        "schedule": crontab(hour="23", minute="40"),
    },
    "clear expired sessions": {
        "task": "src_app.tasks.clear_expired_sessions",
        "schedule": crontab(hour="3", minute="10"),
    },
    "compute rates": {
        "task": "outcomes.tasks.compute_rates",
        "schedule": crontab(hour="2", minute="30"),
    },
}


@setup_logging.connect
def _log_as_django_does(**_: Any) -> None:
    """A receiver of this signal keeps Celery from setting up logs of its own."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_process_init.connect
def _end_with_the_worker(**_: Any) -> None:
    """A pool process outlives a killed worker otherwise, with its task half done and unseen."""
    end_with_parent(os.getppid())
