"""Where everybody chooses the digests they want."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from referrals.digests.actions import choose_digests as choose
from referrals.digests.forms import DigestsForm
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission


@requires(Permission.CHOOSE_DIGESTS)
@require_http_methods(["GET", "HEAD", "POST"])
def choose_digests(request: SignedInRequest) -> HttpResponse:
    """What the account wants to be sent; nothing unless it says so."""
    form = DigestsForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        choose(
            kinds=form.cleaned_data["kinds"],
            teams=form.cleaned_data.get("teams", ()),
            by=request.user,
            at=timezone.now(),
        )
        messages.success(request, "Saved. What you chose comes from the next time on.")
        return redirect("choose_digests")
    return render(request, "digests/choose_digests.html", {"form": form})
