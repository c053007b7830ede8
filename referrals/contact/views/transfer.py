"""The page on which a referral goes to another ward team, of this BCU or of another."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from referrals.contact.actions.transfer import transfer
from referrals.contact.forms import TransferForm
from referrals.contact.views.opening import record_opening
from referrals.models import ReferralStatus
from referrals.scope import referrals_led_by, referrals_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.refused import Refused


@requires(Permission.CHASE_REFERRALS)
@require_http_methods(["GET", "HEAD", "POST"])
def transfer_referral(request: SignedInRequest, number: str) -> HttpResponse:
    """Asks which team, and why; says what goes along."""
    related = ("case", "team__borough__bcu", "ward")
    led = referrals_led_by(request.user).select_related(*related)
    referral = get_object_or_404(led, number=number)
    form = TransferForm(request.POST if request.method == "POST" else None, referral=referral)
    if request.method == "POST" and form.is_valid():
        try:
            moved = transfer(referral_id=referral.pk, **form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{number} is with {moved.team} now. Both teams are told by e-mail.")
            if referrals_visible_to(request.user).filter(pk=referral.pk).exists():
                return redirect("referral", number=number)
            return redirect("my_referrals" if request.user.can(Permission.CONTACT_VICTIMS) else "compliance")
    record_opening(request, referral)
    context = {"referral": referral, "form": form, "is_open": referral.status == ReferralStatus.OPEN}
    return render(request, "contact/transfer_referral.html", context)
