"""Sign-ins, sign-outs, failures and changes of what one signs in with are audit rows too."""

from collections.abc import Mapping
from typing import Any

import structlog
from allauth.account.signals import authentication_step_completed, password_changed
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import Signal
from django.http import HttpRequest

from src_app.accounts.models import User
from src_app.audit.middleware import address_of, page_name
from src_app.audit.models import Action, Purpose
from src_app.audit.record import acting, record

log = structlog.get_logger()

# Whoever failed to show who they are is nobody yet: the row names the account they tried, not as its actor.
_OF_SOMEBODY: dict[Signal, Action] = {
    user_logged_in: Action.SIGNED_IN,
    user_logged_out: Action.SIGNED_OUT,
    password_changed: Action.PASSWORD_CHANGED,
    authenticator_added: Action.SECOND_FACTOR_SET,
    authenticator_reset: Action.SECOND_FACTOR_SET,
    authenticator_removed: Action.SECOND_FACTOR_REMOVED,
}


def _record(action: Action, request: HttpRequest, by: User | None, tried: str = "") -> None:
    with acting(
        f"page {page_name(request)}",
        by=by,
        address=address_of(request),
        request_id=request.META.get("src_app.request_id"),
    ):
        references = [tried] if tried else []
        record(action, by=by, purpose=Purpose.SECURITY, subject="account", references=references)


def _done(signal: Signal, request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if request is not None:
        _record(_OF_SOMEBODY[signal], request, user)


def _password_failed(request: HttpRequest | None, credentials: Mapping[str, Any], **_: Any) -> None:
    """A name that is no account's is not kept: people type passwords there."""
    if request is not None:
        known = User.objects.filter(username=User.objects.normalised(credentials.get("username", "")))
        _record(
            Action.SIGN_IN_FAILED, request, None, tried=known.values_list("username", flat=True).first() or ""
        )


def _code_failed(request: HttpRequest, user: User, **_: Any) -> None:
    _record(Action.SECOND_FACTOR_FAILED, request, None, tried=user.username)


def _factor_shown(user: User, method: str, **more: Any) -> None:
    """A line of the log for each: the audit row of a sign-in says that all were shown."""
    again = bool(more.get("reauthenticated"))
    log.info("factor shown", account=user.pk, factor=str(more.get("type", method)), again=again)


def connect() -> None:
    """These signals are the one place every way of signing in passes."""
    for signal, action in _OF_SOMEBODY.items():
        signal.connect(_done, dispatch_uid=f"audit.{action}")
    user_login_failed.connect(_password_failed, dispatch_uid="audit.sign_in_failed")
    authentication_step_completed.connect(_factor_shown, dispatch_uid="audit.factor_shown")
    authentication_failed.connect(_code_failed, dispatch_uid="audit.second_factor_failed")
