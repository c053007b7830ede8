"""Tasks that belong to no part of the domain."""

from celery import shared_task
from django.core.cache import cache

_KEPT_FOR_SECONDS = 300


@shared_task(name="src_app.tasks.prove")
def prove(token: str) -> None:
    """Show that a worker does what it is sent: put `token` where the sender looks for it."""
    cache.set(f"prove:{token}", token, _KEPT_FOR_SECONDS)
