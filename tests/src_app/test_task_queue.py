"""Asking a worker, where the broker answers and where it is away."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as django_settings
from kombu import Connection
from redis import Redis

from src_app import task_queue
from src_app.breaker import Breaker
from src_app.celery import app
from src_app.task_queue import send_task
from tests.away import hanging, refused

PointAt = Callable[[str], None]


@pytest.fixture
def broker_at() -> Iterator[PointAt]:
    """Has tasks sent to the broker at another address."""
    before = app.conf.broker_url
    yield lambda address: app.conf.update(broker_url=address)
    app.conf.update(broker_url=before)


def _waiting(queue: str) -> int:
    return int(Redis.from_url(django_settings.REDIS_URL).llen(queue))


@pytest.fixture(autouse=True)
def _empty_queues() -> Iterator[None]:
    yield
    Redis.from_url(django_settings.REDIS_URL).delete("celery", "mail")


def test_a_task_waits_in_its_queue() -> None:
    assert send_task("src_app.tasks.prove", "token")
    assert send_task("referrals.tasks.deliver_mail", 1)
    assert (_waiting("celery"), _waiting("mail")) == (1, 1)


def test_what_a_worker_is_told_is_json() -> None:
    send_task("referrals.tasks.deliver_mail", 7)
    with Connection(django_settings.CELERY_BROKER_URL) as connection:
        message = connection.SimpleQueue("mail").get(block=False)
    assert message.content_type == "application/json"
    assert message.payload[0] == [7]


@pytest.mark.parametrize("address", ["refused", "redis+socket:///nowhere/at/all.sock"])
def test_a_broker_that_is_not_there_costs_nothing_but_one_line(
    broker_at: PointAt, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    broker_at(f"redis://{refused()}/0" if address == "refused" else address)
    assert [send_task("src_app.tasks.prove", "token") for _ in range(50)] == [False] * 50
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_broker_that_hangs_is_waited_for_once(broker_at: PointAt, caplog: pytest.LogCaptureFixture) -> None:
    with hanging() as silent:
        broker_at(f"redis://127.0.0.1:{silent.port}/0")
        assert [send_task("src_app.tasks.prove", "token") for _ in range(50)] == [False] * 50
        assert len(silent.callers) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_it_is_asked_again_as_soon_as_it_is_back(broker_at: PointAt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_queue, "_BROKER", Breaker("the broker", rest=0))
    before = app.conf.broker_url
    broker_at(f"redis://{refused()}/0")
    assert not send_task("src_app.tasks.prove", "token")
    broker_at(before)
    assert send_task("src_app.tasks.prove", "token")
    assert _waiting("celery") == 1
