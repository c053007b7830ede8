"""The scripts of the demo bring up their own database, and leave a real one alone."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg2
import pytest
from django.conf import settings
from psycopg2 import sql

NAME = "made_by_hand"


@pytest.fixture
def address(worker_id: str) -> Iterator[str]:
    """An empty database of the owner's, dropped again."""
    name = f"{NAME}_{worker_id}"
    server = psycopg2.connect(settings.DATABASE_OWNER_URL)
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    base, _, query = settings.DATABASE_OWNER_URL.partition("?")
    yield f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    with server.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    server.close()


def _prepare(address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.demo.prepare", "true"],
        env={**os.environ, "ENVIRONMENT": "demo", "DATABASE_OWNER_URL": address},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def _run(address: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


def test_a_database_migrated_by_hand_is_left_alone_and_the_reason_told(address: str) -> None:
    _run(address, "CREATE TABLE django_migrations (id int)")
    refused = _prepare(address)
    assert refused.returncode == 2
    assert "set ENVIRONMENT=production" in refused.stderr
    assert _run(address, TABLES) == [(1,)]


def test_one_whose_first_preparation_broke_off_is_known_as_its_own(address: str) -> None:
    _run(address, "CREATE TABLE django_content_type (id int)")
    name = address.partition("?")[0].rpartition("/")[2]
    _run(address, f"COMMENT ON DATABASE {name} IS 'prepared in part'")
    assert "left alone" not in _prepare(address).stderr
