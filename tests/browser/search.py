"""Everything a running system keeps, as text: database, Redis, logs and mail."""

import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import psycopg2
import redis

from tests.browser.conftest import ROOT, System, own_environment

# Public reference data: which ward each postcode of the boroughs lies in, whoever lives there.
PUBLIC = {"referrals_postcode"}


def kept(system: System) -> Iterator[tuple[str, str]]:
    """Name and text of every place something is kept in."""
    where = addresses(system)
    yield from _tables(where["DATABASE_OWNER_URL"])
    yield from _redis(where["REDIS_URL"])
    for path in (system.directory / "log").iterdir():
        yield f"log {path.name}", path.read_text(errors="replace")
    for path in (system.directory / "mail" / "new").iterdir():
        yield f"mail {path.name}", mail_text(path)


def mail_text(path: Path) -> str:
    """A message as it was sent, and what it says, files that go with it too."""
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    parts = [str(part.get_content()) for part in message.walk() if not part.is_multipart()]
    return "\n".join([path.read_text(errors="replace"), *parts])


def addresses(system: System) -> dict[str, str]:
    """Where the system's database and Redis are, as its supervisor tells a second command."""
    shown = subprocess.run(
        [
            sys.executable,
            "-m",
            "local.services",
            "--directory",
            str(system.directory),
            "--",
            "env",
        ],
        env=own_environment(),
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)


def _tables(url: str) -> Iterator[tuple[str, str]]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            names = [name for (name,) in cursor.fetchall()]
            for name in names:
                if name in PUBLIC:
                    continue
                # Byte strings too: as the text they would be, where they are any.
                cursor.execute("SET bytea_output = 'escape'")
                cursor.execute(f'SELECT t::text FROM "{name}" t')
                yield f"table {name}", "\n".join(row for (row,) in cursor.fetchall())
    finally:
        connection.close()


def _redis(url: str) -> Iterator[tuple[str, str]]:
    for number in range(16):
        client = redis.Redis.from_url(url.partition("?")[0], db=number)
        for key in client.scan_iter():
            yield f"redis {number} {key!r}", repr(_value(client, key))
        client.close()


def _value(client: "redis.Redis", key: bytes) -> object:
    kind = client.type(key)
    if kind == b"string":
        return client.get(key)
    if kind == b"list":
        return client.lrange(key, 0, -1)
    if kind == b"hash":
        return client.hgetall(key)
    if kind == b"set":
        return client.smembers(key)
    return client.zrange(key, 0, -1)


def found_in(text: str, secrets: list[str]) -> list[str]:
    """Which of the secrets the text holds, with or without spaces, in any case."""
    folded = "".join(text.split()).upper()
    return [secret for secret in secrets if "".join(secret.split()).upper() in folded]


def mails_about(system: System, words: str) -> list[Path]:
    """The messages the mail catcher has accepted that hold the words: a referral's number, a digest."""
    kept = sorted((system.directory / "mail" / "new").iterdir())
    return [path for path in kept if words in mail_text(path)]
