"""Sign-in through allauth: accounts are made by an administrator; nobody signs in by e-mail."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone

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

    def pre_login(self, request: HttpRequest, user: User, **login: Any) -> HttpResponse | None:
        """A way back where a first password holds no more; None to go on."""
        until = user.first_password_until
        if until is not None and until < timezone.now():
            clear_login(request)
            messages.error(request, "This first password is too old. Ask your administrator to reset it.")
            return redirect("account_login")
        response: HttpResponse | None = super().pre_login(request, user, **login)
        return response

    def clean_password(self, password: str, user: User | None = None) -> str:
        """The password as it is; raises ValidationError, also where it is the first one once more."""
        if user is not None and user.first_password_until and user.check_password(password):
            raise ValidationError("Choose a password that nobody else has seen.", code="first_password")
        checked: str = super().clean_password(password, user)
        return checked

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """On to their work."""
        return resolve_url(settings.LOGIN_REDIRECT_URL)

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
        """In a transaction, so that it is known whether it was saved: see ``src_app.commits``.

        Nothing is saved of an account that was closed, or got another password, since the page was asked for.
        """
        with transaction.atomic():
            now = User.objects.select_for_update(no_key=True).get(pk=user.pk)
            is_as_read = now.is_active and now.password == user.password
            if is_as_read:
                user.set_password(password)
                user.first_password_until = None
                user.save(update_fields=["password", "first_password_until"])
        if not is_as_read:
            logout(self.request)
            messages.error(
                self.request,
                "Your password was not changed: an administrator closed your account or reset your sign-in. "
                "Ask your administrator.",
            )
            raise ImmediateHttpResponse(redirect("account_login"))
