"""The second factor: its encrypted secrets, and whether a session has shown it."""

from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_used
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest

from src_app.accounts.models import User
from src_app.keys import decrypt_second_factor, encrypt_second_factor

_SHOWN = "second_factor_shown"


class EncryptingAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets of second factors under a key that is not in the database."""

    def encrypt(self, text: str) -> str:
        """As :func:`src_app.keys.encrypt_second_factor`."""
        return encrypt_second_factor(text)

    def decrypt(self, encrypted_text: str) -> str:
        """As :func:`src_app.keys.decrypt_second_factor`."""
        return decrypt_second_factor(encrypted_text)


def is_shown(request: HttpRequest) -> bool:
    """Whether this session signed in with the second factor, or set it up itself."""
    return request.session.get(_SHOWN) is True


def is_set_up(user: User) -> bool:
    """Whether the account has a second factor; recovery codes alone are none."""
    return bool(is_mfa_enabled(user, [Authenticator.Type.TOTP]))


def _used(request: HttpRequest, *, reauthenticated: bool = False, **_: Any) -> None:
    request.session[_SHOWN] = True
    if reauthenticated:
        request.session.cycle_key()  # as signing in does


def _added(request: HttpRequest, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        request.session[_SHOWN] = True


def _removed(request: HttpRequest, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        request.session.pop(_SHOWN, None)


def connect() -> None:
    """allauth's signals are the one place every way of showing a second factor passes."""
    authenticator_used.connect(_used, dispatch_uid="second_factor.used")
    authenticator_added.connect(_added, dispatch_uid="second_factor.added")
    authenticator_removed.connect(_removed, dispatch_uid="second_factor.removed")
