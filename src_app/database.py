"""The two database roles, the tables nothing may be changed in, and SQL that several features need.

The owner migrates. The runtime role serves pages and tasks, and may only add to an append-only table. The
grants are the first guard and the triggers the second: a role that lacks the right can neither disable a
trigger nor TRUNCATE.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from string import Template
from typing import Any, ClassVar
from uuid import UUID

import pghistory
import pgtrigger
from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connection, connections, models, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q
from django.db.models.signals import post_migrate
from environ import Env
from psycopg2 import sql

# The only tables from which the code deletes rows: sessions, second factors, drafts of decisions and trials,
# parts of files that are held, public postcodes, views by name, and counts, whose rows are folded into one.
DELETABLE_TABLES = (
    "django_session",
    "mfa_authenticator",
    "outcomes_outcomecount",
    "referrals_approval",
    "referrals_contactcount",
    "referrals_decision",
    "referrals_heldpart",
    "referrals_postcode",
    "referrals_registrar",
    "referrals_savedview",
    "referrals_trial",
    "referrals_weekcontactcount",
)

# The numbers of PostgreSQL's advisory locks; no two may be the same. local/demo/prepare.py has 7_203_112, and
# ``advisory_key`` numbers those of each extract and of the watched folder.
RECOUNT_LOCK = 4_900_049
MAIL_SWEEP_LOCK = 4_900_050
FAULTS_LOCK = 4_900_051
PLACES_LOCK = 4_900_061


class AppendOnly(models.Model):
    """A table of what happened. A mistake is put right by a withdrawing row."""

    class Meta:
        abstract = True
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]


def together(*names: str) -> Q:
    """The condition of a constraint that these fields are all given or all NULL."""
    none, every = Q(), Q()
    for name in names:
        none &= Q(**{f"{name}__isnull": True})
        every &= Q(**{f"{name}__isnull": False})
    return none | every


def one_line(model: str, *names: str) -> list[models.BaseConstraint]:
    """Constraints that these texts have no line end and no other control character in them.

    A line end in a name would stop every e-mail with that name in its subject.
    """
    return [
        models.CheckConstraint(
            condition=~Q(**{f"{name}__regex": "[[:cntrl:]]"}), name=f"{model}_{name}_is_one_line"
        )
        for name in names
    ]


def refuse(*, name: str, unless: str) -> pgtrigger.Trigger:
    """A trigger that refuses a row, new or changed, for which the SQL condition ``unless`` is not true.

    For what a check constraint cannot see: other rows. The refusal is an ``IntegrityError``.
    """
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF ({unless}) IS NOT TRUE THEN
                RAISE EXCEPTION 'refused: {name}' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        """,
    )


def read_sql(path: str, /, **parts: str) -> str:
    """The text of one of the project's SQL files, each ``$name`` in it replaced by that part of SQL.

    For what is too long to be read inside Python. Raises ``KeyError`` for a ``$name`` without a part.
    """
    return Template((settings.BASE_DIR / path).read_text(encoding="utf-8").strip()).substitute(parts)


def run(cursor: CursorWrapper, statement: str, params: Any = None, /, **parts: sql.Composable) -> None:
    """Executes SQL made of ``parts`` (names, literals); as text, which the history's context is added to."""
    text = sql.SQL(statement).format(**parts).as_string(cursor.cursor)
    cursor.execute(text, params)


def fold(table: str, keys: Mapping[str, str], sums: Sequence[str]) -> None:
    """Makes one row of all rows of the table that have the same ``keys``, with the columns ``sums`` added up.

    ``keys`` has the name of each column of the key with an SQL expression of it that is never NULL. A row
    that is added meanwhile stays as it is.
    """
    columns, never_null = ", ".join(keys), ", ".join(keys.values())
    places = ", ".join(str(place) for place in range(1, len(keys) + 1))
    added_up = ", ".join(f"sum({name})" for name in sums)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH gone AS (
                DELETE FROM {table} WHERE ({never_null}) IN (
                    SELECT {never_null} FROM {table} GROUP BY {places} HAVING count(*) > 1
                ) RETURNING *
            )
            INSERT INTO {table} ({columns}, {", ".join(sums)})
            SELECT {columns}, {added_up} FROM gone GROUP BY {places}
            """  # noqa: S608 - names that the code gives
        )


def advisory_key(identifier: UUID) -> int:
    """The number of the advisory lock on what has that identifier: its first 63 bits."""
    return identifier.int >> 65


@contextmanager
def try_advisory_lock(key: int) -> Iterator[bool]:
    """Tries to take PostgreSQL's advisory lock ``key``, and gives it back at the end of the block.

    Yields whether it was taken: false means that another connection holds it. PostgreSQL gives it back, too,
    when the connection ends.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (is_held,) = cursor.fetchone()
    try:
        yield is_held
    finally:
        if is_held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def wait_for_advisory_lock(key: int) -> None:
    """Takes PostgreSQL's advisory lock ``key`` as soon as nobody holds it, to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def is_advisory_lock_held(key: int) -> bool:
    """Whether any connection to this database holds the advisory lock ``key`` at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND (classid::bigint << 32 | objid::bigint) = %s)",
            [key],
        )
        return bool(cursor.fetchone()[0])


def append_only_tables() -> list[str]:
    """Names of the tables the runtime role may read and add to, and nothing else."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, AppendOnly | pghistory.models.Event) and not model._meta.proxy
        if model._meta.managed
    )


def runtime_role() -> str:
    """The name of the role that serves, from DATABASE_URL."""
    return str(Env.db_url_config(settings.DATABASE_URL)["USER"])


def grant_runtime_role(using: str) -> None:
    """Gives the runtime role what it needs on the tables as they stand; repeatable.

    Does nothing where one role does both jobs, which a system check refuses in production.
    """
    role = runtime_role()
    with transaction.atomic(using), connections[using].cursor() as cursor:
        cursor.execute("SELECT current_user, EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role])
        current_user, exists = cursor.fetchone()
        if current_user == role or not exists:
            return
        grants = (
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            "REVOKE INSERT, UPDATE ON django_migrations FROM {role}",
        )
        for statement in grants:
            cursor.execute(sql.SQL(statement).format(role=sql.Identifier(role)))
        exceptions: tuple[tuple[str, Sequence[str]], ...] = (
            ("REVOKE UPDATE ON {table} FROM {role}", append_only_tables()),
            ("GRANT DELETE ON {table} TO {role}", DELETABLE_TABLES),
        )
        # Of an application that is migrated alone, or back, some are not there.
        there = set(connections[using].introspection.table_names(cursor))
        for statement, tables in exceptions:
            for table in there.intersection(tables):
                names = {"table": sql.Identifier(table), "role": sql.Identifier(role)}
                cursor.execute(sql.SQL(statement).format(**names))
        _let_no_trigger_be_put_off(cursor)


def _let_no_trigger_be_put_off(cursor: CursorWrapper) -> None:
    """Takes from the runtime role two ways past a trigger that it has no right to disable.

    pgtrigger lets any session ignore triggers by a setting: its function, written anew with each trigger that
    a migration installs, says no from here on. And a temporary table of the same name, which imports need the
    right to make, would be read in place of the true one: trigger functions look there last.
    """
    cursor.execute(
        """
        CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
        LANGUAGE sql AS 'SELECT false'
        """
    )
    cursor.execute(
        """
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prorettype = 'trigger'::regtype
        """
    )
    for (function,) in cursor.fetchall():
        cursor.execute(f"ALTER FUNCTION {function} SET search_path = public, pg_temp")


def _after_migrate(using: str, **_: Any) -> None:
    grant_runtime_role(using)


def connect_grants(app: AppConfig) -> None:
    """Grants follow every migration; called once, with any application that has models."""
    post_migrate.connect(_after_migrate, sender=app, dispatch_uid="src_app.grants")
