"""The running system's worker, made to wait, and an extract shown in any state of its work."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

import psycopg2
import redis

from tests.browser.conftest import System
from tests.browser.search import addresses


@contextmanager
def waiting_worker(system: System) -> Iterator[None]:
    """Meanwhile no task is begun and none goes on."""
    pids = _pids(system.directory / "log" / "worker.log")
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _pids(log: Path) -> list[int]:
    """The processes that write to the log."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if _writes_to(entry / "fd" / "1", log)]


def _writes_to(output: Path, log: Path) -> bool:
    try:
        return output.readlink() == log.resolve()
    except OSError:
        return False


class AtWork:
    """What the pages know of the work on one extract, said by the test instead of the worker."""

    def __init__(self, system: System, import_id: UUID) -> None:
        where = addresses(system)
        self.import_id = import_id
        self.connection = psycopg2.connect(where["DATABASE_OWNER_URL"])
        self.connection.autocommit = True
        self.cache = redis.Redis.from_url(where["REDIS_URL"])

    def __enter__(self) -> "AtWork":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.cache.close()

    def begin(self) -> None:
        """Somebody is at it, as their lock shows."""
        self._run("SELECT pg_advisory_lock(%s)", self.import_id.int >> 65)
        self._run("UPDATE referrals_caseimport SET attempts = 1 WHERE id = %s", str(self.import_id))

    def tell(self, rows: int, share: float) -> None:
        """So far they have come."""
        self.cache.set(f"json:1:import:{self.import_id}", json.dumps((rows, share)))

    def end(self) -> None:
        """They died."""
        self._run("SELECT pg_advisory_unlock(%s)", self.import_id.int >> 65)

    def _run(self, query: str, value: object) -> None:
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(query, [value])
