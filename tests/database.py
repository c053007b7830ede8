"""The test database: made and migrated by the owner, used with the runtime role's rights and no others.

Migrating takes longer than any test, so one worker does it once for a state of the code, and every
worker's database is a copy. The migrated one stays on the server for the next run: on a server of your own it
is the one thing that tests leave behind.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.db.backends.signals import connection_created
from django.test import TransactionTestCase
from environ import Env
from psycopg2 import sql

from src_app.database import runtime_role
from tests.patience import patience

# Any number, the same in every worker: they make one role, one after another.
_TURN = 5_310_447


# Migrations, and the models that they take functions and triggers from; rights are given again to each copy.
_DECIDES = ("**/migrations/*.py", "**/models.py", "**/models/**/*.*")
_OURS = ("src_app", "referrals", "outcomes")
_MIGRATED = "tests_migrated_"
# pgtrigger names a function after its trigger.
_TRIGGER = re.compile(r"function pgtrigger_(\w+)_[0-9a-f]+\(\)")


class RolesMissing(RuntimeError):
    """The tests cannot run with the runtime role's rights; says what to do."""


def log_in_as_owner() -> None:
    """Points the default connection at the owner's address; call it before any connection is made."""
    owner = Env.db_url_config(settings.DATABASE_OWNER_URL)
    for name in ("USER", "PASSWORD", "HOST", "PORT"):
        settings.DATABASES[DEFAULT_DB_ALIAS][name] = owner[name]
    if owner["USER"] == runtime_role():
        # One role was given: the tests' own takes the part of the runtime role.
        settings.DATABASE_URL = f"postgres://{owner['USER']}_tests_runtime@/ignored"


def make_roles_usable() -> None:
    """Makes the runtime role if it is missing, and lets the owner act as it; raises RolesMissing."""
    owner = psycopg2.connect(settings.DATABASE_OWNER_URL)
    role = sql.Identifier(runtime_role())
    try:
        owner.autocommit = True
        with owner.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_TURN])
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [runtime_role()])
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE ROLE {role} NOLOGIN").format(role=role))
            with suppress(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(sql.SQL("SET ROLE {role}").format(role=role))
                return
            cursor.execute(sql.SQL("GRANT {role} TO CURRENT_USER").format(role=role))
    except psycopg2.errors.InsufficientPrivilege as error:
        raise RolesMissing(
            "Tests run with the runtime role's rights. The role of DATABASE_OWNER_URL must be a member of "
            f"{runtime_role()}, or be allowed to make that role (CREATEROLE)."
        ) from error
    finally:
        owner.close()


def wait_longer() -> None:
    """Lets statements and locks take as long as they may on a slow machine; before any connection is made."""
    limits = {"lock_timeout": 60, "statement_timeout": 180, "idle_in_transaction_session_timeout": 360}
    given = settings.DATABASES[DEFAULT_DB_ALIAS]["OPTIONS"]
    # Of an option that is given twice the last counts.
    longer = "".join(f" -c {name}={patience(seconds):.0f}s" for name, seconds in limits.items())
    given["options"] += longer


def copy_migrated() -> None:
    """Has the tests' database made as a copy of one that is migrated, which is made where it is missing."""
    name = _MIGRATED + _state_of_code()
    owner = psycopg2.connect(settings.DATABASE_OWNER_URL)
    try:
        owner.autocommit = True
        with owner.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_TURN])
            cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_MIGRATED])
            found = {database for (database,) in cursor.fetchall()}
            if name not in found:
                for old in found:
                    cursor.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(old)))
                begun = f"{_MIGRATED}begun"
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(begun)))
                _migrate(begun)
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                cursor.execute(rename.format(sql.Identifier(begun), sql.Identifier(name)))
    finally:
        owner.close()
    settings.DATABASES[DEFAULT_DB_ALIAS]["TEST"]["TEMPLATE"] = name


def _state_of_code() -> str:
    """A checksum over everything that decides what a migrated database holds."""
    digest = hashlib.sha256()
    paths = {
        path for name in _OURS for pattern in _DECIDES for path in (settings.BASE_DIR / name).glob(pattern)
    }
    for path in sorted(path for path in paths if path.suffix in {".py", ".sql"}):
        digest.update(str(path.relative_to(settings.BASE_DIR)).encode())
        digest.update(path.read_bytes())
    digest.update((settings.BASE_DIR / "requirements" / "serve.txt").read_bytes())
    return digest.hexdigest()[:16]


def _migrate(name: str) -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    given = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = given


def _set_role(connection: Any) -> None:
    # Past Django's cursors, so that no test counts it among its queries.
    with connection.connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET ROLE {role}").format(role=sql.Identifier(runtime_role())))


def _on_new_connection(connection: Any, **_: Any) -> None:
    if connection.alias == DEFAULT_DB_ALIAS:
        _set_role(connection)


@contextmanager
def owner_rights() -> Iterator[None]:
    """The owner's rights on this thread's connection while the context lasts."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    try:
        yield
    finally:
        _set_role(connection)


@contextmanager
def tampering() -> Iterator[None]:
    """The owner's rights, every check put off and no trigger of a trial's tables at work."""
    tables = ("referrals_allocation", "referrals_trial")
    with owner_rights(), connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield
        finally:
            # In a transaction that failed it is undone anyway, and no statement is taken.
            if not connections[DEFAULT_DB_ALIAS].needs_rollback:
                for table in tables:
                    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def use_runtime_role() -> None:
    """From here on every connection has the runtime role's rights; only the flush after a test has more."""
    connection_created.connect(_on_new_connection, dispatch_uid="tests.runtime_role")
    connections[DEFAULT_DB_ALIAS].close()
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # not in the stubs

    def flush_as_owner(case: TransactionTestCase) -> None:
        with owner_rights():
            flush(case)

    TransactionTestCase._fixture_teardown = flush_as_owner  # type: ignore[attr-defined]


def stop_using_runtime_role() -> None:
    """Before the database is dropped."""
    connection_created.disconnect(dispatch_uid="tests.runtime_role")
    connections[DEFAULT_DB_ALIAS].close()


@contextmanager
def refused_by(*names: str) -> Iterator[None]:
    """One of these constraints or triggers refuses what is done within: another error would be no proof."""
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        yield
    said = refused.value.__cause__.diag  # type: ignore[union-attr]  # always the driver's
    trigger = _TRIGGER.search(said.context or "")
    assert (said.constraint_name or (trigger and trigger[1])) in names
