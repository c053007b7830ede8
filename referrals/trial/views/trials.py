"""Trials: the list, the page of each, and its draft."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.models import ApprovalKind, Bcu, Trial, TrialStatus
from referrals.scope import bcus_of, trials_visible_to
from referrals.trial.actions import design, power
from referrals.trial.actions.power import PowerAnswer
from referrals.trial.actions.trial_lock import record_trial
from referrals.trial.bundle import export_trial
from referrals.trial.forms.design import (
    ApprovalForm,
    ProtocolForm,
    RegistrarForm,
    initial_of,
    initial_of_new,
)
from referrals.trial.readers.listing import trial_rows
from referrals.trial.readers.next_step import next_step
from referrals.trial.readers.page import TrialPage, trial_page
from referrals.trial.readers.power import question_of
from referrals.trial.readers.words import OUTCOMES
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused


@requires(Permission.VIEW_TRIALS)
@require_safe
def trial_list(request: SignedInRequest) -> HttpResponse:
    """The trials of the account's BCUs."""
    trials = trial_rows(request.user)
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.EVALUATION,
        subject="trial",
        references=[f"trial {row.trial.pk}" for row in trials],
    )
    begin_in = bcus_of(request.user).order_by("name") if request.user.can(Permission.MANAGE_TRIALS) else []
    return render(request, "trial/list.html", {"trials": trials, "begin_in": list(begin_in)})


@requires(Permission.VIEW_TRIALS)
@require_safe
def trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """One trial: its protocol in words, and the step that comes next."""
    context = page_context(request, trial_id)
    if context["trial"].commitment:
        context |= power_of(request, context["trial"])
    return render(request, "trial/trial.html", context)


def power_of(request: SignedInRequest, trial: Trial) -> dict[str, Any]:
    """What the trial could find and what it could not, once a worker has worked it out."""
    answer = power.ask_power(question=question_of(trial), by=request.user, at=timezone.now())
    return {"power": answer, "outcome": OUTCOMES[trial.conduct.plan.primary.value]}


def page_context(request: SignedInRequest, trial_id: int) -> dict[str, Any]:
    """What every page that shows the protocol shows; records that it was read."""
    page = _page(request, trial_id)
    record_trial(Action.LIST_SHOWN, page.trial, request.user)
    return {
        "page": page,
        "trial": page.trial,
        "part": "trial",
        "next": next_step(page, request.user),
        "can_manage": request.user.can(Permission.MANAGE_TRIALS),
    }


def _page(request: SignedInRequest, trial_id: int) -> TrialPage:
    try:
        return trial_page(request.user, trial_id)
    except Trial.DoesNotExist as error:
        raise Http404("No such trial.") from error


def draft_or_404(request: SignedInRequest, trial_id: int) -> Trial:
    """A draft of the account's BCUs."""
    return get_object_or_404(trials_visible_to(request.user), pk=trial_id, status=TrialStatus.DRAFT)


@requires(Permission.MANAGE_TRIALS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_trial(request: SignedInRequest) -> HttpResponse:
    """A new draft."""
    bcu = _bcu(request)
    return _protocol_form(request, bcu, initial_of_new(bcu, timezone.localdate()), None)


def _bcu(request: SignedInRequest) -> Bcu:
    """The account's BCU whose code is asked for; without a code the first by name."""
    code = request.POST.get("bcu") or request.GET.get("bcu")
    bcus = bcus_of(request.user).order_by("name")
    bcu = next((bcu for bcu in bcus if not code or bcu.code == code), None)
    if bcu is None:
        raise Http404("The account belongs to no such BCU.")
    return bcu


@requires(Permission.MANAGE_TRIALS)
@require_http_methods(["GET", "HEAD", "POST"])
def design_trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """The protocol of a draft."""
    draft = draft_or_404(request, trial_id)
    return _protocol_form(request, draft.bcu, initial_of(draft), draft)


def _protocol_form(
    request: SignedInRequest, bcu: Bcu, initial: dict[str, Any], draft: Trial | None
) -> HttpResponse:
    """The form with what it could find; saves it unless only that was asked for."""
    form = ProtocolForm(request.POST or None, bcu=bcu, initial=initial)
    if request.method == "POST" and form.is_valid() and "show" not in request.POST:
        saved = _save(request, form, bcu, draft)
        if saved is not None:
            return redirect("trial", trial_id=saved.pk)
    if draft is not None:
        record_trial(Action.LIST_SHOWN, draft, request.user)
    context = {"form": form, "draft": draft, "power": _power(request, form), "bcu": bcu}
    return render(request, "trial/design.html", context)


def _power(request: SignedInRequest, form: ProtocolForm) -> PowerAnswer | None:
    """What the design that is typed could find, once it is complete; or that a worker was asked for it."""
    if not form.is_bound or not form.is_valid():
        return None
    return power.ask_power(question=form.power_question, by=request.user, at=timezone.now())


def _save(request: SignedInRequest, form: ProtocolForm, bcu: Bcu, draft: Trial | None) -> Trial | None:
    terms = {
        "name": form.cleaned_data["name"],
        "design": form.design,
        "stratified_by": form.stratified_by,
        "conduct": form.conduct,
        "by": request.user,
    }
    try:
        if draft is None:
            return design.draft_trial(bcu=bcu, **terms)
        return design.revise_trial(trial_id=draft.pk, **terms)
    except Refused as refused:
        form.add_error("name", str(refused))
        return None


@requires(Permission.MANAGE_TRIALS)
@require_http_methods(["GET", "HEAD", "POST"])
def trial_power(request: SignedInRequest) -> HttpResponse:
    """What the design that is typed could find, as a part of its page; nothing is saved.

    GET is for the page that waits: what has become of the question that it names. 204: it is worked on.
    """
    if request.method == "POST":
        answer = _power(request, ProtocolForm(request.POST, bcu=_bcu(request)))
    else:
        answer = power.look_for_power(
            digest=request.GET.get("question", ""), by=request.user, at=timezone.now()
        )
        if answer.awaited:
            return HttpResponse(status=204)
    return render(request, "trial/_power.html", {"power": answer})


@requires(Permission.MANAGE_TRIALS)
@require_http_methods(["GET", "HEAD", "POST"])
def approve_trial(request: SignedInRequest, trial_id: int, kind: str) -> HttpResponse:
    """An approval of a draft."""
    draft = draft_or_404(request, trial_id)
    if kind not in ApprovalKind.values:
        raise Http404("No such approval.")
    which = ApprovalKind(kind)
    form = ApprovalForm(request.POST or None, kind=which, approval=draft.approvals.filter(kind=which).first())
    if request.method == "POST" and form.is_valid():
        try:
            design.record_approval(
                trial_id=draft.pk, kind=which, **form.cleaned_data, by=request.user, at=timezone.now()
            )
        except Refused as refused:
            form.add_error("given_on", str(refused))
        else:
            messages.success(request, f"Recorded: {which.label}.")
            return redirect("trial", trial_id=draft.pk)
    record_trial(Action.LIST_SHOWN, draft, request.user)
    return render(request, "trial/approve.html", {"trial": draft, "form": form, "kind": which, "part": ""})


@requires(Permission.MANAGE_TRIALS)
@require_http_methods(["GET", "HEAD", "POST"])
def name_registrars(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """The registrars of a draft: one is added at a time."""
    draft = draft_or_404(request, trial_id)
    form = RegistrarForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            design.name_registrar(trial_id=draft.pk, **form.cleaned_data, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect("trial", trial_id=draft.pk)
        return redirect("name_registrars", trial_id=draft.pk)
    registrars = draft.registrars.order_by("name", "pk")
    record_trial(Action.LIST_SHOWN, draft, request.user)
    context = {"trial": draft, "form": form, "registrars": registrars, "part": ""}
    return render(request, "trial/registrars.html", context)


@requires(Permission.MANAGE_TRIALS)
@require_POST
def remove_registrar(request: SignedInRequest, trial_id: int, registrar_id: int) -> HttpResponse:
    """Takes a registrar off the draft."""
    draft = draft_or_404(request, trial_id)
    try:
        design.remove_registrar(trial_id=draft.pk, registrar_id=registrar_id, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("trial", trial_id=draft.pk)
    return redirect("name_registrars", trial_id=draft.pk)


@requires(Permission.EXPORT_TRIALS)
@require_safe
def trial_bundle(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """The bundle that anybody can check, as a file."""
    shown = get_object_or_404(trials_visible_to(request.user).exclude(status=TrialStatus.DRAFT), pk=trial_id)
    bundle = export_trial(trial=shown, by=request.user)
    response = HttpResponse(json.dumps(bundle, indent=1), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="trial-{shown.pk}.json"'
    return response
