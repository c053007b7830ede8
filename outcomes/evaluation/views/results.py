"""Results of a trial: what the lock waits for, the lock itself, and from then on the arms compared."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from outcomes.evaluation import actions
from outcomes.evaluation.by_arm import by_arm
from outcomes.evaluation.forms import CorrectionForm, LookForm
from outcomes.evaluation.readers.awaited import awaited
from outcomes.evaluation.readers.data_set import COLUMNS, as_cells, totals_of
from outcomes.evaluation.readers.looks import planned_looks, unadjusted
from outcomes.models import DataSet
from referrals.models import Trial, TrialStatus
from referrals.rules.trial.draws import canonical
from referrals.scope import trials_to_export, trials_visible_to
from referrals.trial.actions.trial_lock import record_trial
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.lists.download import csv_line
from src_app.refused import Refused

_LOCKED = (TrialStatus.LOCKED, TrialStatus.REVEALED)
_OPEN = (TrialStatus.RECRUITING, TrialStatus.CLOSED)


@requires(Permission.VIEW_TRIALS)
@require_safe
def trial_results(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Before the lock nothing by arm; after it what was locked, as allocated."""
    return results_page(request, trial_to_show(request, trial_id))


def trial_to_show(request: SignedInRequest, trial_id: int) -> Trial:
    """The trial, or 404."""
    return get_object_or_404(trials_visible_to(request.user), pk=trial_id)


def results_page(request: SignedInRequest, trial: Trial, form: forms.Form | None = None) -> HttpResponse:
    """The page, its reading recorded; ``form``: one that was sent and refused, with what was typed."""
    record_trial(Action.LIST_SHOWN, trial, request.user, ["results"])
    locked = trial.status in _LOCKED
    parts = _after_lock(trial, request.user) if locked else _before_lock(trial, request.user)
    context = {
        "trial": trial,
        "part": "results",
        "looks": trial.looks.select_related("opened_by").order_by("opened_at", "pk"),
        "manages": request.user.can(Permission.MANAGE_TRIALS),
        "form": form or (CorrectionForm() if locked else LookForm()),
        **parts,
    }
    page = "evaluation/results_locked.html" if locked else "evaluation/results_open.html"
    return render(request, page, context)


def _before_lock(trial: Trial, user: User) -> dict[str, Any]:
    now = timezone.now()
    return {
        "begun": trial.status in _OPEN,
        "awaited": awaited(trial, now),
        "totals": totals_of(trial, now),
        "planned": planned_looks(trial, user, now),
        "now": now,
    }


def _after_lock(trial: Trial, user: User) -> dict[str, Any]:
    plan = trial.conduct.plan
    data_sets = trial.data_sets.select_related("made_by").order_by("-number")
    return {
        "data_sets": [
            (data_set, by_arm(data_set.content, plan), f"data-set-{data_set.number}")
            for data_set in data_sets
        ],
        "unadjusted": unadjusted(trial),
        "exports": user.can(Permission.EXPORT_TRIALS),
    }


@requires(Permission.MANAGE_TRIALS)
@require_http_methods(["GET", "HEAD", "POST"])
def lock_trial_outcomes(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Says what the lock does and asks once."""
    trial = trial_to_show(request, trial_id)
    if request.method == "POST":
        try:
            data_set = actions.lock_outcomes(trial_id=trial.pk, by=request.user, at=timezone.now())
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, f"Outcomes are locked. SHA-256 of the data set: {data_set.digest}")
        return redirect("trial_results", trial_id=trial.pk)
    if trial.status in _LOCKED:
        return redirect("trial_results", trial_id=trial.pk)
    record_trial(Action.LIST_SHOWN, trial, request.user, ["lock"])
    context = {
        "trial": trial,
        "part": "results",
        "awaited": awaited(trial, timezone.now()),
        "registrars": trial.registrars.order_by("name"),
        "unadjusted": unadjusted(trial),
    }
    return render(request, "evaluation/lock.html", context)


@requires(Permission.MANAGE_TRIALS)
@require_POST
def correct_data_set(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Makes a corrected data set, or gives the form back with what was typed."""
    trial = get_object_or_404(trials_visible_to(request.user), pk=trial_id, status__in=_LOCKED)
    form = CorrectionForm(request.POST)
    if form.is_valid() and (data_set := _corrected(request, trial, form)):
        messages.success(
            request,
            f"Data set {data_set.number} is made. SHA-256, on its way to the registrars: {data_set.digest}",
        )
        return redirect("trial_results", trial_id=trial.pk)
    return results_page(request, trial, form)


def _corrected(request: SignedInRequest, trial: Trial, form: forms.Form) -> DataSet | None:
    try:
        return actions.correct_data_set(
            trial_id=trial.pk, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now()
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return None


@requires(Permission.EXPORT_TRIALS)
@require_safe
def trial_data_set(request: SignedInRequest, trial_id: int, number: int) -> HttpResponse:
    """A data set as a file: as a table, or the very bytes that the digest is of."""
    trial = get_object_or_404(trials_to_export(request.user), pk=trial_id)
    data_set = get_object_or_404(DataSet, trial=trial, number=number)
    kind = "csv" if request.GET.get("as") == "csv" else "json"
    record_trial(Action.DOWNLOADED, trial, request.user, [f"data set {number}", kind])
    response = _as_table(data_set) if kind == "csv" else _as_hashed(data_set)
    name = f"trial-{trial.pk}-data-set-{number}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _as_hashed(data_set: DataSet) -> HttpResponse:
    return HttpResponse(canonical(data_set.content), content_type="application/json")


def _as_table(data_set: DataSet) -> HttpResponse:
    # Without the byte order mark: to statistics software it would be part of the first column's name.
    lines = map(csv_line, [COLUMNS, *map(as_cells, data_set.content)])
    return HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
