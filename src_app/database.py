"""The two database roles, and the tables nothing may be changed in.

The owner migrates. The runtime role serves pages and tasks, and may only add to an append-only table. The
grants are the first guard and the triggers the second: a role that lacks the right can neither disable a
trigger nor TRUNCATE.
"""

from typing import Any

import pghistory
import pgtrigger
from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connections, models
from django.db.models.signals import post_migrate
from environ import Env
from psycopg2 import sql


class AppendOnly(models.Model):
    """A table of what happened. A mistake is put right by a withdrawing row."""

    class Meta:
        abstract = True
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


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
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT current_user, EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role])
        current_user, exists = cursor.fetchone()
        if current_user == role or not exists:
            return
        grants = (
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
        )
        for statement in grants:
            cursor.execute(sql.SQL(statement).format(role=sql.Identifier(role)))
        for table in append_only_tables():
            cursor.execute(
                sql.SQL("REVOKE UPDATE, DELETE ON {table} FROM {role}").format(
                    table=sql.Identifier(table), role=sql.Identifier(role)
                )
            )


def _after_migrate(using: str, **_: Any) -> None:
    grant_runtime_role(using)


def connect_grants(app: AppConfig) -> None:
    """Grants follow every migration; called once, with any application that has models."""
    post_migrate.connect(_after_migrate, sender=app, dispatch_uid="src_app.grants")
