"""Child processes that end when the process that started them does, however it ends.

The kernel's parent-death signal is tied to the *thread* that started the child: start children from
a thread that lives as long as they should, in practice the main one. Linux only.
"""

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_PR_SET_CHILD_SUBREAPER = 36
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_NO_SETUID_FIXUP = 1 << 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_NOBODY = 65534


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilityData(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _prctl(option: int, second: int, third: int = 0) -> None:
    _call(
        "prctl",
        option,
        ctypes.c_ulong(second),
        ctypes.c_ulong(third),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )


def die_with_parent(parent: int, death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send `death_signal` to this process when `parent`, its parent, ends.

    Changing user or capabilities clears the request, so it comes after those.
    """
    _prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        # The parent ended before the request was made: no signal will come.
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Make this process the new parent of every descendant whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def kill_descendants() -> None:
    """Kill everything this process and its children started; returns when none of it lives.

    Needs `adopt_orphans` beforehand: killing a child hands its children to this process, which
    kills them in the next round.
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


@dataclass(frozen=True)
class Account:
    """The user a child runs as, when this process is root and the child must not be."""

    uid: int
    gid: int

    def become(self, *, pass_closed_directories: bool) -> None:
        """Give up root in this process for good.

        `pass_closed_directories` keeps the one capability that lets the child reach its own files
        below a folder which only root may enter, such as a clone in root's home.
        """
        if pass_closed_directories:
            # Without this flag access(2), with which PostgreSQL looks for itself, ignores it.
            _prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP)
            _make_inheritable(_CAP_DAC_OVERRIDE)
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)
        if pass_closed_directories:
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _make_inheritable(capability: int) -> None:
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapabilityData * 2)()
    _call("capget", ctypes.byref(header), data)
    data[0].inheritable |= 1 << capability
    _call("capset", ctypes.byref(header), data)


def unprivileged_account() -> Account | None:
    """Who a server that refuses root runs as: `postgres`, else `nobody`; None if not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    return Account(_NOBODY, _NOBODY)


def closed_to_others(*paths: Path) -> bool:
    """Whether a folder above any of `paths` may be entered only by its owner or group."""
    return any(not parent.stat().st_mode & 0o001 for path in paths for parent in path.resolve().parents)


def start(
    command: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str],
    output: IO[bytes] | int | None = None,
    errors: IO[bytes] | int | None = None,
    cwd: Path | None = None,
    before_exec: Callable[[], None] | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    own_group: bool = True,
) -> subprocess.Popen[bytes]:
    """Start `command`; it gets `death_signal` when this process ends.

    `own_group` keeps the terminal's Ctrl-C from reaching it; it reads nothing, and
    `errors` go where `output` goes unless given. Without it the child has this process's terminal.
    """
    parent = os.getpid()

    def in_child() -> None:
        if before_exec is not None:
            before_exec()
        die_with_parent(parent, death_signal)

    return subprocess.Popen(  # noqa: S603 - commands are the project's own
        command,
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL if own_group else None,
        stdout=output,
        stderr=errors if errors is not None or output is None else subprocess.STDOUT,
        preexec_fn=in_child,
        process_group=0 if own_group else None,
    )


def stop(
    child: subprocess.Popen[bytes],
    *,
    with_signal: signal.Signals = signal.SIGTERM,
    patience: float = 10,
) -> None:
    """Ask `child` to end, kill it after `patience` seconds, and kill what is left of its group."""
    if child.poll() is None:
        child.send_signal(with_signal)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
