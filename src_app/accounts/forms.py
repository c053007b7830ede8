"""Forms of allauth's pages that are ours."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.forms import ChangePasswordForm
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import UnsupportedAlgorithm
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


class OwnPasswordForm(ChangePasswordForm):  # type: ignore[misc]  # allauth has no types
    """Another password, in place of the one before or of the one that was handed over."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_first = self.user.first_password_until is not None
        self.fields["oldpassword"].label = "The password you were given" if is_first else "Current password"
        self.fields["password1"].label = "New password"
        self.fields["password2"].label = "New password once more"


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


# What a browser says of a passkey, in signs. With a certificate of its maker it is a few thousand.
_LONGEST = 20_000
# What the libraries that read it come upon where it is not what they expect.
_UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    UnsupportedAlgorithm,
    ValueError,
    struct.error,
)


class _CredentialField(forms.JSONField):
    """What a browser says of a passkey: numbers, and bytes in base64, so letters that need no escape."""

    widget = forms.HiddenInput
    default_error_messages = {"required": second_factor.EncryptingAdapter.error_messages["incorrect_passkey"]}

    def to_python(self, value: Any) -> Any:
        said = str(value or "")
        if len(said) > _LONGEST or not said.isascii() or "\\" in said:
            raise get_adapter().validation_error("incorrect_passkey")
        with _readable():
            return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> None:
        """Nothing: the page never gives it back."""


@contextmanager
def _readable() -> Iterator[None]:
    """Raises ValidationError for what is no passkey, however a library says so."""
    try:
        yield
    except forms.ValidationError as error:
        raise get_adapter().validation_error("incorrect_passkey") from error
    except _UNREADABLE as error:
        raise get_adapter().validation_error("incorrect_passkey") from error


class SetUpPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """A passkey that the browser has just made. Nobody types a name for it: its dates tell it from others."""

    name = None
    credential = _CredentialField()

    def clean(self) -> dict[str, Any]:
        with _readable():
            cleaned: dict[str, Any] = super().clean()
        return {**cleaned, "name": "Passkey"}


class _Passkey:
    """A passkey in place of a code."""

    user: User
    cleaned_data: dict[str, Any]

    def clean_credential(self) -> Authenticator:
        said = self.cleaned_data["credential"]
        with _counted(self.user):
            try:
                with _readable():
                    return auth.complete_authentication(self.user, said)
            except forms.ValidationError:
                authentication_failed.send(
                    Authenticator, request=context.request, user=self.user, authenticator=None
                )
                raise


class SignInPasskeyForm(_Passkey, AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """The second step of signing in."""

    credential = _CredentialField()


class PasskeyOnceMoreForm(_Passkey, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """Who is signed in shows the second factor once more."""

    credential = _CredentialField()
