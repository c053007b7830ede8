"""Forms of allauth's pages that are ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms

from src_app.accounts import second_factor
from src_app.accounts.models import User


@contextmanager
def _counted(user: User) -> Iterator[None]:
    """Counts a failure of the account and of the address, and takes that one back where nothing is raised.

    allauth's own forms take back all of them: whoever had an account could guess at others without end.
    Raises ValidationError after too many failures.
    """
    counted = ratelimit.consume(
        context.request, app="allauth.account", action="login_failed", key=f"mfa-auth-user-{user.pk}"
    )
    if not counted:
        raise get_account_adapter().validation_error("too_many_login_attempts")
    yield
    counted.rollback()


class _Code:
    """A code of the app, or a recovery code."""

    user: User
    cleaned_data: dict[str, Any]
    authenticator: Authenticator | None
    _emit_authentication_failed: Callable[[None], None]

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        with _counted(self.user):
            self.authenticator = second_factor.use_code(self.user, code)
            if self.authenticator is None:
                self._emit_authentication_failed(None)
                raise get_adapter().validation_error("incorrect_code")
        return code


class SignInCodeForm(_Code, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The second step of signing in."""


class CodeOnceMoreForm(_Code, ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    """Who is signed in shows the second factor once more."""


class SetUpCodeForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth has no types
    """The first code of an app that is being set up."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        # Past allauth's own, which puts the secret into the session as it is.
        super(ActivateTOTPForm, self).__init__(*args, **kwargs)
        self.user = user
        self.secret = second_factor.offered_secret(context.request.session, anew=not self.is_bound)

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        with _counted(self.user):
            if second_factor.step_of(self.secret, code) is None:
                raise get_adapter().validation_error("incorrect_code")
        return code


class NoSecurityKeyForm(forms.Form):
    """Nobody has a security key here; allauth would read one all the same, from JSON without a limit."""

    def __init__(self, *, user: User, data: Any = None) -> None:
        super().__init__(data)

    def clean(self) -> dict[str, Any]:
        raise forms.ValidationError("Enter the code of your second factor.")
