"""The whole system in one terminal: ``python -m local.demo``.

PostgreSQL, Valkey, web, Celery worker, Celery beat and a mail catcher, with data to look at, until
Ctrl-C stops them.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local.demo.check import prove
from local.demo.sign_ins import sign_ins
from local.services.children import ROOT, ServiceError, end_of, start, stop
from local.services.guard import run_guarded
from local.services.processes import Running, addresses, answers, free_port, processes
from local.services.shared import services

_CTRL_C = 130


@contextmanager
def _running_demo(
    directory: Path, *, port: int, history: bool, fresh: bool = False
) -> Iterator[tuple[Running, dict[str, str]]]:
    """The whole system with its data; yields its processes and its environment."""
    with services(directory, exclusive=True, fresh=fresh) as variables:
        mail_port = free_port()
        env = {
            **os.environ,
            **variables,
            **addresses(port, mail_port),
            "STATIC_ROOT": str(directory / "static"),
        }
        _say("Making the database, sign-ins and cases" + (", some months of them" if history else "") + " …")
        _prepare(directory, env, history=history)
        _say("Starting web, worker, beat and mail catcher …")
        with processes(directory, env, port=port, mail_port=mail_port) as running:
            running.wait_until_answering()
            yield running, env


def _prepare(directory: Path, env: dict[str, str], *, history: bool) -> None:
    """Make the data and collect the static files at the same time; both are quick the second time."""
    commands = {
        "data": ["-m", "local.demo.make", *([] if history else ["--no-history"])],
        "static": ["manage.py", "collectstatic", "--noinput", "--verbosity=0"],
    }
    with ExitStack() as stack:
        children = {}
        for name, arguments in commands.items():
            log = directory / "log" / f"{name}.log"
            children[log] = start([sys.executable, *arguments], env=env, log=log)
            stack.callback(stop, children[log])
        for log, child in children.items():
            if child.wait():
                raise ServiceError(f"{log.stem} failed:\n{end_of(log)}")


def _demo(directory: Path, *, port: int, fresh: bool, history: bool) -> int:
    """Run the demo until a signal or until one of its processes ends; returns an exit status."""
    directory = directory.resolve()
    try:
        with _running_demo(directory, port=port, history=history, fresh=fresh) as (running, env):
            _introduce(directory, env)
            try:
                while True:
                    running.raise_if_one_ended()
                    time.sleep(0.3)
            finally:
                _say("Stopping …")
    except SystemExit as leaving:
        # Ctrl-C is how a demo ends.
        return 0 if leaving.code == _CTRL_C else 1


def _check() -> int:
    """Start everything in a directory of its own, prove that it works, stop; 0 unless it raises."""
    with tempfile.TemporaryDirectory(prefix="src-check-") as folder:
        directory = Path(folder)
        with _running_demo(directory, port=free_port(), history=False) as (running, env):
            for line in prove(directory, running, env, sign_ins(env["SECRET_KEY"])[0]):
                _say(f"ok  {line}")
    return 0


def _introduce(directory: Path, env: dict[str, str]) -> None:
    people = "\n".join(
        f"{each.role:<14}{each.username:<12}{each.password}" for each in sign_ins(env["SECRET_KEY"])
    )
    _say(
        f"\n{env['SITE_URL']}/\n\n{'Role':<14}{'User name':<12}Password\n{people}\n\n"
        f"Mail it sends: {directory / 'mail' / 'new'}\nLogs: {directory / 'log'}\n"
        "Ctrl-C stops it; the data stays. --fresh starts over."
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="throw the demo's data away first")
    parser.add_argument("--no-history", action="store_true", help="leave out the months of earlier cases")
    parser.add_argument("--port", type=int, default=8000, help="of the web pages (8000)")
    parser.add_argument("--check", action="store_true", help="prove that everything works, and end")
    parser.add_argument(
        "--directory", type=Path, default=ROOT / "var" / "demo", help="where the data, mail and logs are"
    )
    arguments = parser.parse_args()
    if arguments.fresh and os.environ.get("DATABASE_URL"):
        parser.error("--fresh throws away the demo's own database, and DATABASE_URL names another.")
    if not arguments.check and answers(arguments.port):
        parser.error(
            f"Port {arguments.port} is taken, perhaps by a demo already running; choose another with --port."
        )
    return arguments


def _work(arguments: argparse.Namespace) -> int:
    try:
        if arguments.check:
            return _check()
        return _demo(
            arguments.directory,
            port=arguments.port,
            fresh=arguments.fresh,
            history=not arguments.no_history,
        )
    except ServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def main() -> int:
    """Runs the command line; returns an exit status."""
    arguments = _arguments()
    os.environ["ENVIRONMENT"] = "demo"
    return run_guarded(lambda: _work(arguments))


if __name__ == "__main__":
    sys.exit(main())
