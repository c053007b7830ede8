"""PostgreSQL and Redis for one directory, held by whoever started them and shared with others."""

import fcntl
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import psycopg2
import redis

from src_app.supervisor.demo_keys import missing_keys, write_private
from src_app.supervisor.local_postgres import local_postgres
from src_app.supervisor.local_redis import local_redis
from src_app.supervisor.terminal import say

_ADDRESSES = ("DATABASE_URL", "REDIS_URL")
_LOCK_FILES = {"lock", "guests.lock"}
_WAITS_FOR_HOLDER = 120
# The path of a Unix socket has at most 107 bytes; PostgreSQL's own part takes 20. Quoting inside an
# address is left to nobody: the folder has only characters that need none.
_PLAIN_SHORT_PATH = re.compile(r"[a-z0-9/_.-]{1,60}")
_SOCKETS_PREFIX = "src-sockets-"


class DirectoryInUseError(RuntimeError):
    """Another process holds the directory; says which and what to do."""


@contextmanager
def services(
    directory: Path, *, exclusive: bool = False, durable: bool = True, fresh: bool = False
) -> Iterator[dict[str, str]]:
    """PostgreSQL and Redis while the context lasts; yields the environment variables to run with.

    Those are DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL and, unless ENVIRONMENT is production, the
    keys that the environment lacks. Where another process has services up in `directory` they are
    used; with `exclusive` DirectoryInUseError is raised instead. `fresh` removes what the directory
    held. `durable=False` is for tests. Call it from the main thread: see `src_app.supervisor.children`.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    needed = [name for name in _ADDRESSES if not os.environ.get(name)]
    with ExitStack() as stack:
        variables: dict[str, str] = {}
        if needed or exclusive:
            found = stack.enter_context(_claim(directory, needed, exclusive=exclusive))
            if found is not None:
                variables = found
            else:
                if fresh:
                    _empty(directory)
                started = _started(directory, needed, durable=durable, wait=not exclusive)
                variables = stack.enter_context(started)
        yield {**variables, **missing_keys(directory)}


@contextmanager
def _claim(directory: Path, needed: list[str], *, exclusive: bool) -> Iterator[dict[str, str] | None]:
    """Lock the directory; yields None to its holder, and the holder's variables to a guest."""
    with open(directory / "lock", "a+b") as lock, open(directory / "guests.lock", "ab") as guests:
        if not exclusive:
            fcntl.flock(guests, fcntl.LOCK_SH)
        deadline = time.monotonic() + _WAITS_FOR_HOLDER
        while not _try_lock(lock):
            if exclusive:
                raise DirectoryInUseError(
                    f"Process {_holder(lock)} is using {directory}. Wait until it ends, or stop it."
                )
            if (variables := _running(directory, needed)) is not None:
                yield variables
                return
            if time.monotonic() > deadline:
                raise DirectoryInUseError(
                    f"Process {_holder(lock)} holds {directory} but runs no {' or '.join(needed)} "
                    "that answers. Stop it and try again."
                )
            time.sleep(0.05)
        fcntl.flock(guests, fcntl.LOCK_UN)
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        yield None


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: IO[bytes]) -> str:
    lock.seek(0)
    return lock.read().decode() or "unknown"


@contextmanager
def _started(directory: Path, needed: list[str], *, durable: bool, wait: bool) -> Iterator[dict[str, str]]:
    """Start the services `needed`; on leaving `wait` for guests, unless leaving in haste."""
    state = directory / "services.json"
    state.unlink(missing_ok=True)
    (directory / "log").mkdir(exist_ok=True)
    variables: dict[str, str] = {}
    with ExitStack() as stack:
        sockets = stack.enter_context(_socket_folder(directory))
        if "REDIS_URL" in needed:
            variables |= stack.enter_context(local_redis(directory, sockets))
        if "DATABASE_URL" in needed:
            postgres = local_postgres(directory, sockets, durable=durable)
            variables |= stack.enter_context(postgres)
        write_private(state, json.dumps(variables))
        stack.callback(state.unlink, missing_ok=True)
        yield variables
        # Not reached when a signal or an error ends the context: then guests lose the services.
        if wait:
            _wait_for_guests(directory)


def _wait_for_guests(directory: Path) -> None:
    with open(directory / "guests.lock", "ab") as guests:
        try:
            fcntl.flock(guests, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command still uses these services; they stop when it ends.")
            fcntl.flock(guests, fcntl.LOCK_EX)


@contextmanager
def _socket_folder(directory: Path) -> Iterator[Path]:
    """A private folder with a short path; one left by a killed process is removed first."""
    note = directory / "sockets.txt"
    with suppress(FileNotFoundError):
        left = Path(note.read_text())
        if left.name.startswith(_SOCKETS_PREFIX):
            shutil.rmtree(left, ignore_errors=True)
    parent = tempfile.gettempdir()
    if not _PLAIN_SHORT_PATH.fullmatch(parent):
        parent = "/tmp"  # noqa: S108 - mkdtemp makes the folder private
    sockets = Path(tempfile.mkdtemp(prefix=_SOCKETS_PREFIX, dir=parent))
    note.write_text(str(sockets))
    try:
        yield sockets
    finally:
        shutil.rmtree(sockets, ignore_errors=True)
        note.unlink(missing_ok=True)


def _running(directory: Path, needed: list[str]) -> dict[str, str] | None:
    """The holder's variables, once every needed service answers there."""
    try:
        variables: dict[str, str] = json.loads((directory / "services.json").read_text())
        if not all(name in variables for name in needed):
            return None
        # A file left by a killed holder names sockets at which nothing answers.
        if "DATABASE_URL" in needed:
            psycopg2.connect(variables["DATABASE_URL"]).close()
        if "REDIS_URL" in needed:
            with redis.Redis.from_url(variables["REDIS_URL"]) as client:
                client.ping()
    except (FileNotFoundError, json.JSONDecodeError, psycopg2.OperationalError, redis.RedisError):
        return None
    return variables


def _empty(directory: Path) -> None:
    for entry in directory.iterdir():
        if entry.name in _LOCK_FILES:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
