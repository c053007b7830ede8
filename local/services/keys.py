"""Keys for the demo and the tests, made once for each directory. Production brings its own."""

import fcntl
import json
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

_FERNET_KEYS = ("EXTRACT_KEYS", "SECOND_FACTOR_KEYS", "TRIAL_SEAL_KEYS")


def missing_keys(directory: Path) -> dict[str, str]:
    """The keys the environment lacks, made once for each directory; none in production."""
    if os.environ.get("ENVIRONMENT", "production") == "production":
        return {}
    with open(directory / "keys.json", "a+", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        kept: dict[str, str] = json.loads(file.read() or "{}")
        keys = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "LINKING_KEY": secrets.token_urlsafe(32),
            **{name: Fernet.generate_key().decode() for name in _FERNET_KEYS},
            **kept,
        }
        if keys != kept:
            # None were made yet, or by an earlier version, which needed fewer.
            file.truncate(0)
            file.write(json.dumps(keys))
    return {name: value for name, value in keys.items() if not os.environ.get(name)}
