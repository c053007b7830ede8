"""Whether each thing that pages and tasks need answers now, asked so that one that hangs holds up nobody."""

import select
import time
from datetime import datetime
from typing import Any

import psycopg2
import psycopg2.extensions
from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from src_app.health.readers import HEARTBEAT

# Seconds for everything that is asked of the database, and for each step with Redis: two are enough for both.
DATABASE_ANSWERS_WITHIN = 1.0
REDIS_ANSWERS_WITHIN = 0.4


def words() -> dict[str, str]:
    """One word for each dependency: ``ok``, ``away``, ``late``, or ``unknown`` where it cannot be asked."""
    try:
        last = _last_heartbeat()
    except (psycopg2.Error, TimeoutError):
        return {"database": "away", "redis": _redis(), "worker": "unknown"}
    is_seen = last is not None and last > timezone.now() - settings.WORKER_LATE_AFTER
    return {"database": "ok", "redis": _redis(), "worker": "ok" if is_seen else "late"}


def _last_heartbeat() -> datetime | None:
    """When a worker last did what beat sent; raises where the database does not answer in time.

    Over a connection of its own that never blocks: on one of Django's, a server that accepts and says nothing
    is waited for as long as TCP has patience.
    """
    until = time.monotonic() + DATABASE_ANSWERS_WITHIN
    asked = psycopg2.connect(**connection.get_connection_params(), async_=True)
    try:
        _wait(asked, until)
        with asked.cursor() as cursor:
            cursor.execute("SELECT finished_at FROM health_taskrun WHERE name = %s", [HEARTBEAT])
            _wait(asked, until)
            found: Any = cursor.fetchone()
        return found[0] if found else None
    finally:
        asked.close()


def _wait(asked: psycopg2.extensions.connection, until: float) -> None:
    while (state := asked.poll()) != psycopg2.extensions.POLL_OK:
        reading = [asked] if state == psycopg2.extensions.POLL_READ else []
        writing = [] if reading else [asked]
        if not any(select.select(reading, writing, [], max(until - time.monotonic(), 0))):
            raise TimeoutError


def _redis() -> str:
    server = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=REDIS_ANSWERS_WITHIN,
        socket_timeout=REDIS_ANSWERS_WITHIN,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        server.ping()
    except (RedisError, OSError):
        return "away"
    finally:
        server.close()
    return "ok"
