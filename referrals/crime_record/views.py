"""SRC cases whose flag is not yet confirmed on the crime management system, or has to go from it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.crime_record.actions import flags
from referrals.crime_record.filters import FlagFilter, RemovalFilter
from referrals.crime_record.forms import ComparedForm, FlagListForm
from referrals.crime_record.readers import (
    STANDING_WORDS,
    FlagCase,
    GivenList,
    cases_listed,
    flag_cases,
    flags_to_confirm,
    flags_to_remove,
    just_confirmed,
    just_removed,
)
from referrals.crime_record.reading import read_flags
from referrals.crime_record.tables import FlagsToConfirm, FlagsToRemove
from referrals.models import Bcu
from referrals.rules.crime_record import FlagStanding
from src_app.accounts.guards import SignedInRequest, check_authority, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.back import back_to
from src_app.lists.download import BYTE_ORDER_MARK, csv_line
from src_app.lists.page import Empty, ListPage, answered
from src_app.refused import Refused
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
    empty=Empty(
        "No flag has to go", "What the crime record rules out, or what is found not suitable, appears here."
    ),
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


@requires(Permission.CONFIRM_FLAGS)
@require_http_methods(["GET", "HEAD", "POST"])
def compare_flags(request: SignedInRequest) -> HttpResponse:
    """A list of the references that carry the flag; then how each flag stands. Nothing of it is kept."""
    if "act" in request.POST:
        return _act_on_list(request)
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    given = (request.POST, request.FILES) if request.method == "POST" else ()
    form = FlagListForm(*given, user=request.user, size=size)
    if form.is_valid():
        try:
            read = read_flags(form.content)
        except Refused as refused:
            form.add_error("file", str(refused))
        else:
            found = cases_listed(form.bcu_chosen, read.signs)
            given_list = GivenList(form.cleaned_data["taken_on"], len(read.signs), found)
            return _compared(request, form.bcu_chosen, given_list, hidden=read.hidden)
    return render(request, "crime_record/compare_flags.html", {"form": form, **_words()})


def _undo(request: SignedInRequest) -> dict[str, Any] | None:
    """What can be taken back of what the account confirmed last; None where nothing can."""
    of, ids = request.session.get(LAST_FLAGS, ("", []))
    just = just_removed if of == "removed" else just_confirmed
    still = list(just(request.user, timezone.now()).filter(pk__in=ids).values_list("pk", flat=True))
    return {"of": of, "ids": still} if still else None


def _ticked(request: SignedInRequest) -> list[int]:
    """Those that are ticked, or several in one field: a body has only so many fields."""
    said = request.POST.getlist("referral")
    return whole_numbers(number for text in said for number in text.split(","))


def _act_on_list(request: SignedInRequest) -> HttpResponse:
    """Confirms what the list shows, or gives it as a file; then the page anew."""
    form = ComparedForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, "Choose the list again: nothing was saved.")
        return redirect("compare_flags")
    bcu, given, act = form.bcu_chosen, form.given, form.cleaned_data["act"]
    if act == "download":
        return _download(request, bcu, given)
    standing = FlagStanding.NOT_CONFIRMED if act == "confirm" else FlagStanding.OFF
    cases = flag_cases(bcu, given)[standing]
    ids = [case.referral_id for case in cases if case.referral_id is not None]
    now = timezone.now()
    if act == "confirm":
        confirmed = flags.confirm_flags(referral_ids=ids, by=request.user, at=now)
        request.session[LAST_FLAGS] = ("confirmed", ids)
        messages.success(request, f"Confirmed for {counted(confirmed, 'case,cases')}.")
    else:
        removed = flags.confirm_flags_removed(referral_ids=ids, by=request.user, at=now)
        request.session[LAST_FLAGS] = ("removed", ids)
        messages.success(request, f"Said to be off {counted(removed, 'case,cases')}.")
    return _compared(request, bcu, given)


def _compared(request: SignedInRequest, bcu: Bcu, given: GivenList, *, hidden: int = 0) -> HttpResponse:
    cases = flags.reconcile_flags(bcu=bcu, given=given, by=request.user, at=timezone.now())
    context = {
        "bcu": bcu,
        "given": given,
        "hidden": hidden,
        "sections": [(STANDING_WORDS[standing], standing, cases[standing]) for standing in FlagStanding],
        "to_confirm": len(cases[FlagStanding.NOT_CONFIRMED]),
        "off": len(cases[FlagStanding.OFF]),
        **_words(),
    }
    return render(request, "crime_record/compared_flags.html", context)


def _words() -> dict[str, str]:
    return {"flag_name": settings.FLAG_NAME, "system": settings.CRIME_SYSTEM_NAME}


def _download(request: SignedInRequest, bcu: Bcu, given: GivenList) -> HttpResponse:
    check_authority(request.user, Permission.DOWNLOAD_LISTS)
    cases = flags.reconcile_flags(bcu=bcu, given=given, by=request.user, at=timezone.now())
    rows = [(STANDING_WORDS[standing], case) for standing in FlagStanding for case in cases[standing]]
    record(
        Action.DOWNLOADED,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[name for _, case in rows for name in (case.reference, case.number) if name],
        rows=len(rows),
    )
    lines = [("Flag", "Crime reference", "Referral", "State", "Deviation")]
    lines += [(words, case.reference, case.number, case.state, _deviation(case)) for words, case in rows]
    name = f"flags-compared-{timezone.localdate()}.csv"
    return HttpResponse(
        [BYTE_ORDER_MARK, *map(csv_line, lines)],
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _deviation(case: FlagCase) -> str:
    if not case.is_control:
        return ""
    return "Recorded" if case.is_settled else "To record"
