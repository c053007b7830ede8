"""Sign-ins, sign-outs and failures are audit rows too."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from src_app.accounts.models import User
from src_app.audit.middleware import address_of, page_name
from src_app.audit.models import Action, Purpose
from src_app.audit.record import acting, record


def _record(action: Action, request: HttpRequest | None, user: User | None) -> None:
    if request is None:
        return
    with acting(
        f"page {page_name(request)}",
        by=user,
        address=address_of(request),
        request_id=request.META.get("src_app.request_id"),
    ):
        record(action, by=user, purpose=Purpose.SECURITY, subject="account")


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    _record(Action.SIGNED_IN, request, user)


def _signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    _record(Action.SIGNED_OUT, request, user)


def _failed(request: HttpRequest | None = None, **_: Any) -> None:
    _record(Action.SIGN_IN_FAILED, request, None)


def connect() -> None:
    """Django's sign-in signals are the one place every way of signing in passes."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit.signed_in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit.signed_out")
    user_login_failed.connect(_failed, dispatch_uid="audit.sign_in_failed")
