"""Wards go to another team, or a team becomes part of another; a page says first what follows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from referrals.places.actions.wards import change_ward as change
from referrals.places.readers import wards_to_keep
from referrals.scope import today
from referrals.teams.actions import moves
from referrals.teams.forms import MergeForm, MoveWardsForm, WardForm
from referrals.teams.readers import goes_along, moves_to_keep
from referrals.teams.views.teams import ask_and_do, shown_team
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused


@dataclass(frozen=True)
class Move:
    """Something that goes to another team: its form, and its action."""

    name: str
    form: Callable[..., MergeForm]
    act: Callable[..., Any]


_WARDS = Move(name="move_wards", form=MoveWardsForm, act=moves.move_wards)
_TEAM = Move(name="merge", form=MergeForm, act=moves.merge_team)


@requires(Permission.MANAGE_PLACES)
@ask_and_do
def move_wards(request: SignedInRequest, team_id: int) -> HttpResponse:
    """Wards of the team to another one."""
    return _move(request, team_id, _WARDS)


@requires(Permission.MANAGE_PLACES)
@ask_and_do
def merge_team(request: SignedInRequest, team_id: int) -> HttpResponse:
    """The team into another one."""
    return _move(request, team_id, _TEAM)


def _move(request: SignedInRequest, team_id: int, kind: Move) -> HttpResponse:
    """Asks what is to go where and when; then shows what follows; with ``confirmed``, does it."""
    team, at = shown_team(request, team_id), timezone.now()
    form = kind.form(request.POST if request.method == "POST" else None, team=team)
    context: dict[str, Any] = {"team": team, "form": form}
    if request.method != "POST" or not form.is_valid():
        return render(request, f"teams/change/{kind.name}.html", context)
    chosen = form.cleaned_data
    if "confirmed" in request.POST:
        try:
            move = kind.act(from_team=team, **chosen, by=request.user, at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
            return render(request, f"teams/change/{kind.name}.html", context)
        done = "Done" if move.done_at else "Planned: it is carried out early on that day"
        messages.success(request, f"{done}. Both teams are told by e-mail.")
        return redirect("team", team_id=chosen["to_team"].pk if move.done_at and move.is_merge else team_id)
    context |= {
        "goes": goes_along(team, chosen.get("wards"), at),
        "is_today": chosen["starts_on"] <= today(),
        "left": team.wards.count() - len(chosen.get("wards", ())),
    }
    return render(request, f"teams/change/{kind.name}_check.html", context)


@requires(Permission.MANAGE_PLACES)
@require_POST
def drop_move(request: SignedInRequest, move_id: int) -> HttpResponse:
    """What was planned for a day to come does not happen."""
    move = get_object_or_404(moves_to_keep(request.user), pk=move_id)
    try:
        moves.drop_move(move_id=move.pk, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.info(request, str(refused))
    else:
        messages.success(request, "Called off. Both teams are told by e-mail.")
    return redirect("team", team_id=move.from_team_id)


@requires(Permission.MANAGE_PLACES)
@ask_and_do
def change_ward(request: SignedInRequest, ward_id: int) -> HttpResponse:
    """A ward's name, or the new code that it got."""
    ward = get_object_or_404(wards_to_keep(request.user), pk=ward_id)
    sent = request.POST if request.method == "POST" else None
    form = WardForm(sent, initial={"name": ward.name, "code": ward.code})
    if request.method == "POST" and form.is_valid():
        try:
            changed = change(ward=ward, **form.cleaned_data, by=request.user)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            if changed:
                messages.success(request, f"{form.cleaned_data['name']} is saved.")
            else:
                messages.info(request, "Nothing changed: it was so already.")
            return redirect("place_list")
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.ADMINISTRATION,
        subject="ward",
        references=[ward.code],
    )
    return render(request, "teams/change/ward.html", {"ward": ward, "form": form})
