"""Pages of the account itself, and what allauth's own lack."""

from allauth.account import views as allauth
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST, require_safe

from src_app.accounts import kept_forms, second_factor
from src_app.accounts.forms import SetUpCodeForm, SetUpPasskeyForm
from src_app.accounts.guards import SignedInRequest, requires, shown_again, to_sign_in
from src_app.accounts.models import User

# Of another site, or through a proxy that hides where it came from: the same would happen once more.
_FROM_ELSEWHERE = ("Origin checking failed", "Referer checking failed")


@require_POST
@requires()
def stay(request: SignedInRequest) -> HttpResponse:  # noqa: ARG001
    """Says "I am here": starts the idle limit again, as every request does, and nothing else."""
    return HttpResponse(status=204)


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement, open to all."""
    return render(request, "accessibility.html")


def reauthenticate(request: HttpRequest) -> HttpResponse:
    """allauth's page that asks for the password once more; the session has a new name from then on."""
    response: HttpResponse = allauth.reauthenticate(request)
    if request.method == "POST" and response.status_code == 302 and request.user.is_authenticated:
        request.session.cycle_key()
    return response


@require_POST
@requires()
def drop_kept_form(request: SignedInRequest) -> HttpResponse:
    """Throws away the form that stands as it was left, and leads back to its page."""
    form = kept_forms.kept(request)
    if form is not None and form.account != kept_forms.account_of(request.user):
        form = None
    response = redirect(form.page if form else "home")
    kept_forms.forget(response)
    return response


def not_saved(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answers a form whose token is of an earlier session, or that is none of ours: nothing of it is saved.

    Whose form it is and where it stood is in its mark. It is shown once more to the account that typed it,
    and its text to nobody else.
    """
    form = None if reason.startswith(_FROM_ELSEWHERE) else kept_forms.received(request)
    if form is None:
        return render(request, "403_csrf.html", status=403)
    if not isinstance(request.user, User):
        return to_sign_in(request)
    if form.account != kept_forms.account_of(request.user):
        return render(request, "403_csrf.html", {"of_another": True}, status=403)
    said = "The page had been open since before you signed in again. Press its button once more."
    return shown_again(request, form, to=form.page, said=said)


class SetUpApp(ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    """allauth's page that sets up an authenticator app; the code that does it is used up by that."""

    def form_valid(self, form: SetUpCodeForm) -> HttpResponse:
        """In one transaction: there is no moment in which the code opens something else."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            second_factor.use_code(self.request.user, form.cleaned_data["code"])
        return response


class SetUpPasskey(AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """allauth's page that sets up a passkey."""

    def form_valid(self, form: SetUpPasskeyForm) -> HttpResponse:
        """In one transaction: there are recovery codes as soon as there is a passkey."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
        return response


class RemovePasskey(RemoveWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """allauth's page that removes one."""

    success_url = reverse_lazy("mfa_index")
