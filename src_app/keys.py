"""What is done with the keys that live outside the database."""

import base64
import hmac
import re
from collections.abc import Collection
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

from src_app.scrubbing import plain

LINKED = ("incident", "victim")


def linking_hash(kind: str, value: str) -> str:
    """The keyed hash (64 hex digits) under which an incident or victim key is kept, for linking alone.

    ``kind`` separates the domains, so that an incident and a victim of the same key do not meet. Spaces and
    case are folded; an empty value gives an empty hash, which links nothing.
    """
    folded = "".join(value.split()).upper()
    if not folded:
        return ""
    message = f"{kind}\x1f{folded}".encode()
    return hmac.digest(settings.LINKING_KEY.encode(), message, "sha256").hex()


def names_key(text: str, hashes: Collection[str]) -> bool:
    """Whether up to five words of the text are the key of an incident or victim with one of these hashes.

    The words are compared as they stand and with no sign, a hyphen or a slash between their parts, since the
    hash does not tell how the key was written. A key that is parted in another way, or in part, is not found.
    """
    words = [_AROUND.sub("", part) or part for part in _PARTS.split(plain(text)) if part]
    runs = [words[first:last] for first in range(len(words)) for last in range(first + 1, first + 6)]
    named = {"".join(run) for run in runs}
    named |= {_SIGNS.sub(sign, " ".join(run)) for run in runs for sign in ("", "-", "/")}
    return any(linking_hash(kind, run) in hashes for kind in LINKED for run in named if run)


_PARTS = re.compile(r"[\s,;:()\[\]]+")
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_SIGNS = re.compile(r"[\W_]+")


class WrongKey(Exception):
    """No configured key opens this; the key that sealed it is lost or missing from the settings."""


def _fernets(keys: list[str]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key.encode()) for key in keys])
    except ValueError as error:
        raise WrongKey("A configured key is missing or malformed.") from error


def encrypt_extract(content: bytes) -> bytes:
    """An uploaded extract, encrypted for the hours it waits for confirmation."""
    return _fernets(settings.EXTRACT_KEYS).encrypt(content)


def decrypt_extract(token: bytes) -> bytes:
    """The extract's bytes; raises :class:`WrongKey`."""
    return _open(settings.EXTRACT_KEYS, token)


def encrypt_second_factor(secret: str) -> str:
    """The secret of a second factor or of recovery codes, as it is kept in the database."""
    return _fernets(settings.SECOND_FACTOR_KEYS).encrypt(secret.encode()).decode()


def decrypt_second_factor(token: str) -> str:
    """That secret; raises :class:`WrongKey`."""
    return _open(settings.SECOND_FACTOR_KEYS, token.encode()).decode()


def derived_key(purpose: str, value: str = "") -> bytes:
    """32 bytes of ``SECRET_KEY`` for one purpose: what is kept under them is lost when that key changes."""
    return salted_hmac(f"src_app.keys.{purpose}", value, algorithm="sha256").digest()


def _derived(purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key(purpose)))


def encrypt_kept_form(content: bytes) -> str:
    """A form that was not saved, for the browser to keep: it cannot read it, nor change it."""
    return _derived("kept_forms").encrypt(content).decode()


def decrypt_kept_form(token: str, kept_for: timedelta) -> bytes:
    """That form; raises :class:`WrongKey` where it is older than ``kept_for``, or not of our making."""
    return _decrypt_derived("kept_forms", token, kept_for)


def encrypt_first_passwords(content: bytes) -> str:
    """First passwords, for the moment until the next page shows them."""
    return _derived("first_passwords").encrypt(content).decode()


def decrypt_first_passwords(token: str, kept_for: timedelta) -> bytes:
    """Those passwords; raises :class:`WrongKey` where they are older than ``kept_for``."""
    return _decrypt_derived("first_passwords", token, kept_for)


def _decrypt_derived(purpose: str, token: str, kept_for: timedelta) -> bytes:
    try:
        return _derived(purpose).decrypt(token.encode(), ttl=int(kept_for.total_seconds()))
    except InvalidToken as error:
        raise WrongKey("This was not kept here, or it is too old.") from error


def seal_seed(seed: bytes) -> bytes:
    """A trial's seed, encrypted under the first of ``TRIAL_SEAL_KEYS``; raises :class:`WrongKey`."""
    return _fernets(settings.TRIAL_SEAL_KEYS).encrypt(seed)


def open_seed(token: bytes | memoryview | None) -> bytes:
    """The seed (32 bytes), for the length of one allocation; raises :class:`WrongKey`."""
    return _open(settings.TRIAL_SEAL_KEYS, bytes(token or b""))


def _open(keys: list[str], token: bytes) -> bytes:
    try:
        return _fernets(keys).decrypt(bytes(token))
    except InvalidToken as error:
        raise WrongKey("None of the configured keys opens this.") from error
