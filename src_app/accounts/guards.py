"""Who may call a view or an action."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from src_app.accounts.models import User
from src_app.accounts.roles import Permission


class SignedInRequest(HttpRequest):
    """A request whose user is known; what a guarded view is given."""

    user: User


class NotAllowed(PermissionDenied):
    """This account's role does not hold the permission an action asks for."""


View = Callable[..., HttpResponseBase]


def requires(permission: Permission | None = None) -> Callable[[View], View]:
    """Guards a view: sign-in first, then the permission (``None``: any signed-in account)."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if permission is not None and not request.user.can(permission):
                raise NotAllowed
            return view(cast(SignedInRequest, request), *args, **kwargs)

        return guarded

    return guard


def check_authority(by: User, permission: Permission) -> None:
    """Raises :class:`NotAllowed` unless the account holds the permission; every action asks first."""
    if not by.can(permission):
        raise NotAllowed
