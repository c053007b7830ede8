"""Runs work in a process of its own, so that killing either process leaves nothing behind.

The front process is the one people see and signal; it passes their signals on, and the work ends in order.
When the work's process is killed the front kills whatever it had started. When the front is killed the
kernel tells the work, which ends everything at once. Both adopt orphans: no descendant is out of reach.
"""

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local.services.children import make_haste
from src_app.end_with_parent import end_with_parent

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_FRONT_WAS_KILLED = signal.SIGUSR1
_PR_SET_CHILD_SUBREAPER = 36


def run_guarded(work: Callable[[], int]) -> int:
    """Run `work` in a child process; returns its exit status when nothing it started lives.

    In the child each of `STOP_SIGNALS` raises SystemExit, so that context managers end what they
    started.
    """
    _adopt_orphans()
    front = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    # Blocked across the fork, so that a signal reaches the work and not a process about to have it.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    child = os.fork()
    if child == 0:
        _work_and_exit(work, front)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda number, _: os.kill(child, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    _, status = os.waitpid(child, 0)
    _ignore_stop_signals()
    _kill_descendants()
    return shell_status(os.waitstatus_to_exitcode(status))


def shell_status(return_code: int) -> int:
    """The exit status a shell would give: 128 + n for a process ended by signal n."""
    return return_code if return_code >= 0 else 128 - return_code


def stop_signals_raise() -> None:
    """The first of `STOP_SIGNALS` raises SystemExit; those after it do not disturb the stopping."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        _ignore_stop_signals()
        raise SystemExit(128 + number)

    for number in STOP_SIGNALS:
        signal.signal(number, leave)


def _leave_in_haste(number: int, _frame: FrameType | None) -> NoReturn:
    """Nobody waits any more for things to end in order; what is being ended so is cut short."""
    _ignore_stop_signals()
    make_haste()
    raise SystemExit(128 + number)


def _work_and_exit(work: Callable[[], int], front: int) -> NoReturn:
    status = 1
    try:
        _adopt_orphans()
        stop_signals_raise()
        signal.signal(_FRONT_WAS_KILLED, _leave_in_haste)
        end_with_parent(front, _FRONT_WAS_KILLED)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        status = work()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # noqa: BLE001 - this process ends here, as the interpreter would end it
        traceback.print_exc()
    finally:
        _ignore_stop_signals()
        _kill_descendants()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _ignore_stop_signals() -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _adopt_orphans() -> None:
    """Make this process the new parent of every descendant whose own parent ends."""
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1)) != 0:
        raise OSError("prctl")


def _kill_descendants() -> None:
    """Kill everything this process and its children started; returns when none of it lives.

    Killing a child hands its children to this process, which kills them in the next round.
    """
    while children := _children():
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue


def _children() -> list[int]:
    own = str(os.getpid())
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _parent(entry) == own]


def _parent(pid: str) -> str | None:
    try:
        stat = Path("/proc", pid, "stat").read_text()
    except OSError:
        return None
    # The command's name, in brackets, may hold spaces and brackets of its own.
    return stat.rpartition(")")[2].split()[1]
