"""The day's decisions checked, submitted, and what became of each."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from referrals.review.actions.submit import submit
from referrals.review.readers.day import drafted_days
from referrals.review.readers.submitted import decision_results, reopened_of
from referrals.review.readers.waiting import review_progress
from referrals.scope import bcus_of, submissions_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.whole_numbers import whole_number


@requires(Permission.REVIEW_CASES)
@require_safe
def check_decisions(request: SignedInRequest) -> HttpResponse:
    """Everything marked so far, to be read once more."""
    days = drafted_days(request.user)
    if not days:
        messages.info(request, "Nothing is marked yet: mark at least one case.")
        return redirect("overnight_review")
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[
            row.case.crime_reference
            for day in days
            for row in (*day.rows, *(held.row for held in day.held_back))
        ],
    )
    context = {
        "days": [(day, uuid.uuid4()) for day in days if day.rows],
        "held_back": [held for day in days for held in day.held_back],
        "progress": review_progress(request.user),
    }
    return render(request, "review/check.html", context)


@requires(Permission.REVIEW_CASES)
@require_POST
def submit_decisions(request: SignedInRequest) -> HttpResponse:
    """Submits exactly the drafts that were on the check page, or says what changed and submits nothing."""
    bcu = get_object_or_404(bcus_of(request.user), pk=whole_number(request.POST.get("bcu", "")))
    try:
        key, seen = uuid.UUID(request.POST.get("key", "")), _seen(request.POST.getlist("decision"))
        looked_at, notes_read = _ticked(request, "looked_at"), _ticked(request, "notes_read")
    except ValueError:
        messages.error(request, "The page was incomplete. Nothing was submitted: check once more.")
        return redirect("check_decisions")
    try:
        submission = submit(
            bcu=bcu,
            seen=seen,
            key=key,
            looked_at=looked_at,
            notes_read=notes_read,
            by=request.user,
            at=timezone.now(),
        )
    except Refused as error:
        messages.error(request, str(error))
        return redirect("check_decisions")
    return redirect("submitted", submission_id=submission.pk)


@requires(Permission.REVIEW_CASES)
@require_safe
def submitted(request: SignedInRequest, submission_id: int) -> HttpResponse:
    """What became of each case, in words that can be copied."""
    submission = get_object_or_404(
        submissions_visible_to(request.user).select_related("bcu", "submitted_by"),
        pk=submission_id,
    )
    results, reopened = decision_results(submission), reopened_of(submission)
    cases = [*(result.decision.case for result in results), *(each.case for each in reopened)]
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[case.crime_reference for case in cases],
    )
    usual = [each for each in results if not each.referral and each.decision.suitable]
    context = {
        "submission": submission,
        "referred": [each for each in results if each.referral],
        "usual": usual,
        "by_trial": [each for each in usual if each.trial],
        "not_started": [each for each in usual if not each.trial],
        "not_suitable": [
            result for result in results if not result.referral and not result.decision.suitable
        ],
        "reopened": reopened,
        "total": len(cases),
    }
    return render(request, "review/submitted.html", context)


def _ticked(request: SignedInRequest, name: str) -> set[int]:
    """The cases ticked under that name."""
    return {whole_number(given) or 0 for given in request.POST.getlist(name)}


def _seen(pairs: list[str]) -> dict[int, int]:
    """``case:version`` pairs of the check page's form; raises ValueError for anything else."""
    seen = {}
    for pair in pairs:
        case_id, version = map(whole_number, pair.split(":"))
        if case_id is None or version is None:
            raise ValueError("A pair is of two numbers.")
        seen[case_id] = version
    return seen
