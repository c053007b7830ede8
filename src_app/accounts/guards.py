"""Who may call a view or an action."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from src_app.accounts import kept_forms
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.addresses import parts_of

SIGNED_OUT = "You were signed out."


class SignedInRequest(HttpRequest):
    """A request whose user is known; what a guarded view is given."""

    user: User


class NotAllowed(PermissionDenied):
    """This account's role does not hold the permission an action asks for."""


def redirected(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect of the whole page, also where htmx asked for a part of it."""
    return HttpResponseClientRedirect(url) if "HX-Request" in request.headers else redirect(url)


def to_sign_in(request: HttpRequest, because: str = "") -> HttpResponse:
    """Sign-in, which leads back to the page: never to the address of a form or of a part of a page.

    A form that the request brings is kept by the browser, and the page says so: see ``kept_forms``.
    ``because`` is the sentence that says why.
    """
    form = kept_forms.received(request)
    if form is not None:
        return shown_again(
            request,
            form,
            to=redirect_to_login(form.page).url,
            said=f"{because or SIGNED_OUT} Nothing was saved yet. "
            "Sign in, and the form stands as you left it.",
        )
    if "HX-Request" in request.headers:
        page = parts_of(request.headers.get("HX-Current-URL", ""))
        back = f"{page.path or '/'}?{page.query}".rstrip("?") if page else reverse("home")
    else:
        back = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("home")
    if because:
        messages.info(request, f"{because} Sign in to go on.")
    response = redirected(request, redirect_to_login(back).url)
    if kept_forms.is_sign_out(request):
        kept_forms.forget(response)
    return response


def shown_again(request: HttpRequest, form: kept_forms.KeptForm, *, to: str, said: str) -> HttpResponse:
    """Leads to the address ``to`` while the browser keeps the form; ``said`` is what the next page tells.

    Texts as long as they may be are never too long to be kept. Thousands of ticks are: then that is told.
    """
    response = redirected(request, to)
    before = kept_forms.kept(request)
    if before is not None and before.account == form.account and before.action != form.action:
        lost = kept_forms.page_in_words(before)
        said += f" One form is kept at a time: the one you had left before it, “{lost}”, is lost."
    if not kept_forms.keep(form, response):
        said = f"{SIGNED_OUT} Nothing was saved, and the form is too long to be kept: fill it in again."
    messages.info(request, said)
    return response


View = Callable[..., HttpResponseBase]


def requires(permission: Permission | None = None) -> Callable[[View], View]:
    """Guards a view: sign-in first, then the permission (``None``: any signed-in account)."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            if permission is not None and not request.user.can(permission):
                raise NotAllowed
            return view(cast(SignedInRequest, request), *args, **kwargs)

        return guarded

    return guard


def check_authority(by: User, permission: Permission) -> None:
    """Raises :class:`NotAllowed` unless the account holds the permission; every action asks first."""
    if not by.can(permission):
        raise NotAllowed
