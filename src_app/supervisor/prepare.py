"""Brings a database of the demo or the tests up to this version of the code, once.

``python -m src_app.supervisor.prepare`` migrates and loads the reference data and the sample postcodes. What
it was prepared for is noted on the database itself, so a second run is a question and an answer. In
production these steps are taken by hand: nobody wants a migration by surprise, nor the sample postcodes in
place of the real ones. So a database that holds tables and no such note is left alone.
"""

import hashlib
import os
import sys
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class named in lower case

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_POSTCODES = ROOT / "referrals" / "data" / "postcodes_sample.csv"
_PATTERNS = (
    "requirements/serve.txt",
    "*/migrations/*.py",
    "src_app/*/migrations/*.py",
    "src_app/database.py",
    "*/data/*",
    "*/management/commands/load_*.py",
)
_PREPARED = "prepared"
# Any number, the same in every process: two that prepare one database take turns.
_TURN = 7_203_112


class NotOurs(Exception):
    """The database was migrated by hand; the text says what to do."""


def version_of_code() -> str:
    """A checksum over everything that decides what a prepared database holds."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _PATTERNS for path in ROOT.glob(pattern)):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return f"{_PREPARED} {digest.hexdigest()}"


def prepare() -> bool:
    """Prepare the database of DATABASE_OWNER_URL; returns whether there was anything to do.

    Raises :class:`NotOurs`.
    """
    wanted = version_of_code()
    owner = psycopg2.connect(os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"])
    try:
        owner.autocommit = True
        with owner.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_TURN])
        noted = _noted(owner)
        if noted == wanted:
            return False
        if not (noted or "").startswith(_PREPARED) and _has_tables(owner):
            raise NotOurs(
                f"The database {owner.info.dbname} was not made by this script, so it is left alone. "
                "For a real one set ENVIRONMENT=production; for a demo name an empty one, or --fresh."
            )
        # Before the first step, so that one broken off is known as ours.
        _note(owner, f"{_PREPARED} in part")
        _run_commands()
        _note(owner, wanted)
    finally:
        owner.close()
    return True


def _noted(owner: Connection) -> str | None:
    with owner.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _note(owner: Connection, text: str) -> None:
    with owner.cursor() as cursor:
        name = psycopg2.extensions.quote_ident(owner.info.dbname, cursor)
        cursor.execute(f"COMMENT ON DATABASE {name} IS %s", [text])


def _has_tables(owner: Connection) -> bool:
    with owner.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public')")
        row = cursor.fetchone()
    return bool(row and row[0])


def _run_commands() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")
    # Django is loaded only when there is something to do: it takes longer than the question.
    import django
    from django.core.management import call_command

    django.setup()
    # Standard output belongs to the command this is done for.
    call_command("migrate", database="owner", verbosity=0, stdout=sys.stderr)
    call_command("load_reference_data", stdout=sys.stderr)
    call_command("load_postcodes", str(SAMPLE_POSTCODES), stdout=sys.stderr)


if __name__ == "__main__":
    try:
        prepare()
    except NotOurs as refusal:
        sys.stderr.write(f"{refusal}\n")
        sys.exit(2)
