"""Trials, for their lead: how far each has come, never by arm."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from referrals.actions.trial_lock import record_trial
from referrals.queries import trials_visible_to
from referrals.trial_list import trial_rows
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record


@requires(Permission.VIEW_TRIALS)
@require_safe
def trial_list(request: SignedInRequest) -> HttpResponse:
    """The trials of the account's BCUs."""
    trials = trial_rows(request.user)
    record(Action.LIST_SHOWN, by=request.user, purpose=Purpose.EVALUATION, subject="trial")
    return render(request, "trials/list.html", {"trials": trials})


@requires(Permission.VIEW_TRIALS)
@require_safe
def trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """One trial: its protocol in words, and the step that comes next."""
    shown = get_object_or_404(trials_visible_to(request.user), pk=trial_id)
    record_trial(Action.LIST_SHOWN, shown, request.user)
    return render(request, "trials/trial.html", {"trial": shown, "part": "trial"})
