"""Which processes another process has started, whether they still live, and their end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.patience import patience


class Process(NamedTuple):
    """A process and the moment it began, which tells it from a later one of the same number."""

    pid: int
    began: str

    @property
    def lives(self) -> bool:
        """Whether it runs; one that ended and waits for its parent to notice does not."""
        fields = _stat(self.pid)
        return fields is not None and fields[19] == self.began and fields[0] not in "ZX"

    @property
    def command(self) -> str:
        """Its command line, for a message."""
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            return "ended"


def process(pid: int) -> Process:
    """The process that has this number now."""
    fields = _stat(pid)
    assert fields is not None, f"no process {pid}"
    return Process(pid, fields[19])


def _those_there(pids: Iterable[int]) -> set[Process]:
    """The processes of these numbers; any of them may end at any moment."""
    return {Process(pid, fields[19]) for pid in pids if (fields := _stat(pid))}


def descendants(pid: int) -> set[Process]:
    """Everything the process `pid` and its children have started that still lives."""
    parents = {
        int(entry.name): int(fields[1])
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (fields := _stat(int(entry.name)))
    }
    found: set[int] = set()
    while new := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= new
    return _those_there(found)


def kill_tree(running: "subprocess.Popen[Any]") -> None:
    """Kill `running`, which leads a session, and all it started, also where it has ended; none lives then."""
    of_session = _those_there(
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) and fields[3] == str(running.pid)
    )
    left = descendants(running.pid) | of_session
    for each in left:
        if each.lives:
            os.kill(each.pid, signal.SIGKILL)
    running.wait()
    assert_none_lives(left)


def wait_for(reached: Callable[[], object], what: str, seconds: float = 300, *, every: float = 0.02) -> None:
    """Return when `reached()` is true, asked `every` so many seconds; fail after `seconds` of patience."""
    deadline = time.monotonic() + patience(seconds)
    while not reached():
        assert time.monotonic() < deadline, f"still waiting after {patience(seconds):g} s: {what}"
        time.sleep(every)


def assert_none_lives(processes: Iterable[Process], seconds: float = 120) -> None:
    """Every one of `processes` has ended, or does so within `seconds` of patience."""
    processes = list(processes)
    deadline = time.monotonic() + patience(seconds)
    while any(each.lives for each in processes) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [each.command for each in processes if each.lives] == []


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third, the state, on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
