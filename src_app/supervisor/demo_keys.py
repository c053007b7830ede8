"""Keys for the demo and the tests, made once for each directory. Production brings its own."""

import json
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

_FERNET_KEYS = ("EXTRACT_KEYS", "SECOND_FACTOR_KEYS", "TRIAL_SEAL_KEYS")


def missing_keys(directory: Path) -> dict[str, str]:
    """The keys the environment lacks, made once for each directory; none in production."""
    if os.environ.get("ENVIRONMENT", "production") == "production":
        return {}
    path = directory / "keys.json"
    made = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "LINKING_KEY": secrets.token_urlsafe(32),
        **{name: Fernet.generate_key().decode() for name in _FERNET_KEYS},
    }
    if not path.exists():
        write_private(path, json.dumps(made), replace=False)
    keys: dict[str, str] = json.loads(path.read_text())
    if made.keys() - keys.keys():
        # Made by an earlier version, which needed fewer.
        keys = made | keys
        write_private(path, json.dumps(keys))
    return {name: value for name, value in keys.items() if not os.environ.get(name)}


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a file only its owner reads, whole or not at all; the first stays if not `replace`."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with open(descriptor, "w") as file:
        file.write(text)
    if replace:
        os.replace(temporary, path)
        return
    with suppress(FileExistsError):
        os.link(temporary, path)
    os.unlink(temporary)
