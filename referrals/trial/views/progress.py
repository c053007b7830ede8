"""How one trial is going, for its lead and senior leaders: by arm only once recruitment is closed."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from referrals.scope import trials_visible_to
from referrals.trial.actions.trial_lock import record_trial
from referrals.trial.readers.progress import progress_of_trial
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action


@requires(Permission.VIEW_TRIALS)
@require_safe
def trial_progress(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Recruitment against target, the flow of participants, balance, deviations, order and heads."""
    trial = get_object_or_404(trials_visible_to(request.user), pk=trial_id)
    progress = progress_of_trial(trial, timezone.now()) if trial.opened_at else None
    record_trial(Action.LIST_SHOWN, trial, request.user)
    context = {"trial": trial, "part": "progress", "progress": progress}
    return render(request, "trial/progress.html", context)
