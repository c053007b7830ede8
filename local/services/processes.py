"""The processes of the running system, started and stopped together on one machine."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.services.children import ServiceError, end_of, start, stop, wait_until


@dataclass(frozen=True)
class Running:
    """The processes by their logs, and where the web one answers."""

    children: Mapping[Path, subprocess.Popen[bytes]]
    port: int
    mail_port: int

    def wait_until_answering(self) -> None:
        """Return when the web and mail ports answer; raises ServiceError when they do not."""
        for port in (self.port, self.mail_port):
            wait_until(partial(answers, port), f"Port {port}", self.children)

    def raise_if_one_ended(self) -> None:
        """Raises ServiceError if any process has ended, which none does unless told to."""
        for log, child in self.children.items():
            if child.poll() is not None:
                raise ServiceError(
                    f"The {log.stem} process ended by itself (status {child.returncode}). "
                    f"The end of its log:\n{end_of(log)}"
                )


@contextmanager
def processes(directory: Path, env: Mapping[str, str], *, port: int, mail_port: int) -> Iterator[Running]:
    """Web, Celery workers, Celery beat and mail catcher while the context lasts.

    `env` holds the services' addresses and the keys; logs, mail and the beat schedule are files
    below `directory`. Stopped in order: nothing new comes in before what is under way is done.
    """
    files = {"WEB_BIND": f"127.0.0.1:{port}", "WEB_ACCESS_LOG": str(directory / "log" / "access.log")}
    children: dict[Path, subprocess.Popen[bytes]] = {}
    with ExitStack() as stack:
        for name, arguments in _commands(directory, mail_port).items():
            log = directory / "log" / f"{name}.log"
            children[log] = start([sys.executable, "-m", *arguments], env={**env, **files}, log=log)
            stack.callback(stop, children[log])
        yield Running(children, port, mail_port)


def _commands(directory: Path, mail_port: int) -> dict[str, list[str]]:
    """The modules to run with what they are told, in the order of starting; they stop the other way round."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    catcher = ["aiosmtpd", "--nosetuid", "--listen", f"127.0.0.1:{mail_port}"]
    celery = ["celery", "-A", "src_app"]
    return {
        # Each message becomes a file in mail/new, which nobody else reads: Maildir is private.
        "mail": [*catcher, "--class", "aiosmtpd.handlers.Mailbox", str(directory / "mail")],
        "worker": [*celery, "worker", "--loglevel", "INFO", "--concurrency", "2", *quiet],
        # One process without a pool: its messages go to the catcher, which takes each at once.
        "mailer": [
            *(*celery, "worker", "--loglevel", "INFO", "--hostname", "mailer@%h"),
            *("--queues", "mail", "--pool", "solo", *quiet),
        ],
        "beat": [
            *(*celery, "beat", "--loglevel", "INFO", "--pidfile="),
            *("--schedule", str(directory / "beat-schedule")),
        ],
        "web": ["gunicorn", "--config", "python:src_app.gunicorn_settings"],
    }


def addresses(port: int, mail_port: int) -> dict[str, str]:
    """The variables that say where the system is served and where its mail goes."""
    return {"SITE_URL": f"http://127.0.0.1:{port}", "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}"}


def free_port() -> int:
    """A TCP port of this machine that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether a server does at this port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
