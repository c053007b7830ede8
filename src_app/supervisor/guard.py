"""Runs work in a process of its own, so that killing either process leaves nothing behind.

The front process is the one people see and signal; it passes their signals on. When it is killed
the work is asked to stop in order, by the kernel; when the work's process is killed the front
process kills whatever it had started. Both adopt orphans, so no descendant is out of reach.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from src_app.supervisor.children import adopt_orphans, die_with_parent, kill_descendants

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def run_guarded(work: Callable[[], int]) -> int:
    """Run `work` in a child process; returns its exit status when nothing it started lives.

    In the child each of `STOP_SIGNALS` raises SystemExit, so that context managers end what they
    started.
    """
    adopt_orphans()
    front = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    # Blocked across the fork, so that a signal reaches the work and not a process about to have it.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    child = os.fork()
    if child == 0:
        _work_and_exit(work, front)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)

    for number in STOP_SIGNALS:
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    _, status = os.waitpid(child, 0)
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    kill_descendants()
    return shell_status(os.waitstatus_to_exitcode(status))


def shell_status(return_code: int) -> int:
    """The exit status a shell would give: 128 + n for a process ended by signal n."""
    return return_code if return_code >= 0 else 128 - return_code


def ignore_stop_signals() -> None:
    """From here on nothing interrupts: for the moment when everything is being stopped anyway."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def stop_signals_raise() -> None:
    """The first of `STOP_SIGNALS` raises SystemExit; those after it do not disturb the stopping."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        ignore_stop_signals()
        raise SystemExit(128 + number)

    for number in STOP_SIGNALS:
        signal.signal(number, leave)


def _work_and_exit(work: Callable[[], int], front: int) -> NoReturn:
    status = 1
    try:
        adopt_orphans()
        stop_signals_raise()
        die_with_parent(front, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        status = work()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # noqa: BLE001 - this process ends here, as the interpreter would end it
        traceback.print_exc()
    finally:
        ignore_stop_signals()
        kill_descendants()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
