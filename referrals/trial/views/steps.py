"""The steps of a trial: each says what will happen, and asks once."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from referrals.models import Trial
from referrals.scope import trials_visible_to
from referrals.trial.actions import design, life
from referrals.trial.forms.steps import CloseForm, PauseForm, ProposeForm
from referrals.trial.readers.approvals import approvers_of
from referrals.trial.views.trials import page_context, power_of
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.refused import Refused

_ask_and_do = require_http_methods(["GET", "HEAD", "POST"])


class SealForm(forms.Form):
    """The digest of the protocol that was read."""

    digest = forms.CharField(widget=forms.HiddenInput)


@requires(Permission.MANAGE_TRIALS)
@_ask_and_do
def propose_trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Puts the draft before whoever seals it."""
    return _step(
        request,
        trial_id,
        "propose",
        lambda given: life.propose(trial_id=trial_id, **given, by=request.user, at=timezone.now()),
        form_class=partial(ProposeForm, approvers=approvers_of(trial_id, but=request.user)),
        done="Proposed. Whoever is to seal it is told by e-mail that it waits.",
    )


@requires(Permission.SEAL_TRIALS)
@_ask_and_do
def seal_trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """The protocol once more, and the seal."""
    return _step(
        request,
        trial_id,
        "seal",
        lambda given: life.seal(trial_id=trial_id, **given, by=request.user, at=timezone.now()),
        form_class=SealForm,
        shows=lambda trial: power_of(request, trial),
        done="Sealed. The commitment is on this page and on its way to the registrars.",
    )


@requires(Permission.VIEW_TRIALS)
@require_safe
def could_find(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """What the trial could find and what it could not, as a part of a page.

    204: a worker is still at it.
    """
    trial = get_object_or_404(trials_visible_to(request.user), pk=trial_id)
    shown = power_of(request, trial)
    if shown["power"].awaited:
        return HttpResponse(status=204)
    return render(request, "trial/_could_find.html", {"trial": trial, **shown})


@requires(Permission.MANAGE_TRIALS)
@_ask_and_do
def open_trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Begins recruitment."""
    return _step(
        request,
        trial_id,
        "open",
        lambda _: life.open_recruitment(trial_id=trial_id, by=request.user, at=timezone.now()),
        done="The trial recruits in the wards that are in trial mode.",
    )


@requires(Permission.MANAGE_TRIALS)
@_ask_and_do
def pause_trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Stops recruitment for a while."""
    return _step(
        request,
        trial_id,
        "pause",
        lambda given: life.pause(trial_id=trial_id, **given, by=request.user, at=timezone.now()),
        form_class=PauseForm,
        done="Paused. No case is allocated until you resume.",
    )


@requires(Permission.MANAGE_TRIALS)
@_ask_and_do
def resume_trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Lets a paused trial recruit again."""
    return _step(
        request,
        trial_id,
        "resume",
        lambda _: life.resume(trial_id=trial_id, by=request.user, at=timezone.now()),
        done="The trial recruits again.",
    )


@requires(Permission.MANAGE_TRIALS)
@_ask_and_do
def close_trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Ends recruitment for good."""
    return _step(
        request,
        trial_id,
        "close",
        lambda given: life.close(trial_id=trial_id, **given, by=request.user, at=timezone.now()),
        form_class=CloseForm,
        done="Closed to recruitment. The head of the chain is on its way to the registrars.",
    )


@requires(Permission.MANAGE_TRIALS)
@_ask_and_do
def reveal_trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Publishes the seed."""
    return _step(
        request,
        trial_id,
        "reveal",
        lambda _: life.reveal(trial_id=trial_id, by=request.user, at=timezone.now()),
        done="Revealed. Anybody can check every allocation with the bundle.",
    )


@requires(Permission.MANAGE_TRIALS)
@_ask_and_do
def delete_trial(request: SignedInRequest, trial_id: int) -> HttpResponse:
    """Takes a draft away."""
    return _step(
        request,
        trial_id,
        "delete",
        lambda _: design.delete_draft(trial_id=trial_id, by=request.user),
        done="The draft is deleted.",
        leads_to="trial_list",
    )


def _step(
    request: SignedInRequest,
    trial_id: int,
    step: str,
    act: Callable[[dict[str, Any]], object],
    *,
    done: str,
    form_class: Callable[..., forms.Form] = forms.Form,
    shows: Callable[[Trial], dict[str, Any]] = lambda _: {},
    leads_to: str = "trial",
) -> HttpResponse:
    """Asks for confirmation; once confirmed takes the step, or says why not and keeps what was typed."""
    context = page_context(request, trial_id)
    trial: Trial = context["trial"]
    context |= shows(trial)
    form = form_class(
        request.POST if request.method == "POST" else None,
        initial={"digest": life.proposal_digest(trial)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data)
        except Refused as refused:
            if not form.visible_fields():
                messages.error(request, str(refused))
                return redirect("trial", trial_id=trial_id)
            form.add_error(None, str(refused))
            return render(request, f"trial/steps/{step}.html", {**context, "form": form})
        messages.success(request, done)
        return redirect(leads_to) if leads_to == "trial_list" else redirect(leads_to, trial_id=trial_id)
    return render(request, f"trial/steps/{step}.html", {**context, "form": form})
