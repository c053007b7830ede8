"""Runs a command with PostgreSQL and Redis up: ``python -m src_app.supervisor.embedded … -- COMMAND``.

The services live in one directory, locked by whoever started them; a second command for the same
directory uses them. Where DATABASE_URL or REDIS_URL is set, that server is used and none started.
Nothing of it outlives this process, whatever signal ends it.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from src_app.supervisor.children import start, stop
from src_app.supervisor.guard import STOP_SIGNALS, run_guarded, shell_status, stop_signals_raise
from src_app.supervisor.local_postgres import PostgresStartError
from src_app.supervisor.local_redis import RedisStartError
from src_app.supervisor.services import DirectoryInUseError, services
from src_app.supervisor.terminal import in_foreground, say

ROOT = Path(__file__).resolve().parents[2]
DEMO_DIRECTORY = ROOT / "var" / "demo"


def run_command(command: Sequence[str], env: dict[str, str]) -> int:
    """Run `command` in this terminal until it ends, passing signals on; returns its exit status."""
    try:
        child = start(command, env=env, own_group=False)
    except OSError as error:
        say(f"{command[0]}: {error.strerror}")
        return 127
    told_to_stop: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        # A terminal has sent Ctrl-C to the whole group, and a shell in it may live on.
        if number == signal.SIGINT and in_foreground():
            return
        told_to_stop.append(number)
        child.send_signal(number)

    for number in STOP_SIGNALS:
        signal.signal(number, pass_on)
    try:
        while child.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                child.wait(10 if told_to_stop else None)
                break
            child.kill()
    finally:
        stop_signals_raise()
    if told_to_stop:
        raise SystemExit(128 + told_to_stop[0])
    return shell_status(child.returncode)


def _arguments(given: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="python -m src_app.supervisor.embedded", description=__doc__)
    parser.add_argument("--directory", type=Path, default=DEMO_DIRECTORY, help="where they live")
    parser.add_argument("--exclusive", action="store_true", help="refuse a directory that is in use")
    parser.add_argument("--volatile", action="store_true", help="quick and forgetful, for tests")
    parser.add_argument(
        "--prepare", action="store_true", help="first migrate and load reference data, if needed"
    )
    parser.add_argument("command", nargs="+", help="after --")
    arguments = parser.parse_args(given)
    return arguments, arguments.command


def _work(arguments: argparse.Namespace, command: Sequence[str]) -> int:
    try:
        with services(
            arguments.directory, exclusive=arguments.exclusive, durable=not arguments.volatile
        ) as variables:
            env = {**os.environ, **variables}
            if arguments.prepare and (failed := prepare(env)):
                return failed
            return run_command(command, env)
    except (DirectoryInUseError, PostgresStartError, RedisStartError) as error:
        say(str(error))
        return 2


def prepare(env: dict[str, str]) -> int:
    """Bring the database up to this version of the code, if it is not; returns an exit status."""
    child = start(
        [sys.executable, "-P", "-m", "src_app.supervisor.prepare"],
        env={**env, "PYTHONPATH": str(ROOT)},
        own_group=False,
    )
    try:
        return shell_status(child.wait())
    finally:
        stop(child)


def main(given: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the command's exit status."""
    arguments, command = _arguments(sys.argv[1:] if given is None else given)
    return run_guarded(lambda: _work(arguments, command))


if __name__ == "__main__":
    sys.exit(main())
