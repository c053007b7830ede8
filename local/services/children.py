"""Child processes that end when the process that started them does, however it ends.

Start them from the main thread: see `src_app.end_with_parent`.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from src_app.end_with_parent import end_with_parent

ROOT = Path(__file__).resolve().parents[2]
# How many seconds something may take before it is given up: enough for a machine at a tenth of the speed.
# A process that ended is told at once, so that only one that hangs takes them all.
PATIENCE = 600
_in_haste = False


class ServiceError(RuntimeError):
    """Something does not run; says what, and what to do or the end of its log."""


def start(
    command: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str],
    log: Path | None = None,
    cwd: Path = ROOT,
    pass_fds: Sequence[int] = (),
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `command`; it gets `death_signal` when this process ends.

    With a `log` it reads nothing, writes there, and the terminal's Ctrl-C does not reach it. Without one
    it has this process's terminal.
    """
    parent = os.getpid()
    with nullcontext() if log is None else open(log, "wb") as output:
        return subprocess.Popen(  # noqa: S603 - commands are the project's own
            command,
            env=dict(env),
            cwd=None if log is None else cwd,
            stdin=None if log is None else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=pass_fds,
            preexec_fn=lambda: end_with_parent(parent, death_signal),
            process_group=None if log is None else 0,
        )


def stop(
    child: subprocess.Popen[bytes],
    *,
    with_signal: signal.Signals = signal.SIGTERM,
    at_once: signal.Signals = signal.SIGKILL,
    patience: float = 20,
) -> None:
    """Ask `child` to end, kill it after `patience` seconds, and kill what is left of its group.

    Once `make_haste` was called it gets the signal `at_once` instead, and two seconds.
    """
    if child.poll() is None:
        child.send_signal(at_once if _in_haste else with_signal)
        try:
            child.wait(2 if _in_haste else patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def make_haste() -> None:
    """From here on `stop` gives nothing the time to end in order."""
    global _in_haste
    _in_haste = True


def wait_until(
    answers: Callable[[], bool], name: str, children: Mapping[Path, subprocess.Popen[bytes]]
) -> None:
    """Return once `answers()`.

    Raises ServiceError when it does not in time, or when one of the `children`, given by their logs, ends.
    """
    deadline = time.monotonic() + PATIENCE
    while not answers():
        for log, child in children.items():
            if child.poll() is not None:
                raise ServiceError(f"{name} did not start:\n{end_of(log)}")
        if time.monotonic() > deadline:
            raise ServiceError(f"{name} does not answer after {PATIENCE} s.")
        time.sleep(0.02)


def end_of(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-25:])
