"""Asking a worker to do something, without waiting for a broker that does not answer."""

from celery import current_app
from django.conf import settings
from kombu.exceptions import KombuError
from kombu.pools import producers
from redis.exceptions import RedisError

from src_app.breaker import Breaker

_BROKER = Breaker("the broker", rest=5)
# Of whoever asks, never of a worker: that one waits for tasks, for as long as there is none.
_AT_ONCE = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5, "max_retries": 0}


def send_task(name: str, *arguments: str | int) -> bool:
    """Asks a worker to do the task of that name; says whether it was asked.

    Call it after commit. What is to be done stands in the database, and a sweep finds it there: so a broker
    that is away, or accepts and never answers, costs a request half a second at most, and the next ones
    nothing.
    """
    if not _BROKER.lets_through():
        return False
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, **_AT_ONCE}
    connection = current_app.connection_for_write(transport_options=options)
    with producers[connection].acquire(block=True) as producer:
        try:
            current_app.send_task(name, arguments, producer=producer, retry=False)
        except (KombuError, RedisError, OSError) as error:
            # What it has half opened is no use to the next one.
            producer.connection.collect()
            _BROKER.failed(error)
            return False
    _BROKER.worked()
    return True
