"""The processes of the running system, started and stopped together on one machine."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from src_app.supervisor.children import start, stop
from src_app.supervisor.embedded import ROOT

_ANSWERS_WITHIN = 60
# A worker finishes the task it has begun.
_PATIENCE = 20


class ProcessError(RuntimeError):
    """A process failed; says which, with the end of its log."""


@dataclass(frozen=True)
class Running:
    """The processes by name, and where the web one answers."""

    children: Mapping[str, subprocess.Popen[bytes]]
    address: str
    mail_port: int
    directory: Path

    def wait_until_answering(self) -> None:
        """Return when the web and mail ports answer; raises ProcessError when they do not."""
        web_port = int(self.address.rpartition(":")[2])
        deadline = time.monotonic() + _ANSWERS_WITHIN
        for port in (web_port, self.mail_port):
            while not _answers(port):
                self.raise_if_one_ended()
                if time.monotonic() > deadline:
                    raise ProcessError(f"Nothing answers on port {port}.")
                time.sleep(0.05)

    def raise_if_one_ended(self) -> None:
        """Raises ProcessError if any process has ended, which none does unless told to."""
        for name, child in self.children.items():
            if child.poll() is not None:
                raise ProcessError(
                    f"The {name} process ended by itself (status {child.returncode}). "
                    f"The end of its log:\n{end_of_log(self.directory, name)}"
                )


@contextmanager
def processes(directory: Path, env: Mapping[str, str], *, port: int, mail_port: int) -> Iterator[Running]:
    """Web, Celery worker, Celery beat and mail catcher while the context lasts.

    `env` holds the services' addresses and the keys; logs, mail and the beat schedule are files
    below `directory`. Stopped in order: nothing new comes in before what is under way is done.
    """
    env = {**env, **addresses(port, mail_port), **_files(directory, port)}
    (directory / "log").mkdir(parents=True, exist_ok=True)
    children: dict[str, subprocess.Popen[bytes]] = {}
    with ExitStack() as stack:
        for name, arguments in _commands(directory, mail_port).items():
            children[name] = start_logged(name, arguments, directory, env)
            stack.callback(stop, children[name], patience=_PATIENCE)
        yield Running(children, env["SITE_URL"], mail_port, directory)


def _commands(directory: Path, mail_port: int) -> dict[str, list[str]]:
    """What runs each process, in the order of starting; they stop the other way round."""
    celery = ["-m", "celery", "-A", "src_app"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    schedule, mail = str(directory / "beat-schedule"), str(directory / "mail")
    return {
        "mail": ["-m", "src_app.supervisor.catcher", "--port", str(mail_port), "--directory", mail],
        "worker": [*celery, "worker", "--loglevel", "INFO", "--concurrency", "2", *quiet],
        "beat": [*celery, "beat", "--loglevel", "INFO", "--schedule", schedule, "--pidfile="],
        "web": ["-m", "gunicorn", "--config", "python:src_app.gunicorn_settings"],
    }


def addresses(port: int, mail_port: int) -> dict[str, str]:
    """The variables that say where the system is served and where its mail goes."""
    return {
        "SITE_URL": f"http://127.0.0.1:{port}",
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
    }


def _files(directory: Path, port: int) -> dict[str, str]:
    return {
        "WEB_BIND": f"127.0.0.1:{port}",
        "WEB_ACCESS_LOG": str(directory / "log" / "access.log"),
    }


def start_logged(
    name: str, arguments: list[str], directory: Path, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start Python with `arguments`, in the project, writing to the log called `name`."""
    with open(_log(directory, name), "wb") as log:
        return start([sys.executable, *arguments], env=env, cwd=ROOT, output=log)


def end_of_log(directory: Path, name: str) -> str:
    """The last lines of the log called `name`."""
    return "\n".join(_log(directory, name).read_text(errors="replace").splitlines()[-25:])


def _log(directory: Path, name: str) -> Path:
    return directory / "log" / f"{name}.log"


def free_port() -> int:
    """A TCP port of this machine that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of this machine now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
