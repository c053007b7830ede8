"""The whole system in one terminal: ``python -m src_app.supervisor.demo``.

PostgreSQL, Redis, web, Celery worker, Celery beat and a mail catcher, with data to look at, until
Ctrl-C stops them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from src_app.supervisor.check import CheckError, prove
from src_app.supervisor.children import start, stop
from src_app.supervisor.embedded import DEMO_DIRECTORY, ROOT, prepare
from src_app.supervisor.guard import run_guarded
from src_app.supervisor.local_postgres import PostgresStartError
from src_app.supervisor.local_redis import RedisStartError
from src_app.supervisor.processes import (
    ProcessError,
    Running,
    addresses,
    end_of_log,
    free_port,
    is_free,
    processes,
    start_logged,
)
from src_app.supervisor.services import DirectoryInUseError, services

_CTRL_C = 130
_console = Console(highlight=False)


@dataclass(frozen=True)
class SignIn:
    """An account of the demo, with its password in clear: it opens nothing but a demo."""

    username: str
    password: str
    role: str


@contextmanager
def running_demo(
    directory: Path, *, port: int, history: bool, fresh: bool = False
) -> Iterator[tuple[Running, list[SignIn], dict[str, str]]]:
    """The whole system with its data; yields its processes, its sign-ins and its environment."""
    with services(directory, exclusive=True, fresh=fresh) as variables:
        mail_port = free_port()
        env = {**os.environ, **variables, **addresses(port, mail_port)}
        env["STATIC_ROOT"] = str(directory / "static")
        _step("Preparing the database")
        if prepare(env):
            raise ProcessError("The database could not be prepared; the reason is above.")
        sign_ins = _make_data(directory, env, history=history)
        _step("Starting web, worker, beat and mail catcher")
        with processes(directory, env, port=port, mail_port=mail_port) as running:
            running.wait_until_answering()
            yield running, sign_ins, env


def _make_data(directory: Path, env: dict[str, str], *, history: bool) -> list[SignIn]:
    """Collect static files while sign-ins and cases are made; both are quick the second time."""
    (directory / "log").mkdir(exist_ok=True)
    manage = ["manage.py"]
    static = start_logged("static", [*manage, "collectstatic", "--noinput", "--verbosity=0"], directory, env)
    try:
        _step("Making sign-ins and cases" + (", some months of them" if history else ""))
        command = [*manage, "make_demo", "--json", *([] if history else ["--no-history"])]
        made = _output_of("make_demo", command, directory, env)
        if static.wait():
            raise ProcessError(f"collectstatic failed:\n{end_of_log(directory, 'static')}")
    finally:
        stop(static)
    return [
        SignIn(entry["username"], entry["password"], entry["role"]) for entry in json.loads(made)["sign_ins"]
    ]


def _output_of(name: str, arguments: list[str], directory: Path, env: dict[str, str]) -> str:
    """Run a command to its end; returns its standard output."""
    with open(directory / "log" / f"{name}.log", "w+b") as log:
        child = start([sys.executable, *arguments], env=env, cwd=ROOT, output=subprocess.PIPE, errors=log)
        try:
            output, _ = child.communicate()
        finally:
            stop(child)
    if child.returncode:
        raise ProcessError(f"{name} failed:\n{end_of_log(directory, name)}")
    return output.decode()


def demo(directory: Path, *, port: int, fresh: bool, history: bool) -> int:
    """Run the demo until a signal or until one of its processes ends; returns an exit status."""
    directory = directory.resolve()
    try:
        demonstration = running_demo(directory, port=port, history=history, fresh=fresh)
        with demonstration as (running, sign_ins, _):
            _introduce(running, sign_ins)
            try:
                while True:
                    running.raise_if_one_ended()
                    time.sleep(0.3)
            finally:
                _step("Stopping")
    except SystemExit as leaving:
        # Ctrl-C is how a demo ends.
        return 0 if leaving.code == _CTRL_C else 1


def check() -> int:
    """Start everything in a directory of its own, prove that it works, stop; 0 unless it raises."""
    with (
        tempfile.TemporaryDirectory(prefix="src-check-") as folder,
        running_demo(Path(folder), port=free_port(), history=False) as (running, sign_ins, env),
    ):
        person = next(sign_in for sign_in in sign_ins if sign_in.role == "hcop")
        for line in prove(running, env, person.username, person.password):
            _console.print(f"[green]ok[/green]  {line}", soft_wrap=True)
    return 0


def _introduce(running: Running, sign_ins: list[SignIn]) -> None:
    table = Table("Role", "User name", "Password", box=None, header_style="bold")
    for sign_in in sign_ins:
        table.add_row(sign_in.role, sign_in.username, sign_in.password)
    _console.print()
    _console.print(f"[bold]{running.address}/[/bold]", soft_wrap=True)
    _console.print()
    _console.print(table)
    _console.print()
    _console.print(f"Mail it sends: {running.directory / 'mail'}", soft_wrap=True)
    _console.print(f"Logs: {running.directory / 'log'}", soft_wrap=True)
    _console.print("Ctrl-C stops it; the data stays. --fresh starts over.")


def _step(text: str) -> None:
    _console.print(f"[dim]{text} …[/dim]")


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="throw the demo's data away first")
    parser.add_argument("--no-history", action="store_true", help="leave out the months of earlier cases")
    parser.add_argument("--port", type=int, default=8000, help="of the web pages (8000)")
    parser.add_argument("--check", action="store_true", help="prove that everything works, and end")
    parser.add_argument(
        "--directory", type=Path, default=DEMO_DIRECTORY, help="where the data, mail and logs are"
    )
    arguments = parser.parse_args(given)
    if arguments.fresh and os.environ.get("DATABASE_URL"):
        parser.error("--fresh throws away the demo's own database, and DATABASE_URL names another.")
    if not arguments.check and not is_free(arguments.port):
        parser.error(
            f"Port {arguments.port} is taken, perhaps by a demo already running; choose another with --port."
        )
    return arguments


def _work(arguments: argparse.Namespace) -> int:
    try:
        if arguments.check:
            return check()
        return demo(
            arguments.directory,
            port=arguments.port,
            fresh=arguments.fresh,
            history=not arguments.no_history,
        )
    except (
        CheckError,
        DirectoryInUseError,
        PostgresStartError,
        ProcessError,
        RedisStartError,
    ) as error:
        Console(stderr=True, highlight=False, markup=False).print(str(error), soft_wrap=True)
        return 1


def main(given: Sequence[str] | None = None) -> int:
    """Runs the command line; returns an exit status."""
    arguments = _arguments(sys.argv[1:] if given is None else given)
    os.environ["ENVIRONMENT"] = "demo"
    return run_guarded(lambda: _work(arguments))


if __name__ == "__main__":
    sys.exit(main())
