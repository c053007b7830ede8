"""Pages of the account itself that allauth does not bring."""

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
