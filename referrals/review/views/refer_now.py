"""A decided case referred after all, or its victim rung again, from its page."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from referrals.contact.readers.briefing import briefing_of
from referrals.models import Case
from referrals.review.actions import refer_now as actions
from referrals.review.forms import ReferNowForm, RingAgainForm
from referrals.review.readers.refer_now import consequences, why_not_refer, why_not_ring_again
from referrals.scope import cases_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import moment


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def refer_now(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Asks why, and says what follows, before a team is asked to contact the victim."""
    cases = cases_visible_to(request.user).prefetch_related("texts")
    related = ("ward__borough", "ward__team", "decision", "referral__team", "allocation__trial")
    case = get_object_or_404(
        cases.select_related(*related).defer("allocation__trial__seed_encrypted"), pk=case_id
    )
    form = ReferNowForm(request.POST if request.method == "POST" else None, case=case)
    if request.method == "POST" and form.is_valid() and _referred(request, case, form):
        return redirect("case", case_id=case_id)
    record(
        Action.CASE_OPENED,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[case.crime_reference],
    )
    context = {
        "case": case,
        "form": form,
        "briefing": briefing_of(case),
        "why_not": why_not_refer(case),
        "may_ring_again": not why_not_ring_again(case),
        "follows": consequences(case, timezone.now()),
        "flag_name": settings.FLAG_NAME,
    }
    return render(request, "review/refer_now.html", context)


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def ring_again(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Asks why, before the team that has spoken with the victim is asked to ring them again."""
    cases = cases_visible_to(request.user).select_related("ward__borough", "referral__team")
    case = get_object_or_404(cases.prefetch_related("texts"), pk=case_id)
    form = RingAgainForm(request.POST if request.method == "POST" else None, case=case)
    if request.method == "POST" and form.is_valid():
        try:
            task = actions.ask_to_ring_again(
                case_id=case_id, **form.cleaned_data, by=request.user, at=timezone.now()
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            asked = "They are told by e-mail, and it is a follow-up until it is done."
            messages.success(
                request, f"{task.name}: {case.referral.team} is asked to ring the victim. {asked}"
            )
            return redirect("case", case_id=case_id)
    record(
        Action.CASE_OPENED,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[case.crime_reference],
    )
    context = {
        "case": case,
        "form": form,
        "briefing": briefing_of(case),
        "why_not": why_not_ring_again(case),
    }
    return render(request, "review/ring_again.html", context)


def _referred(request: SignedInRequest, case: Case, form: ReferNowForm) -> bool:
    try:
        referral = actions.refer_now(case_id=case.pk, **form.cleaned_data, by=request.user, at=timezone.now())
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(
        request,
        f"{referral.number}: {referral.team} is told by e-mail. Contact is due by {moment(referral.due_at)}.",
    )
    return True
