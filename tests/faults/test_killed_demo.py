"""The whole demo, ended in every way it can be: nothing of it may be left running."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.services.processes import free_port
from local.services.valkey import binary
from tests.patience import patience
from tests.process_tree import Process, assert_none_lives, descendants, kill_tree, wait_for

ROOT = Path(__file__).resolve().parents[2]

# One worker of xdist runs them all: they share a directory, and a demo is heavy.
pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="src-test-") as folder:
        yield Path(folder)


@contextmanager
def demo(directory: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A demo that serves, and the file with what it printed; killed with all it started afterwards."""
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "ENVIRONMENT"}
    }
    output = tmp_path / "output"
    command = [sys.executable, "-m", "local.demo", "--no-history", "--port", str(free_port())]
    with open(output, "wb") as file:
        running = subprocess.Popen(
            [*command, "--directory", str(directory)],
            env=env,
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(
            lambda: "Ctrl-C stops" in output.read_text() or running.poll() is not None,
            "the demo to serve",
            600,
        )
        assert running.poll() is None, output.read_text()
        yield running, output
    finally:
        kill_tree(running)


def family_of(running: subprocess.Popen[bytes]) -> set[Process]:
    """All processes of a demo, once each of its parts is at work, pool processes among them."""
    least = {"postgres": 2, Path(binary()).name: 1, "celery": 5, "gunicorn": 3, "aiosmtpd": 1}

    def complete() -> bool:
        commands = [each.command for each in descendants(running.pid)]
        return all(sum(name in each for each in commands) >= n for name, n in least.items())

    wait_for(complete, f"processes {least}")
    return descendants(running.pid)


def working_process(running: subprocess.Popen[bytes]) -> int:
    """The child in which the demo works; the process people start only looks after it."""
    found = [each.pid for each in descendants(running.pid) if "local.demo" in each.command]
    assert len(found) == 1
    return found[0]


def kill_front(running: subprocess.Popen[bytes]) -> None:
    running.kill()


def kill_both_at_once(running: subprocess.Popen[bytes]) -> None:
    working = working_process(running)
    # Stopped, the one cannot put the other's house in order before its own turn comes.
    for pid in (running.pid, working):
        os.kill(pid, signal.SIGSTOP)
    for pid in (running.pid, working):
        os.kill(pid, signal.SIGKILL)


def kill_working_process(running: subprocess.Popen[bytes]) -> None:
    os.kill(working_process(running), signal.SIGKILL)


@pytest.mark.parametrize("kill", [kill_front, kill_both_at_once, kill_working_process])
def test_nothing_of_a_killed_demo_lives(
    directory: Path, tmp_path: Path, kill: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    with demo(directory, tmp_path) as (running, _):
        family = family_of(running)
        kill(running)
        running.wait(patience(120))
        assert_none_lives(family)
    # It was not asked to end in order: nobody knows how long that takes.
    assert "Warm shutdown" not in (directory / "log" / "worker.log").read_text()


def test_ctrl_c_stops_everything_in_order(directory: Path, tmp_path: Path) -> None:
    with demo(directory, tmp_path) as (running, output):
        family = family_of(running)
        running.send_signal(signal.SIGINT)
        assert running.wait(patience(120)) == 0
        assert_none_lives(family, 0)
    assert output.read_text().rstrip().endswith("Stopping …")
    assert "Warm shutdown" in (directory / "log" / "worker.log").read_text()
    # Mail names people: only who runs the demo reads it.
    assert (directory / "mail").stat().st_mode & 0o777 == 0o700


def test_a_demo_that_loses_a_process_says_which_and_stops_the_others(directory: Path, tmp_path: Path) -> None:
    with demo(directory, tmp_path) as (running, output):
        family = family_of(running)
        (beat,) = (each for each in family if " beat " in each.command)
        os.kill(beat.pid, signal.SIGKILL)
        assert running.wait(patience(120)) == 1
        assert_none_lives(family, 0)
    assert re.search(r"The beat process ended by itself \(status -9\)", output.read_text())
