"""Putting right what was submitted, from the page of the case: one page for each thing that can be wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from referrals.cases.forms import CaseForm
from referrals.contact.readers.follow_ups import contact_tasks, ring_again_tasks
from referrals.models import Case, Referral
from referrals.review.actions import put_right as actions
from referrals.review.forms import CorrectFindingForm, FoundNotSuitableForm, MoveForm, ReopenForm
from referrals.review.readers.linked import offered, shown_with
from referrals.review.readers.put_right import (
    why_not_correct,
    why_not_find_unsuitable,
    why_not_move,
    why_not_reopen,
)
from referrals.scope import cases_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused


@dataclass(frozen=True)
class Correction:
    """One thing that can be put right: its page, its action, and what is said once it is done."""

    name: str
    form: type[CaseForm]
    why_not: Callable[[Case], str]
    act: Callable[..., Any]
    done: str


_REOPEN = Correction(
    name="reopen",
    form=ReopenForm,
    why_not=why_not_reopen,
    act=actions.reopen_decision,
    done="It waits in the overnight review again: mark it, then submit.",
)
_NOT_SUITABLE = Correction(
    name="found_not_suitable",
    form=FoundNotSuitableForm,
    why_not=why_not_find_unsuitable,
    act=actions.find_not_suitable,
    done="On record as not suitable.",
)
_FINDING = Correction(
    name="correct_finding",
    form=CorrectFindingForm,
    why_not=why_not_correct,
    act=actions.correct_finding,
    done="Put right. What was said before stays on record.",
)
_MOVE = Correction(
    name="move",
    form=MoveForm,
    why_not=why_not_move,
    act=actions.move_referral,
    done=("The referral is moved. A team that is new to it, and the one that had it, are told by e-mail."),
)


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def reopen_decision(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Asks why a submitted decision is made anew, and says what follows."""
    return _put_right(request, case_id, _REOPEN)


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def find_not_suitable(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Asks why a case that was allocated or referred was not suitable, and says what follows."""
    return _put_right(request, case_id, _NOT_SUITABLE)


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def correct_finding(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Asks what is right where the reason or the other report of such a case is wrong."""
    return _put_right(request, case_id, _FINDING)


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def move_referral(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Asks where an open referral belongs, and says what follows."""
    return _put_right(request, case_id, _MOVE)


def _put_right(request: SignedInRequest, case_id: int, correction: Correction) -> HttpResponse:
    related = ("ward__borough", "decision", "referral__team", "referral__ward", "allocation__trial")
    cases = cases_visible_to(request.user).select_related(*related)
    cases = cases.defer("allocation__trial__seed_encrypted")
    case = get_object_or_404(cases, pk=case_id)
    form = correction.form(request.POST if request.method == "POST" else None, case=case)
    shown = [case.crime_reference]
    if isinstance(form, FoundNotSuitableForm):
        linked, alike = shown_with(request.user, case)
        reports = offered(request.user, [*linked, *alike])
        found = case.latest_finding if correction is _FINDING else None
        form.offer(case, reports, found.duplicate_of if found else "")
        shown += [reference for reference, _ in reports]
    if request.method == "POST" and form.is_valid():
        try:
            correction.act(case_id=case_id, **form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refused:
            form.add_error(None, str(refused))
            case = get_object_or_404(cases, pk=case_id)
            if isinstance(form, MoveForm | CorrectFindingForm):
                form.show_again(case)
        else:
            waits = _waits(case, request.user) if isinstance(form, FoundNotSuitableForm) else ""
            messages.success(request, f"{case.crime_reference}: {correction.done}{waits}")
            return redirect("case", case_id=case_id)
    record(
        Action.CASE_OPENED,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=shown,
    )
    referral: Referral | None = getattr(case, "referral", None)
    context = {
        "case": case,
        "form": form,
        "why_not": correction.why_not(case),
        "rings_again": referral is not None and ring_again_tasks(referral).exists(),
    }
    return render(request, f"review/put_right/{correction.name}.html", context)


def _waits(case: Case, user: User) -> str:
    """Who has the task to see that somebody else contacts the victim, if there is one."""
    task = contact_tasks(case).select_related("acknowledged_by").first()
    if task is None:
        return ""
    whose = "your follow-ups" if task.acknowledged_by == user else "the follow-ups"
    named = f", with {task.acknowledged_by}" if task.acknowledged_by not in (None, user) else ""
    return f" It waits in {whose}{named}: somebody else has to contact the victim."
