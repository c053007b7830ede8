"""Has the kernel end a process when the one that started it ends, however that ends. Linux only."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(parent: int, death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send `death_signal` to this process when `parent`, its parent, ends.

    The request is tied to the *thread* that started this process: that has to live as long as it should.
    """
    if _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(death_signal)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        # The parent ended before the request was made: no signal will come.
        os.kill(os.getpid(), signal.SIGKILL)
