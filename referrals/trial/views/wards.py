"""The wards of one trial: which recruit, what is planned, and the planning of it by the trial's lead."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from referrals.models import Trial
from referrals.scope import today, trials_visible_to
from referrals.trial.actions.roll_out import (
    check_trial_wards,
    plan_roll_out,
    preview_roll_out,
    set_trial_wards,
)
from referrals.trial.actions.trial_lock import record_trial
from referrals.trial.forms.wards import RollOutForm, WardsForm
from referrals.trial.readers.wards import (
    WardPlan,
    counted_by_mode,
    may_begin,
    named_steps,
    plans_of,
    ward_plans,
)
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.refused import Refused
from src_app.templatetags.words import counted, day

_NOUNS = "ward,wards"


@requires(Permission.VIEW_TRIALS)
@require_safe
def trial_wards(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Every ward of the protocol: what counts today and what is planned; for the lead with the forms."""
    trial = _trial(request, trial_id)
    return _page(request, trial, ward_plans(trial, today()))


@requires(Permission.MANAGE_TRIALS)
@require_POST
def set_wards(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Shows what a choice of wards would change; with ``confirmed``, changes it."""
    trial = _trial(request, trial_id)
    plans = ward_plans(trial, today())
    form = _wards_form(trial, plans, request.POST)
    if not form.is_valid():
        return _page(request, trial, plans, wards_form=form)
    choice: dict[str, Any] = {
        "trial_id": trial.pk,
        "wards": form.cleaned_data["codes"],
        "mode": form.cleaned_data["mode"],
        "starts_on": form.cleaned_data["starts_on"],
        "by": request.user,
        "at": timezone.now(),
    }
    try:
        if "confirmed" in request.POST:
            changed = set_trial_wards(**choice)
            messages.success(request, _said(changed, form))
            return redirect("trial_wards", trial_id=trial.pk)
        wards = check_trial_wards(**choice)
    except Refused as refused:
        form.add_error(None, str(refused))
        return _page(request, trial, plans, wards_form=form)
    record_trial(Action.LIST_SHOWN, trial, request.user)
    context = {"trial": trial, "part": "wards", "form": form, "plans": plans_of(wards, trial, today())}
    return render(request, "trial/wards_check.html", context)


def _said(changed: int, form: WardsForm) -> str:
    if not changed:
        return "Nothing changed: it was planned so already."
    mode, starts_on = form.cleaned_data["mode"], form.cleaned_data["starts_on"]
    return f"{counted(changed, _NOUNS)}: {mode.label} from {day(starts_on)}."


@requires(Permission.MANAGE_TRIALS)
@require_POST
def roll_out(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Shows what each step of a roll-out would be; with the digest of what was ``seen``, plans it."""
    trial = _trial(request, trial_id)
    plans = ward_plans(trial, today())
    form = RollOutForm(request.POST, at=timezone.now())
    if not form.is_valid():
        return _page(request, trial, plans, roll_out_form=form)
    terms: dict[str, Any] = {
        "trial_id": trial.pk,
        **form.cleaned_data,
        "by": request.user,
        "at": timezone.now(),
    }
    try:
        if seen := request.POST.get("seen"):
            planned = plan_roll_out(**terms, seen=seen)
            wards = sum(len(step.wards) for step in planned.steps)
            steps = counted(len(planned.steps), "step,steps")
            messages.success(request, f"{counted(wards, _NOUNS)} planned in {steps}.")
            return redirect("trial_wards", trial_id=trial.pk)
        proposed = preview_roll_out(**terms)
    except Refused as refused:
        form.add_error(None, str(refused))
        return _page(request, trial, plans, roll_out_form=form)
    record_trial(Action.LIST_SHOWN, trial, request.user)
    context = {
        "trial": trial,
        "part": "wards",
        "form": form,
        "proposed": proposed,
        "steps": named_steps(proposed.steps, plans),
    }
    return render(request, "trial/roll_out_check.html", context)


def _trial(request: SignedInRequest, trial_id: int) -> Trial:
    return get_object_or_404(trials_visible_to(request.user), pk=trial_id)


def _wards_form(trial: Trial, plans: list[WardPlan], data: Any = None) -> WardsForm:
    wards = [plan.ward for plan in plans]
    return WardsForm(data, wards=wards, may_begin=may_begin(trial), at=timezone.now())


def _page(
    request: SignedInRequest,
    trial: Trial,
    plans: list[WardPlan],
    *,
    wards_form: WardsForm | None = None,
    roll_out_form: RollOutForm | None = None,
) -> HttpResponse:
    """The page; a form sent back has what was typed, and its errors above the heading."""
    record_trial(Action.LIST_SHOWN, trial, request.user)
    plans_wards = request.user.can(Permission.MANAGE_TRIALS) and bool(trial.sealed_at)
    context = {
        "trial": trial,
        "part": "wards",
        "plans": plans,
        "by_mode": counted_by_mode(plans),
        "sent_back": wards_form or roll_out_form,
        "wards_form": (wards_form or _wards_form(trial, plans)) if plans_wards else None,
        "roll_out_form": (
            (roll_out_form or RollOutForm(at=timezone.now())) if plans_wards and may_begin(trial) else None
        ),
        "ticked": wards_form["wards"].value() if wards_form else [],
    }
    return render(request, "trial/wards.html", context)
