"""The plans of a page's own queries, as PostgreSQL carried them out."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

# What every page asks for, whatever it shows.
_OF_EVERY_PAGE = ("django_session", "INSERT INTO", "UPDATE ", "SAVEPOINT", "RELEASE")


def plans_of(queries: Sequence[tuple[str, Any]]) -> list[dict[str, Any]]:
    """``EXPLAIN (ANALYZE, BUFFERS)`` of those that read what the page shows."""
    found = []
    with connection.cursor() as cursor:
        for statement, parameters in queries:
            if any(part in statement for part in _OF_EVERY_PAGE):
                continue
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", parameters)
            found.append({"statement": statement, "plan": [line for (line,) in cursor.fetchall()]})
    return found
