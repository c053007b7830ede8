"""A row that somebody else holds, for longer than anybody should wait: one sentence, and nothing is lost."""

from collections.abc import Callable

import psycopg2.errors
import structlog
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

log = structlog.get_logger()


class BusyMiddleware:
    """Answers 503 where the database gave up waiting for a lock; the action has undone what it had begun."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Only for a lock that did not come, and for two who waited for each other."""
        waited = psycopg2.errors.LockNotAvailable | psycopg2.errors.DeadlockDetected
        if not isinstance(exception, OperationalError) or not isinstance(exception.__cause__, waited):
            return None
        log.warning("a page waited in vain for a lock")
        return render(request, "503.html", status=503)
