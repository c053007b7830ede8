"""Pages of the account itself, and what allauth's own lack."""

from allauth.account import views as allauth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from src_app.accounts.guards import SignedInRequest, requires


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
