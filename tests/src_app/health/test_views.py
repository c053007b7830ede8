"""What an orchestrator asks is answered in time, whatever is away, without a session or an audit row."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from src_app.accounts.models import User
from src_app.audit.models import AuditEntry
from src_app.health import probes
from src_app.health.models import TaskRun
from src_app.health.readers import HEARTBEAT
from tests.away import Hanging, hanging, refused
from tests.patience import patience

LIVE, READY = reverse("health_live"), reverse("health_ready")
ALLOWED_IN_ALL = probes.DATABASE_ANSWERS_WITHIN + 2 * probes.REDIS_ANSWERS_WITHIN


@pytest.fixture
def silent() -> Iterator[Hanging]:
    """A server that accepts and never says a word."""
    with hanging() as server:
        yield server


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast a service answers that is there is not judged here."""
    for name in ("DATABASE_ANSWERS_WITHIN", "REDIS_ANSWERS_WITHIN"):
        monkeypatch.setattr(probes, name, patience(30))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_ANSWERS_WITHIN", "REDIS_ANSWERS_WITHIN"):
        monkeypatch.setattr(probes, name, 0.1)


def _asked() -> tuple[int, dict[str, str]]:
    response = Client().get(READY)
    return response.status_code, json.loads(response.content)


def _database_at(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    host, _, port = address.partition(":")
    elsewhere: dict[str, Any] = {**connection.get_connection_params(), "host": host, "port": port}
    monkeypatch.setattr(connection, "get_connection_params", lambda: elsewhere)


@pytest.mark.django_db(transaction=True)
def test_each_dependency_has_a_word_and_a_late_worker_stops_no_page() -> None:
    assert _asked() == (200, {"database": "ok", "redis": "ok", "worker": "late"})
    seen = TaskRun.objects.create(name=HEARTBEAT, known_since=timezone.now(), finished_at=timezone.now())
    assert _asked() == (200, {"database": "ok", "redis": "ok", "worker": "ok"})
    seen.finished_at = timezone.now() - django_settings.WORKER_LATE_AFTER
    seen.save()
    assert _asked() == (200, {"database": "ok", "redis": "ok", "worker": "late"})


def test_without_redis_pages_are_served(db: None, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://{refused()}/0"
    assert _asked() == (200, {"database": "ok", "redis": "away", "worker": "late"})


def test_without_the_database_none_is(monkeypatch: pytest.MonkeyPatch) -> None:
    _database_at(monkeypatch, refused())
    assert _asked() == (503, {"database": "away", "redis": "ok", "worker": "unknown"})


@pytest.mark.usefixtures("impatient")
def test_what_hangs_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, silent: Hanging
) -> None:
    """Nothing would ever be answered here, so a check without an end of its own would hang the test."""
    _database_at(monkeypatch, f"127.0.0.1:{silent.port}")
    settings.REDIS_URL = f"redis://:password@127.0.0.1:{silent.port}/0"
    assert _asked() == (503, {"database": "away", "redis": "away", "worker": "unknown"})


def test_what_is_allowed_is_two_seconds_in_all() -> None:
    """Of Redis two steps: to connect, and the first answer, which nothing follows where it does not come."""
    assert ALLOWED_IN_ALL <= 2


def test_that_the_process_lives_is_said_without_a_service(
    settings: Settings, hcop: User, django_assert_num_queries: Any
) -> None:
    """Not even of whoever is signed in is anything read."""
    settings.REDIS_URL = f"redis://{refused()}/0"
    client = Client()
    client.force_login(hcop)
    with django_assert_num_queries(0):
        response = client.get(LIVE)
    assert (response.status_code, json.loads(response.content)) == (200, {"process": "ok"})


@pytest.mark.parametrize("path", [LIVE, READY])
def test_nothing_is_kept_of_who_asks(db: None, path: str) -> None:
    response = Client().get(path)
    assert not response.cookies
    assert "no-store" in response.headers["Cache-Control"]
    assert not Session.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("path", [LIVE, READY])
def test_it_answers_in_production_under_any_host_and_without_tls(
    db: None, settings: Settings, path: str
) -> None:
    settings.PRODUCTION = settings.SECURE_SSL_REDIRECT = True
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://contact.example", ["contact.example"]
    assert Client().get(path, HTTP_HOST="10.0.0.7:8000").status_code == 200
    assert Client().get("/health/else/", HTTP_HOST="10.0.0.7:8000").status_code == 400
