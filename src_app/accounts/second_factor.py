"""The second factor: its encrypted secrets, its codes, and whether a session has shown it."""

import base64
import secrets
import time
from contextlib import suppress
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_used
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.utils import is_mfa_enabled
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest

from src_app.accounts.models import User
from src_app.keys import WrongKey, decrypt_second_factor, encrypt_second_factor

_SHOWN = "second_factor_shown"
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# Seconds that an app shows a code, and what says in a factor's data which of them was used last.
_STEP = 30
_USED_STEP = "used_step"


class EncryptingAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets of second factors under a key that is not in the database."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is wrong, or was used before. Enter the next one that your app shows.",
        "incorrect_passkey": "This passkey was not recognised. Try again, or use another way.",
    }

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """This system as a device shows it beside a passkey."""
        return {**super().get_public_key_credential_rp_entity(), "name": settings.MFA_TOTP_ISSUER}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """What a device keeps with a passkey, and perhaps copies elsewhere: the user name and no other."""
        return {**super().get_public_key_credential_user_entity(user), "display_name": user.username}

    def encrypt(self, text: str) -> str:
        """As :func:`src_app.keys.encrypt_second_factor`."""
        return encrypt_second_factor(text)

    def decrypt(self, encrypted_text: str) -> str:
        """As :func:`src_app.keys.decrypt_second_factor`."""
        return decrypt_second_factor(encrypted_text)


def offered_secret(session: SessionBase, *, anew: bool) -> str:
    """The secret of the app that is being set up, which the session keeps encrypted until it is."""
    if not anew:
        with suppress(WrongKey):
            return decrypt_second_factor(session.get(SECRET_SESSION_KEY, ""))
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    session[SECRET_SESSION_KEY] = encrypt_second_factor(secret)
    return secret


@transaction.atomic
def use_code(user: User, code: str) -> Authenticator | None:
    """The account's factor that the code belongs to, None where it is of none or was used: it opens once."""
    # The app's first: that is the order of the types backwards.
    factors = Authenticator.objects.select_for_update().filter(user=user).order_by("-type")
    for factor in factors:
        if factor.type == Authenticator.Type.TOTP and _use_step(factor, code):
            return factor
        if factor.type == Authenticator.Type.RECOVERY_CODES and factor.wrap().validate_code(code):
            return factor
    return None


def _use_step(factor: Authenticator, code: str) -> bool:
    """Whether the app's code is right, and later than the last one used; from then on that is this one."""
    step = step_of(decrypt_second_factor(factor.data["secret"]), code)
    if step is None or step <= factor.data.get(_USED_STEP, 0):
        return False
    factor.data[_USED_STEP] = step
    factor.save(update_fields=["data"])
    return True


def step_of(secret: str, code: str) -> int | None:
    """Which half minute since 1970 has that code: this one or the one before it, else None.

    A code is often typed as the next appears. That one is taken by nobody before its time, so the clock of
    the telephone may be late by half a minute and not early.
    """
    now = int(time.time()) // _STEP
    # As every app has it, by RFC 6238.
    app = TOTP(base64.b32decode(secret), 6, SHA1(), _STEP, enforce_key_length=False)  # noqa: S303
    typed = "".join(sign for sign in code if sign.isalnum()).encode()
    return next((step for step in (now, now - 1) if bytes_eq(app.generate(step * _STEP), typed)), None)


def is_shown(request: HttpRequest) -> bool:
    """Whether this session signed in with the second factor, or set it up itself."""
    return request.session.get(_SHOWN) is True


def is_set_up(user: User) -> bool:
    """Whether the account has a second factor; recovery codes alone are none."""
    return bool(is_mfa_enabled(user, FACTORS))


def _used(request: HttpRequest, *, reauthenticated: bool = False, **_: Any) -> None:
    request.session[_SHOWN] = True
    if reauthenticated:
        request.session.cycle_key()  # as signing in does


def _added(request: HttpRequest, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type in FACTORS:
        request.session[_SHOWN] = True
        request.session.cycle_key()  # it may do more from now on


def _removed(request: HttpRequest, authenticator: Authenticator, **_: Any) -> None:
    if not is_set_up(authenticator.user):
        request.session.pop(_SHOWN, None)


def connect() -> None:
    """allauth's signals are the one place every way of showing a second factor passes."""
    authenticator_used.connect(_used, dispatch_uid="second_factor.used")
    authenticator_added.connect(_added, dispatch_uid="second_factor.added")
    authenticator_removed.connect(_removed, dispatch_uid="second_factor.removed")
