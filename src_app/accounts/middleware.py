"""What stands between a signed-in account and every page: the idle limit, and the second factor."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control

from src_app.accounts import second_factor
from src_app.accounts.guards import redirected, to_sign_in
from src_app.accounts.models import User

GetResponse = Callable[[HttpRequest], HttpResponse]

LAST_SEEN, FIRST_SEEN = "last_seen", "first_seen"
BACKGROUND_HEADER = "X-Background"
# Open to an account that has yet to set up its second factor.
BEFORE_SECOND_FACTOR = frozenset(
    {"account_logout", "account_reauthenticate", "accessibility", "session_stay"}
)


class IdleTimeoutMiddleware:
    """Signs out an account that has asked for nothing for ``settings.IDLE_TIMEOUT``.

    So it does one whose session is older than ``settings.SESSION_LIFETIME``, however busy it is.
    The times of its first and last request are kept in the session. A page that asks by itself says so with
    the header ``X-Background``: such requests end an idle session but never prolong one.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and (because := self._because(request)):
            logout(request)
            messages.info(request, f"{because} Sign in to go on.")
            if request.path != reverse("account_login"):
                return to_sign_in(request)
        response = self.get_response(request)
        if request.user.is_authenticated:
            # Stamped after the view, so that the request that signs in is the first.
            request.session.setdefault(FIRST_SEEN, time.time())
            if BACKGROUND_HEADER not in request.headers:
                request.session[LAST_SEEN] = time.time()
            # Shared desks: nothing of a signed-in page stays in the browser for the Back button.
            if not response.has_header("Cache-Control"):
                patch_cache_control(response, private=True, no_store=True)
        return response

    @staticmethod
    def _because(request: HttpRequest) -> str:
        """Why the session has ended, in a sentence; empty while it lasts."""
        now, idle, lifetime = time.time(), settings.IDLE_TIMEOUT, settings.SESSION_LIFETIME
        if now - request.session.get(LAST_SEEN, now) > idle.total_seconds():
            return f"You were signed out after {idle // timedelta(minutes=1)} minutes without activity."
        if now - request.session.get(FIRST_SEEN, now) > lifetime.total_seconds():
            return f"You were signed out after {lifetime // timedelta(hours=1)} hours."
        return ""


class SecondFactorMiddleware:
    """Lets a session in that has shown the second factor, where settings require it.

    An account without one is sent to set one up. Once it has one, a session that was opened with the password
    alone ends: it may be somebody else's.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: list[Any],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """A redirect to the set-up page, or None to go on."""
        if not settings.SECOND_FACTOR_REQUIRED or not isinstance(request.user, User):
            return None
        name = (request.resolver_match and request.resolver_match.url_name) or ""
        if second_factor.is_shown(request) or name == "account_logout":
            return None
        if second_factor.is_set_up(request.user):
            logout(request)
            messages.info(request, "Sign in again, with the code of your second factor.")
            return redirected(request, reverse("account_login"))
        if name.startswith("mfa_") or name in BEFORE_SECOND_FACTOR:
            return None
        return redirected(request, reverse("mfa_activate_totp"))
