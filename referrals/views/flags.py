"""SRC cases whose flag is not yet confirmed on the crime management system."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from referrals.actions.refer import confirm_flags as confirm
from referrals.queries import flags_to_confirm
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.paging import page_of
from src_app.templatetags.words import counted


@requires(Permission.CONFIRM_FLAGS)
@require_safe
def flag_list(request: SignedInRequest) -> HttpResponse:
    """The references to set the flag on, to copy and then to tick."""
    paged = page_of(request, flags_to_confirm(request.user), 100)
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="referral",
        references=[referral.number for referral in paged.rows],
    )
    context = {
        "paged": paged,
        "flag_name": settings.FLAG_NAME,
        "system": settings.CRIME_SYSTEM_NAME,
    }
    return render(request, "flags/flag_list.html", context)


@requires(Permission.CONFIRM_FLAGS)
@require_POST
def confirm_flags(request: SignedInRequest) -> HttpResponse:
    """Confirms the ticked ones."""
    ids = [int(value) for value in request.POST.getlist("referral") if value.isdecimal()]
    if not ids:
        messages.error(request, "Nothing is ticked: tick the cases whose flag is set.")
        return redirect("flag_list")
    confirmed = confirm(referral_ids=ids, by=request.user, at=timezone.now())
    messages.success(request, f"Confirmed for {counted(confirmed, 'case,cases')}.")
    return redirect("flag_list")
