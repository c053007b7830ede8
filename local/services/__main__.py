"""Runs a command with PostgreSQL and Valkey up: ``python -m local.services --directory DIR -- COMMAND``."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from local.services.children import ServiceError, start, stop
from local.services.guard import run_guarded, shell_status, stop_signals_raise
from local.services.shared import services


def run_command(command: Sequence[str], env: dict[str, str]) -> int:
    """Run `command` in this terminal until it ends, passing signals on; returns its exit status."""
    try:
        child = start(command, env=env)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    if _in_foreground():
        # The terminal sends Ctrl-C to the command as well, which may live on, as a shell does.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status = child.wait()
    except SystemExit as leaving:
        if isinstance(leaving.code, int):
            stop(child, with_signal=signal.Signals(leaving.code - 128), patience=10)
        raise
    stop_signals_raise()
    return shell_status(status)


def _in_foreground() -> bool:
    """Whether this process's group is the one its terminal sends Ctrl-C to."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def _work(arguments: argparse.Namespace) -> int:
    try:
        with services(
            arguments.directory, exclusive=arguments.exclusive, durable=not arguments.volatile
        ) as variables:
            return run_command(arguments.command, {**os.environ, **variables})
    except ServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def main() -> int:
    """Runs the command line; returns the command's exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.services", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where they live")
    parser.add_argument("--exclusive", action="store_true", help="refuse a directory that is in use")
    parser.add_argument("--volatile", action="store_true", help="quick and forgetful, for tests")
    parser.add_argument("command", nargs="+", help="after --")
    arguments = parser.parse_args()
    return run_guarded(lambda: _work(arguments))


if __name__ == "__main__":
    sys.exit(main())
