"""Tasks that belong to no part of the domain."""

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from src_app.accounts.actions import clear_expired_sessions as clear_expired
from src_app.accounts.models import User
from src_app.audit.record import acting

_KEPT_FOR_SECONDS = 300


@shared_task(name="src_app.tasks.prove")
def prove(token: str) -> None:
    """Show that a worker does what it is sent: put `token` where the sender looks for it."""
    cache.set(f"prove:{token}", token, _KEPT_FOR_SECONDS)


@shared_task(name="src_app.tasks.heartbeat")
def heartbeat() -> None:
    """Does nothing: that it ran is noted as of every task, and shows that beat and a worker are there."""


@shared_task(name="src_app.tasks.clear_expired_sessions")
def clear_expired_sessions() -> None:
    """Sessions that have ended are gone by the morning."""
    with acting("task clear_expired_sessions", by=User.objects.system()):
        clear_expired(at=timezone.now())
