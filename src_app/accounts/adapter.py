"""Sign-in through allauth: accounts are made by an administrator; nobody signs in by e-mail."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from src_app.accounts.models import User
from src_app.addresses import parts_of


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-in without sign-up. ``src_app.audit.sign_in`` records who signed in, out, or failed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody may sign up: an administrator makes accounts."""
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What failed sign-ins are counted by: the account tried, and nothing that the caller may choose."""
        return User.objects.normalised(credentials.get("username", ""))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises ValidationError after too many failures; the refusal is a failed sign-in as any other."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            tried = {"username": credentials.get("username", "")}
            user_login_failed.send(__name__, credentials=tried, request=request)
            raise

    def is_safe_url(self, url: str) -> bool:
        """Whether ``next`` may lead there: neither what cannot be read nor the name of a page leads on."""
        parts = parts_of(url)
        is_address = parts is not None and (bool(parts.netloc) or parts.path.startswith("/"))
        return is_address and bool(super().is_safe_url(url))

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """The ways to show once more who one is; a passkey is called so on every page."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [
            {**way, "description": "Use a passkey"} if way["id"].endswith("webauthn") else way for way in ways
        ]

    def set_password(self, user: User, password: str) -> None:
        """In a transaction, so that it is known whether it was saved: see ``src_app.commits``."""
        with transaction.atomic():
            super().set_password(user, password)
