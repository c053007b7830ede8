"""gunicorn as it serves the project, but with another application, and with less patience."""

from collections.abc import Callable, Iterable
from typing import Any

from src_app import gunicorn_settings
from src_app.gunicorn_settings import bind, threads, when_ready, worker_class, workers

__all__ = ["bind", "threads", "when_ready", "worker_class", "workers", "wsgi_app"]

gunicorn_settings.SECONDS_TO_WAIT = 1
wsgi_app = "tests.faults.impatient_gunicorn:application"


def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers whoever gets through."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"answered"]
