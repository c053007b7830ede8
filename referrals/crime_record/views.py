"""SRC cases whose flag is not yet confirmed on the crime management system, or has to go from it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from referrals.crime_record.actions import flags
from referrals.crime_record.filters import FlagFilter, RemovalFilter
from referrals.crime_record.readers import (
    flags_to_confirm,
    flags_to_remove,
    just_confirmed,
    just_removed,
)
from referrals.crime_record.tables import FlagsToConfirm, FlagsToRemove
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Purpose
from src_app.lists.back import back_to
from src_app.lists.page import Empty, ListPage, answered
from src_app.templatetags.words import counted
from src_app.whole_numbers import whole_numbers

# In the session: whether flags were confirmed or removed last, and of which referrals.
LAST_FLAGS = "last_flags"

TO_CONFIRM = ListPage(
    name="flags-to-confirm",
    url_name="flag_list",
    caption="Cases whose flag is not confirmed",
    table=FlagsToConfirm,
    filters=FlagFilter,
    purpose=Purpose.REVIEW,
    subject="referral",
    references=("number", "case__crime_reference"),
    per_page=100,
    template="crime_record/_to_confirm.html",
    empty=Empty(
        "Every flag is confirmed",
        "New SRC cases appear here when the day's decisions are submitted.",
        "overnight_review",
        "Overnight review",
    ),
)
TO_REMOVE = ListPage(
    name="flags-to-remove",
    prefix="remove",
    url_name="flag_list",
    caption="Cases whose flag has to go",
    table=FlagsToRemove,
    filters=RemovalFilter,
    purpose=Purpose.REVIEW,
    subject="referral",
    references=("number", "case__crime_reference"),
    per_page=100,
    template="crime_record/_to_remove.html",
    empty=Empty("No flag has to go", "What the crime record rules out appears here."),
)


@requires(Permission.CONFIRM_FLAGS)
@require_safe
def flag_list(request: SignedInRequest) -> HttpResponseBase:
    """The references to take the flag off, then those to set it on, to copy and then to tick."""
    to_confirm = TO_CONFIRM.asked(request, flags_to_confirm(request.user))
    to_remove = TO_REMOVE.asked(request, flags_to_remove(request.user))
    if (part := answered(to_confirm, to_remove)) is not None:
        return part
    to_remove.record_shown(beside=to_confirm)
    context = {
        "to_confirm": to_confirm,
        "to_remove": to_remove,
        "undo": _undo(request),
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
        return redirect(back_to(request, "flag_list"))
    confirmed = flags.confirm_flags(referral_ids=ids, by=request.user, at=timezone.now())
    request.session[LAST_FLAGS] = ("confirmed", ids)
    messages.success(request, f"Confirmed for {counted(confirmed, 'case,cases')}.")
    return redirect(back_to(request, "flag_list"))


@requires(Permission.CONFIRM_FLAGS)
@require_POST
def confirm_flags_removed(request: SignedInRequest) -> HttpResponse:
    """Confirms that the flag is off the ticked ones."""
    ids = _ticked(request)
    if not ids:
        messages.error(request, "Nothing is ticked: tick the cases whose flag you took off.")
        return redirect(back_to(request, "flag_list"))
    removed = flags.confirm_flags_removed(referral_ids=ids, by=request.user, at=timezone.now())
    request.session[LAST_FLAGS] = ("removed", ids)
    messages.success(request, f"Removed from {counted(removed, 'case,cases')}.")
    return redirect(back_to(request, "flag_list"))


@requires(Permission.CONFIRM_FLAGS)
@require_POST
def undo_flags(request: SignedInRequest) -> HttpResponse:
    """Takes back what was confirmed by mistake a moment ago."""
    undo = flags.unconfirm_flags_removed if request.POST.get("of") == "removed" else flags.unconfirm_flags
    undone = undo(referral_ids=_ticked(request), by=request.user, at=timezone.now())
    request.session.pop(LAST_FLAGS, None)
    messages.success(request, f"Undone for {counted(undone, 'case,cases')}.")
    return redirect("flag_list")


def _undo(request: SignedInRequest) -> dict[str, Any] | None:
    """What can be taken back of what the account confirmed last; None where nothing can."""
    of, ids = request.session.get(LAST_FLAGS, ("", []))
    just = just_removed if of == "removed" else just_confirmed
    still = list(just(request.user, timezone.now()).filter(pk__in=ids).values_list("pk", flat=True))
    return {"of": of, "ids": still} if still else None


def _ticked(request: SignedInRequest) -> list[int]:
    return whole_numbers(request.POST.getlist("referral"))
