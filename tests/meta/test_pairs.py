"""Paired columns, ``x_at`` and ``x_by``, carry a check in the database that both are set or neither."""

from typing import Any

import pghistory.models
import pytest
from django.apps import apps
from django.db import connection

APPS = {"accounts", "audit", "health", "referrals", "outcomes"}


def _pairs() -> list[tuple[Any, str, str]]:
    found = []
    for model in apps.get_models():
        if model._meta.app_label not in APPS or issubclass(model, pghistory.models.Event):
            continue
        fields = {field.name: field for field in model._meta.concrete_fields}
        for name, field in fields.items():
            other = fields.get(f"{name.removesuffix('_at')}_by") if name.endswith("_at") else None
            if other is not None:
                found.append((model, str(field.column), str(other.column)))
    return found


def _nullable(model: Any, *columns: str) -> bool:
    return any(field.null for field in model._meta.concrete_fields if field.column in columns)


PAIRS = _pairs()
OPTIONAL = [pair for pair in PAIRS if _nullable(*pair)]


def test_there_are_pairs() -> None:
    assert len(PAIRS) >= 10
    assert len(OPTIONAL) >= 6


def _passes(table: str, at: str, by: str, *, at_set: bool, by_set: bool) -> bool:
    """Whether every check that speaks of these two columns, and of no other, lets such a row pass.

    PostgreSQL itself evaluates each check's own text over one made-up row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_get_expr(conbin, conrelid)
            FROM pg_constraint
            WHERE contype = 'c' AND conrelid = %s::regclass
              AND conkey <@ ARRAY(
                SELECT attnum FROM pg_attribute WHERE attrelid = %s::regclass AND attname IN (%s, %s)
              )
            """,
            [table, table, at, by],
        )
        for (check,) in cursor.fetchall():
            cursor.execute(
                f"SELECT {check} FROM "
                f"(SELECT CASE WHEN %s THEN now() END AS {at}, CASE WHEN %s THEN 1 END AS {by}) AS made_up",
                [at_set, by_set],
            )
            if cursor.fetchone()[0] is False:
                return False
    return True


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "at", "by"), OPTIONAL, ids=lambda part: getattr(part, "__name__", part))
def test_both_are_set_or_neither(model: Any, at: str, by: str) -> None:
    table = model._meta.db_table
    assert _passes(table, at, by, at_set=True, by_set=True)
    assert _passes(table, at, by, at_set=False, by_set=False)
    assert not _passes(table, at, by, at_set=True, by_set=False)
    assert not _passes(table, at, by, at_set=False, by_set=True)
