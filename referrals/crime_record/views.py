"""SRC cases whose flag is not yet confirmed on the crime management system, or has to go from it."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from referrals.crime_record.actions import flags
from referrals.crime_record.readers import flags_to_confirm, flags_to_remove
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.paging import page_of
from src_app.templatetags.words import counted

PER_PAGE = 100


@requires(Permission.CONFIRM_FLAGS)
@require_safe
def flag_list(request: SignedInRequest) -> HttpResponse:
    """The references to take the flag off, then those to set it on, to copy and then to tick."""
    paged = page_of(request, flags_to_confirm(request.user), PER_PAGE)
    wrong = list(flags_to_remove(request.user)[: PER_PAGE + 1])
    to_remove = wrong[:PER_PAGE]
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="referral",
        references=[
            reference
            for referral in [*to_remove, *paged.rows]
            for reference in (referral.number, referral.case.crime_reference)
        ],
    )
    context = {
        "paged": paged,
        "to_remove": to_remove,
        "more_to_remove": len(wrong) > PER_PAGE,
        "flag_name": settings.FLAG_NAME,
        "system": settings.CRIME_SYSTEM_NAME,
    }
    return render(request, "crime_record/flag_list.html", context)


@requires(Permission.CONFIRM_FLAGS)
@require_POST
def confirm_flags(request: SignedInRequest) -> HttpResponse:
    """Confirms that the ticked ones carry the flag."""
    ids = _ticked(request)
    if not ids:
        messages.error(request, "Nothing is ticked: tick the cases whose flag is set.")
        return redirect("flag_list")
    confirmed = flags.confirm_flags(referral_ids=ids, by=request.user, at=timezone.now())
    messages.success(request, f"Confirmed for {counted(confirmed, 'case,cases')}.")
    return redirect("flag_list")


@requires(Permission.CONFIRM_FLAGS)
@require_POST
def confirm_flags_removed(request: SignedInRequest) -> HttpResponse:
    """Confirms that the flag is off the ticked ones."""
    ids = _ticked(request)
    if not ids:
        messages.error(request, "Nothing is ticked: tick the cases whose flag you took off.")
        return redirect("flag_list")
    removed = flags.confirm_flags_removed(referral_ids=ids, by=request.user, at=timezone.now())
    messages.success(request, f"Removed from {counted(removed, 'case,cases')}.")
    return redirect("flag_list")


def _ticked(request: SignedInRequest) -> list[int]:
    return [int(value) for value in request.POST.getlist("referral") if value.isdecimal()]
