"""Briefings, the banner, guidance and help."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.guidance import actions
from referrals.guidance.forms import AttendanceForm, BannerForm, BriefingForm
from referrals.guidance.readers import banner_at, briefings_seen_by, coverage
from referrals.models import Briefing
from referrals.scope import today
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import day

_MOST_BRIEFINGS = 100
_ask_and_do = require_http_methods(["GET", "HEAD", "POST"])


@requires(Permission.RECORD_BRIEFINGS)
@require_safe
def briefing_list(request: SignedInRequest) -> HttpResponse:
    """How far each team is briefed, who is still to be, and the sessions that were held."""
    user = request.user
    _shown(user)
    context = {
        "coverage": coverage(user, today()),
        "briefings": briefings_seen_by(user, today())[:_MOST_BRIEFINGS],
        "keeps_banner": user.can(Permission.MANAGE_PLACES),
    }
    return render(request, "guidance/briefing_list.html", context)


@requires(Permission.RECORD_BRIEFINGS)
@_ask_and_do
def add_briefing(request: SignedInRequest) -> HttpResponse:
    """A session that was held, and who was there."""
    form = BriefingForm(request.POST if request.method == "POST" else None, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            recorded = actions.record_briefing(
                title=form.cleaned_data["title"],
                held_on=form.cleaned_data["held_on"],
                people=form.there,
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{recorded} on {day(recorded.held_on)} is recorded.")
            return redirect("briefing_list")
    _shown(request.user)
    return render(request, "guidance/briefing.html", {"form": form})


@requires(Permission.RECORD_BRIEFINGS)
@_ask_and_do
def briefing(request: SignedInRequest, briefing_id: int) -> HttpResponse:
    """Who of the account's people was there."""
    found = Briefing.objects.filter(pk=briefing_id).select_related("recorded_by").first()
    if found is None:
        raise Http404("No such briefing.")
    sent = request.POST if request.method == "POST" else None
    form = AttendanceForm(sent, by=request.user, briefing=found)
    if request.method == "POST" and form.is_valid():
        actions.set_attendance(briefing_id=found.pk, people=form.there, by=request.user)
        messages.success(request, f"Who was at {found} on {day(found.held_on)} is saved.")
        return redirect("briefing_list")
    _shown(request.user)
    return render(request, "guidance/briefing.html", {"form": form, "briefing": found})


def _shown(user: User) -> None:
    # Names of whole teams: which ones follows from the account's places on that day.
    record(Action.LIST_SHOWN, by=user, purpose=Purpose.SUPERVISION, subject="account", references=[])


@requires(Permission.MANAGE_PLACES)
@_ask_and_do
def banner(request: SignedInRequest) -> HttpResponse:
    """The sentence on top of every page, and until when it stands."""
    form = BannerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_banner(**form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The banner stands on every page from now on.")
            return redirect("banner")
    context = {"form": form, "current": banner_at(timezone.now())}
    return render(request, "guidance/banner.html", context)


@requires(Permission.MANAGE_PLACES)
@require_POST
def end_banner(request: SignedInRequest) -> HttpResponse:
    """Takes it off every page."""
    if actions.end_banner(by=request.user, at=timezone.now()):
        messages.success(request, "The banner is gone.")
    else:
        messages.info(request, "There was no banner any more.")
    return redirect("banner")


@requires()
@require_safe
def guidance(request: SignedInRequest) -> HttpResponse:
    """How the contact is made: what an officer reads on the phone before the call."""
    return render(request, "guidance/guidance.html")


@requires()
@require_safe
def help_page(request: SignedInRequest) -> HttpResponse:
    """One page for each role: what to do here, what is new, and where to say what is wrong."""
    context = {
        "words": f"guidance/help/{request.user.role}.html",
        "feedback": settings.FEEDBACK_MAILBOX,
    }
    return render(request, "guidance/help.html", context)
