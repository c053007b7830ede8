"""The databases of a run: one migrated and empty, a filled copy for each size; all dropped at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg2 import sql

ALIASES = ("default", "owner")


@dataclass(frozen=True)
class Database:
    """Open connections to one database, as the runtime role and as the owner."""

    name: str
    connections: dict[str, Any]

    def use(self) -> None:
        """From here on Django's connections are these."""
        for alias, connection in self.connections.items():
            connections[alias] = connection

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()


class Databases:
    """Makes databases beside the one DATABASE_OWNER_URL names, which stays as it is."""

    def __init__(self, migrated: str | None = None) -> None:
        self._run = f"bench_{os.getpid()}"
        self._base = migrated or self._run
        self._made: list[Database] = []

    def migrate(self) -> None:
        """Makes the empty one that all others are copies of."""
        _on_server(sql.SQL("CREATE DATABASE {name}").format(name=sql.Identifier(self._base)))
        empty = self._open(self._base)
        empty.use()
        call_command("migrate", database="owner", verbosity=0)
        empty.close()

    def make(self, label: str) -> Database:
        """A copy of the empty one, in use."""
        name = f"{self._run}_{label}"
        _on_server(
            sql.SQL("CREATE DATABASE {name} TEMPLATE {base}").format(
                name=sql.Identifier(name), base=sql.Identifier(self._base)
            )
        )
        made = self._open(name)
        made.use()
        return made

    def drop(self) -> None:
        """Closes and drops them all."""
        for database in reversed(self._made):
            database.close()
            _on_server(sql.SQL("DROP DATABASE IF EXISTS {name}").format(name=sql.Identifier(database.name)))

    def _open(self, name: str) -> Database:
        opened = {}
        for alias in ALIASES:
            opened[alias] = connections.create_connection(alias)
            # No health check and no time limit: the run measures with connections that stay open.
            opened[alias].settings_dict = {
                **opened[alias].settings_dict,
                "NAME": name,
                "CONN_MAX_AGE": None,
            }
        self._made.append(Database(name, opened))
        return self._made[-1]


@contextmanager
def own_databases(migrated: str | None = None) -> Iterator[Databases]:
    """Databases of this run alone, copies of the one given or of one that is migrated first."""
    _drop_leftovers()
    databases = Databases(migrated)
    try:
        if migrated is None:
            databases.migrate()
        yield databases
    finally:
        databases.drop()


def _drop_leftovers() -> None:
    """Databases of runs that were ended before they could drop their own, and that nobody is connected to."""
    owner = psycopg2.connect(settings.DATABASE_OWNER_URL)
    try:
        with owner.cursor() as cursor:
            cursor.execute(
                "SELECT datname FROM pg_database WHERE datname ~ '^bench_[0-9]+' "
                "AND datname NOT IN (SELECT datname FROM pg_stat_activity WHERE datname IS NOT NULL)"
            )
            left = [name for (name,) in cursor]
    finally:
        owner.close()
    for name in left:
        if not _is_alive(int(name.split("_")[1])):
            _on_server(sql.SQL("DROP DATABASE IF EXISTS {name}").format(name=sql.Identifier(name)))


def _is_alive(pid: int) -> bool:
    """Whether a process of that number, which names a run's databases, still runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _on_server(statement: sql.Composed) -> None:
    owner = psycopg2.connect(settings.DATABASE_OWNER_URL)
    try:
        owner.autocommit = True
        with owner.cursor() as cursor:
            cursor.execute(statement)
    finally:
        owner.close()
