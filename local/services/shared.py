"""PostgreSQL and Valkey for one directory, held by whoever started them and shared with others."""

import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from local.services import postgres, valkey
from local.services.children import PATIENCE, ServiceError
from local.services.keys import missing_keys

_LOCK_FILES = {"lock", "guests.lock"}


@contextmanager
def services(
    directory: Path, *, exclusive: bool = False, durable: bool = True, fresh: bool = False
) -> Iterator[dict[str, str]]:
    """PostgreSQL and Valkey while the context lasts; yields the environment variables to run with.

    Those are DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL and, unless ENVIRONMENT is production, the
    keys that the environment lacks. Where another process has services up in `directory` they are
    used; with `exclusive` ServiceError is raised instead. `fresh` removes what the directory
    held. `durable=False` is for tests. Call it from the main thread: see `src_app.end_with_parent`.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    sockets = _sockets(directory)
    database = {} if os.environ.get("DATABASE_URL") else postgres.addresses(sockets)
    broker = {} if os.environ.get("REDIS_URL") else valkey.addresses(sockets)

    def up() -> bool:
        return all(postgres.answers(url) for url in database.values()) and all(
            valkey.answers(url) for url in broker.values()
        )

    with ExitStack() as stack:
        guests = stack.enter_context(open(directory / "guests.lock", "ab"))
        lock = stack.enter_context(open(directory / "lock", "a+b"))
        needed = bool(database or broker or exclusive)
        held = needed and _claim(lock, guests, up, exclusive=exclusive)
        if held:
            if fresh:
                _empty(directory)
            (directory / "log").mkdir(exist_ok=True)
            stack.enter_context(_private(sockets))
            if broker:
                stack.enter_context(valkey.local_valkey(directory, sockets))
            if database:
                stack.enter_context(postgres.local_postgres(directory, sockets, lock, durable=durable))
        yield {**database, **broker, **missing_keys(directory)}
        # Not reached when a signal or an error ends the context: then guests lose the services.
        if held and not exclusive:
            _wait_for(guests)


def _claim(lock: IO[bytes], guests: IO[bytes], up: Callable[[], bool], *, exclusive: bool) -> bool:
    """Whether the directory is now this process's own; if not, the services of its holder are up."""
    if not exclusive:
        fcntl.flock(guests, fcntl.LOCK_SH)
    deadline = time.monotonic() + PATIENCE
    while not _try_lock(lock):
        lock.seek(0)
        holder = lock.read().decode()
        # The lock of a killed holder is free when the last process of its PostgreSQL has ended.
        if exclusive and Path("/proc", holder or "none").exists():
            raise ServiceError(f"Process {holder} is using these services. Wait until it ends, or stop it.")
        if not exclusive and up():
            return False
        if time.monotonic() > deadline:
            raise ServiceError(f"Process {holder} holds services that do not answer. Stop it and try again.")
        time.sleep(0.05)
    fcntl.flock(guests, fcntl.LOCK_UN)
    lock.truncate(0)
    lock.write(str(os.getpid()).encode())
    lock.flush()
    return True


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for(guests: IO[bytes]) -> None:
    if not _try_lock(guests):
        sys.stderr.write("Another command still uses these services; they stop when it ends.\n")
        sys.stderr.flush()
        fcntl.flock(guests, fcntl.LOCK_EX)


def _sockets(directory: Path) -> Path:
    """Where the sockets of this directory are: the path of a socket has at most 107 bytes."""
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(f"/tmp/src-sockets-{os.getuid()}-{name}")  # noqa: S108 - made private, or not at all


@contextmanager
def _private(folder: Path) -> Iterator[None]:
    """A new folder that only this user enters; one left by a killed process is removed first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _empty(directory: Path) -> None:
    for entry in directory.iterdir():
        if entry.name in _LOCK_FILES:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
