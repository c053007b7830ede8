"""Connections that stop half way through a request, at gunicorn itself, with no proxy in front."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.conf import settings

from src_app.gunicorn_settings import wait_at_most
from tests.away import refused
from tests.patience import patience

THREADS = 2
HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half"


@pytest.fixture
def port() -> Iterator[int]:
    """Where gunicorn answers: one process of two threads."""
    address = refused()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:tests.faults.impatient_gunicorn"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "WEB_BIND": address, "WEB_WORKERS": "1", "WEB_THREADS": str(THREADS)},
        stderr=subprocess.DEVNULL,
    )
    number = int(address.partition(":")[2])
    try:
        until = time.monotonic() + patience(60)
        while not _answer(number):
            assert time.monotonic() < until, "gunicorn does not answer"
            time.sleep(0.1)
        yield number
    finally:
        server.terminate()
        server.wait()


def _answer(port: int) -> bytes:
    """What is answered; nothing where nobody listens or nothing comes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience(60))
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        return connection.getresponse().read()
    except OSError:
        return b""
    finally:
        connection.close()


def test_as_many_half_open_connections_as_threads_hold_nobody_up_for_long(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(2 * THREADS)]
    try:
        for half in held:
            half.sendall(HALF)
        assert _answer(port) == b"answered"
    finally:
        for half in held:
            half.close()


def test_a_read_from_whoever_stops_half_way_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wait_at_most(listening, 1)
        with socket.create_connection(listening.getsockname()) as caller:
            caller.sendall(HALF)
            accepted, _ = listening.accept()
            with accepted:
                accepted.setblocking(True)
                assert accepted.recv(1_000) == HALF
                with pytest.raises(BlockingIOError):
                    accepted.recv(1_000)
