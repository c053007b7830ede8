"""Stopping the clock of a referral, and letting it go on."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from referrals.contact.actions import stopping
from referrals.contact.forms import StopForm
from referrals.contact.readers.referrals import referrals_to_open
from referrals.contact.views.opening import record_opening
from referrals.models import Referral
from referrals.rules.deadlines import LONGEST_STOP
from referrals.scope import referrals_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.refused import Refused
from src_app.templatetags.words import weekday_moment


@requires(Permission.CONTACT_VICTIMS)
@require_http_methods(["GET", "HEAD", "POST"])
def stop_clock(request: SignedInRequest, number: str) -> HttpResponse:
    """Asks why contact has to wait, and until when."""
    referral = get_object_or_404(referrals_to_open(request.user), number=number)
    form = StopForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _stopped(request, referral, form):
        return redirect("referral", number=number)
    record_opening(request, referral)
    context = {"referral": referral, "form": form, "longest": LONGEST_STOP.days}
    return render(request, "contact/stop_clock.html", context)


def _stopped(request: SignedInRequest, referral: Referral, form: StopForm) -> bool:
    try:
        stop = stopping.stop_clock(
            referral_id=referral.pk, **form.cleaned_data, by=request.user, at=timezone.now()
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    due = weekday_moment(stop.referral.due_at)
    messages.success(
        request,
        f"The clock is stopped until {weekday_moment(stop.ends_at)}. Contact is due by {due}.",
    )
    return True


@requires(Permission.CONTACT_VICTIMS)
@require_POST
def let_clock_go_on(request: SignedInRequest, number: str) -> HttpResponse:
    """Ends the stop now."""
    referral = get_object_or_404(referrals_visible_to(request.user), number=number)
    try:
        going = stopping.let_clock_go_on(referral_id=referral.pk, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        due = weekday_moment(going.due_at)
        messages.success(request, f"The clock goes on. Contact is due by {due}.")
    return redirect("referral", number=number)
