"""What stands between an account and every page: idle limit, second factor, and forms not saved yet."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_cache_control

from src_app.accounts import kept_forms, second_factor
from src_app.accounts.guards import redirected, to_sign_in
from src_app.accounts.models import User
from src_app.addresses import parts_of
from src_app.busy import NothingSaved
from src_app.filled_forms import fill

GetResponse = Callable[[HttpRequest], HttpResponse]

LAST_SEEN, FIRST_SEEN = "last_seen", "first_seen"
BACKGROUND_HEADER = "X-Background"
_VIEWED = "src_app.viewed"
# Led on, or refused. A form given back is known by its mark; behind another error page it may be saved.
_SETTLED = frozenset({302, 303, *range(400, 500)})
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
            if request.path != reverse("account_login"):
                return to_sign_in(request, because)
            messages.info(request, f"{because} Sign in to go on.")
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


class FirstPasswordMiddleware:
    """Leads to the page for another password, as long as the one is known to whoever handed it over."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """A redirect to that page, or None to go on."""
        if not isinstance(request.user, User) or request.user.first_password_until is None:
            return None
        name = (request.resolver_match and request.resolver_match.url_name) or ""
        if name.startswith("mfa_") or name in (*BEFORE_SECOND_FACTOR, "account_change_password"):
            return None
        messages.info(request, "Choose a password of your own before you go on.")
        return redirected(request, reverse("account_change_password"))


class KeptFormMiddleware:
    """Shows a form that was not saved once more, to the account that typed it, until it is saved."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        response = self.get_response(request)
        if kept_forms.is_sign_out(request):
            kept_forms.forget(response)
        elif isinstance(user, User):
            response = self._settle(request, user, response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> None:
        """Notes that the view itself answers: the token of a form was found right before this."""
        request.META[_VIEWED] = True

    def _settle(self, request: HttpRequest, user: User, response: HttpResponse) -> HttpResponse:
        account = kept_forms.account_of(user)
        form = kept_forms.kept(request)
        if kept_forms.COOKIE in request.COOKIES and (form is None or form.account != account):
            kept_forms.forget(response)
            form = None
        if request.method == "POST" and _VIEWED in request.META:
            mark = kept_forms.mark_of(request)
            is_done = response.status_code < 400 and not _is_refused(request)
            is_settled = response.status_code in _SETTLED or isinstance(response, NothingSaved)
            if mark is not None and mark.account == account and is_settled:
                kept_forms.say_answered(request, response, mark, saved=is_done)
            # What is not saved now is on the page once more, with what is wrong with it.
            if form is not None and form.action == request.path and is_done:
                kept_forms.forget(response)
        elif _is_of_a_page(request) and form is not None:
            return _show_again(request, response, form)
        return response


def _is_of_a_page(request: HttpRequest) -> bool:
    """Whether a page was read, and the view itself answered: not the second factor's guard in its place."""
    return request.method == "GET" and _VIEWED in request.META and "HX-Request" not in request.headers


def _is_refused(request: HttpRequest) -> bool:
    """Whether the view says by a message that it did not do what was asked."""
    # The messages to come, unread: reading them would take them from the page that shows them.
    queued = getattr(messages.get_messages(request), "_queued_messages", [])
    return any(message.level >= messages.ERROR for message in queued)


def _show_again(request: HttpRequest, response: HttpResponse, form: kept_forms.KeptForm) -> HttpResponse:
    """The page with the form as it was left; where it has no such form any more, what was typed by itself."""
    page = parts_of(form.page)
    if page is None or page.path != request.path or response.status_code >= 500:
        return response
    filled = None
    is_page = response.status_code == 200 and response.get("Content-Type", "").startswith("text/html")
    if is_page and not response.streaming:
        filled = fill(
            response.content.decode(),
            path=request.path,
            action=form.action,
            mark=kept_forms.FIELD,
            fields=form.fields,
            notice=render_to_string("partials/_kept_form.html", {"dropped": form.action}, request),
        )
    if filled is None:
        context = {"fields": kept_forms.typed(form), "dropped": form.action}
        return render(request, "kept_form_alone.html", context)
    response.content = filled.encode()
    return response
