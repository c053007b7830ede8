"""The check of a trial's controls: each is looked up on the crime record when its follow-up is over."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from referrals.models import Trial
from referrals.scope import trials_to_check
from referrals.trial.actions.deviations import check_controls
from referrals.trial.readers.controls import OUTCOMES_STILL_OPEN, checks_of, control_rows, controls_to_check
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.paging import page_of
from src_app.refused import Refused
from src_app.templatetags.words import counted
from src_app.whole_numbers import whole_numbers


@requires(Permission.RECORD_DEVIATIONS)
@require_http_methods(["GET", "HEAD", "POST"])
def controls(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """The references to look up, to copy and then to tick; the first allocated first."""
    trial = get_object_or_404(trials_to_check(request.user), pk=trial_id)
    if request.method == "POST":
        _check(request, trial)
        return redirect("controls", trial_id=trial_id)
    now = timezone.now()
    paged = page_of(request, controls_to_check(trial, request.user, now).select_related("case"))
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.EVALUATION,
        subject="case",
        references=[control.case.crime_reference for control in paged.rows],
    )
    context = {
        "trial": trial,
        "days": trial.conduct.follow_up_days,
        "is_locked": trial.status not in OUTCOMES_STILL_OPEN,
        "checks": checks_of(trial, now),
        "paged": paged,
        "rows": control_rows(trial, paged.rows),
        "system": settings.CRIME_SYSTEM_NAME,
    }
    return render(request, "trial/deviations/controls.html", context)


def _check(request: SignedInRequest, trial: Trial) -> None:
    ticked = whole_numbers(request.POST.getlist("control"))
    if not ticked:
        messages.error(request, "Nothing is ticked: tick the cases that you looked up.")
        return
    try:
        checked = check_controls(trial=trial, allocation_ids=ticked, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"Recorded as looked up: {counted(checked, 'case,cases')}.")
