"""Brings a database of the demo up to this version of the code, once.

It migrates and loads the reference data and the sample postcodes. What it was prepared for is noted on the
database itself, so a second run is a question and an answer. In production these steps are taken by hand:
nobody wants a migration by surprise, nor the sample postcodes in place of the real ones. So a database that
holds tables and no such note is left alone.

``python -m local.demo.prepare COMMAND …`` does so and then becomes that command.
"""

import hashlib
import os
import sys

import psycopg2

from local.services.children import ROOT

_PATTERNS = (
    "requirements/serve.txt",
    "*/migrations/*.py",
    "src_app/*/migrations/*.py",
    "src_app/database.py",
    "*/data/*",
    "*/management/commands/load_*.py",
)
_PREPARED = "prepared"
# The number of an advisory lock: two processes that prepare one database take turns. The other numbers are in
# src_app/database.py, which is not imported: Django is loaded only when there is something to do.
_TURN = 7_203_112


class NotOurs(Exception):
    """The database was migrated by hand; the text says what to do."""


def prepare() -> None:
    """Prepare the database of DATABASE_OWNER_URL, if that is not done; raises `NotOurs`."""
    wanted = f"{_PREPARED} {_version_of_code()}"
    owner = psycopg2.connect(os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"])
    owner.autocommit = True
    name = owner.info.dbname
    with owner.cursor() as cursor:

        def note(text: str) -> None:
            quoted = psycopg2.extensions.quote_ident(name, cursor)
            cursor.execute(f"COMMENT ON DATABASE {quoted} IS %s", [text])

        cursor.execute("SELECT pg_advisory_lock(%s)", [_TURN])
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database'), "
            "EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public') "
            "FROM pg_database WHERE datname = current_database()"
        )
        noted, has_tables = cursor.fetchone() or ("", False)
        if noted != wanted:
            if has_tables and not (noted or "").startswith(_PREPARED):
                raise NotOurs(
                    f"The database {name} was not made by this script, so it is left alone. For a real "
                    "one set ENVIRONMENT=production; for a demo name an empty one, or --fresh."
                )
            # Before the first step, so that one broken off is known as ours.
            note(f"{_PREPARED} in part")
            _run_commands()
            note(wanted)
    owner.close()


def _version_of_code() -> str:
    """A checksum over everything that decides what a prepared database holds."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _PATTERNS for path in ROOT.glob(pattern)):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _run_commands() -> None:
    # Django is loaded only when there is something to do: it takes longer than the question.
    import django
    from django.core.management import call_command

    django.setup()
    # Standard output belongs to the command this is done for.
    call_command("migrate", database="owner", verbosity=0, stdout=sys.stderr)
    call_command("load_reference_data", stdout=sys.stderr)
    sample = ROOT / "referrals" / "data" / "postcodes_sample.csv"
    call_command("load_postcodes", str(sample), stdout=sys.stderr)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")
    try:
        prepare()
    except NotOurs as refusal:
        sys.stderr.write(f"{refusal}\n")
        sys.exit(2)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - what script/manage was asked for
