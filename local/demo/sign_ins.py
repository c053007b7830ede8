"""The demo's sign-ins, one for each role."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from src_app.accounts.roles import Role

PEOPLE = (
    ("hcop", "HCOP, South West", Role.HCOP),
    ("officer", "PCSO 7114SW", Role.OFFICER),
    ("supervisor", "Inspector, Wandsworth", Role.SUPERVISOR),
    ("triallead", "Trial lead", Role.TRIAL_LEAD),
    ("leader", "Chief Superintendent", Role.LEADER),
    ("auditor", "Information governance", Role.AUDITOR),
    ("admin", "System administrator", Role.ADMINISTRATOR),
)


@dataclass(frozen=True)
class SignIn:
    """An account with its password in clear: it opens nothing but a demo."""

    username: str
    password: str
    role: Role


def sign_ins(secret_key: str) -> list[SignIn]:
    """All of them, as they are where this is the SECRET_KEY.

    Passwords are the same at every start of one installation and kept nowhere: they are derived from the key.
    """
    return [SignIn(username, _password(secret_key, username), role) for username, _, role in PEOPLE]


def _password(secret_key: str, username: str) -> str:
    digest = hmac.new(secret_key.encode(), f"demo {username}".encode(), hashlib.sha256)
    return base64.b32encode(digest.digest()[:10]).decode().lower()
