"""The way in."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.navigation import entries_for


@requires()
@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """After sign-in each role lands where its work is."""
    entries = entries_for(request.user)
    if not entries:
        raise PermissionDenied
    return redirect(entries[0].url_name)
