"""Looks by arm before the lock: opened on the results page, shown to whoever opened them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from outcomes.evaluation import actions
from outcomes.evaluation.by_arm import by_arm_of
from outcomes.evaluation.forms import LookForm, PlannedLookForm
from outcomes.evaluation.views.results import results_page, trial_to_show
from referrals.trial.actions.trial_lock import record_trial
from src_app.accounts.guards import NotAllowed, SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.refused import Refused


@requires(Permission.VIEW_TRIALS)
@require_POST
def open_look(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """A look of the protocol by its day; any other for a reason, and by the trial lead alone."""
    trial = trial_to_show(request, trial_id)
    form = PlannedLookForm(request.POST) if "planned_on" in request.POST else LookForm(request.POST)
    if isinstance(form, LookForm) and not request.user.can(Permission.MANAGE_TRIALS):
        raise NotAllowed
    refusal = "The page was incomplete. Nothing was opened: try again."
    if form.is_valid():
        try:
            look = actions.open_look(
                trial_id=trial.pk,
                planned_on=form.cleaned_data.get("planned_on"),
                reason=form.cleaned_data.get("reason", ""),
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refused:
            refusal = str(refused)
        else:
            return redirect("trial_look", trial_id=trial.pk, look_id=look.pk)
    elif isinstance(form, LookForm) and not trial.locked_at:
        return results_page(request, trial, form)
    messages.error(request, refusal)
    return redirect("trial_results", trial_id=trial.pk)


@requires(Permission.VIEW_TRIALS)
@require_safe
def trial_look(request: SignedInRequest, trial_id: int, look_id: int) -> HttpResponse:
    """What was counted when it was opened; for nobody but whoever opened it."""
    trial = trial_to_show(request, trial_id)
    look = get_object_or_404(trial.looks, pk=look_id, opened_by=request.user)
    record_trial(Action.LIST_SHOWN, trial, request.user, [f"look {look.pk}"])
    context = {
        "trial": trial,
        "part": "results",
        "look": look,
        "counts": by_arm_of(look.content, trial.conduct.plan),
    }
    return render(request, "evaluation/look.html", context)
