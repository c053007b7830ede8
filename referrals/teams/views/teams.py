"""The list of teams, one team, and a page for each thing that can be changed of it alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from referrals.models import Team
from referrals.places.actions.mailboxes import change_mailbox as change_address
from referrals.places.actions.mailboxes import confirm_mailbox as confirm
from referrals.places.actions.teams import add_team as add
from referrals.places.actions.teams import close_team as close
from referrals.places.actions.teams import rename_team as rename
from referrals.places.actions.teams import why_not_close_team
from referrals.scope import today
from referrals.teams.filters import TeamFilter
from referrals.teams.forms import AddTeamForm, CodeForm, MailboxForm, TeamNameForm
from referrals.teams.readers import (
    TeamRow,
    bcus_with_boroughs,
    in_no_other_team,
    members_on,
    moves_to_keep,
    rows_of,
    teams_to_keep,
    tests_of,
)
from referrals.teams.tables import TeamTable, state_of
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.page import Empty, ListPage
from src_app.refused import Refused

ask_and_do = require_http_methods(["GET", "HEAD", "POST"])
_MOST_TESTS = 10


def _rows(teams: list[Team]) -> list[TeamRow]:
    return rows_of(teams, today())


TEAMS = ListPage(
    name="teams",
    url_name="team_list",
    caption="Teams",
    table=TeamTable,
    filters=TeamFilter,
    told=_rows,
    purpose=Purpose.ADMINISTRATION,
    subject="team",
    per_page=100,
    empty=Empty("No teams", "Add the first team."),
)


@requires(Permission.MANAGE_PLACES)
@require_safe
def team_list(request: SignedInRequest) -> HttpResponseBase:
    """Teams with their wards, people, open referrals and mailbox."""
    teams = TEAMS.asked(request, teams_to_keep(request.user))
    if (part := teams.part()) is not None:
        return part
    teams.record_shown()
    return render(request, "teams/list.html", {"list": teams})


@requires(Permission.MANAGE_PLACES)
@require_safe
def bcu_list(request: SignedInRequest) -> HttpResponse:
    """Every BCU with its boroughs."""
    return render(request, "teams/bcus.html", {"bcus": bcus_with_boroughs(request.user)})


@requires(Permission.MANAGE_PLACES)
@require_safe
def team(request: SignedInRequest, team_id: int) -> HttpResponse:
    """What the team has, what is planned for it, and what was."""
    found = shown_team(request, team_id)
    [row] = rows_of([found], today())
    moves = moves_to_keep(request.user)
    moves = moves.filter(from_team=found) | moves.filter(to_team=found)
    context = {
        "team": found,
        "row": row,
        "mailbox_state": state_of(row.mailbox),
        "members": members_on(found, today()),
        "today": today(),
        "planned": [move for move in moves if not move.done_at and not move.dropped_at],
        "past": [move for move in moves if move.done_at or move.dropped_at],
        "tests": tests_of(found)[:_MOST_TESTS],
        "code_form": CodeForm(),
        "why_not_close": why_not_close_team(found),
    }
    return render(request, "teams/team.html", context)


@requires(Permission.MANAGE_PLACES)
@ask_and_do
def add_team(request: SignedInRequest) -> HttpResponse:
    """A new team; its mailbox gets a test mail."""
    form = AddTeamForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = add(**form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{made} is added, and a test mail is on its way to {made.mailbox}.")
            return redirect("team", team_id=made.pk)
    return render(request, "teams/add.html", {"form": form})


@dataclass(frozen=True)
class Step:
    """Something that can be changed of a team: its form, its action, and what is said once it is done.

    ``begins_with``: what the form has at first. ``is_timed``: the action is given the time.
    """

    name: str
    act: Callable[..., Any]
    done: str
    form: Callable[..., forms.Form] = forms.Form
    begins_with: Callable[[Team], dict[str, Any]] = lambda _: {}
    is_timed: bool = True


_RENAME = Step(
    name="rename",
    act=rename,
    is_timed=False,
    done="The name is saved.",
    form=TeamNameForm,
    begins_with=lambda team: {"name": team.name},
)
_MAILBOX = Step(
    name="mailbox",
    act=change_address,
    done="A test mail is on its way. Once its code is given, the address counts.",
    form=MailboxForm,
    begins_with=lambda team: {"address": team.mailbox},
)
_CLOSE = Step(name="close", act=close, done="The team is closed. Its history stays.")


@requires(Permission.MANAGE_PLACES)
@ask_and_do
def rename_team(request: SignedInRequest, team_id: int) -> HttpResponse:
    """Another name."""
    return _step(request, team_id, _RENAME)


@requires(Permission.MANAGE_PLACES)
@ask_and_do
def change_mailbox(request: SignedInRequest, team_id: int) -> HttpResponse:
    """Another mailbox, or a test of the one there is."""
    return _step(request, team_id, _MAILBOX)


@requires(Permission.MANAGE_PLACES)
@ask_and_do
def close_team(request: SignedInRequest, team_id: int) -> HttpResponse:
    """The team is closed, if it has nothing left to do."""
    return _step(request, team_id, _CLOSE)


def _step(request: SignedInRequest, team_id: int, step: Step) -> HttpResponse:
    """Asks; once confirmed does it, or says why not and keeps what was typed."""
    found = shown_team(request, team_id)
    form = step.form(request.POST if request.method == "POST" else None, initial=step.begins_with(found))
    if request.method == "POST" and form.is_valid():
        now = {"at": timezone.now()} if step.is_timed else {}
        try:
            changed = step.act(team=found, **form.cleaned_data, by=request.user, **now)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            if changed is False:
                messages.info(request, "Nothing changed: it was so already.")
            else:
                messages.success(request, f"{found}: {step.done}")
            return redirect("team", team_id=team_id)
    members = members_on(found, today())
    context = {
        "team": found,
        "form": form,
        "members": members,
        "alone": in_no_other_team(members, today()),
        "why_not_close": why_not_close_team(found),
    }
    return render(request, f"teams/change/{step.name}.html", context)


@requires()
@ask_and_do
def confirm_mailbox(request: SignedInRequest) -> HttpResponse:
    """Asks whoever opened the link of a test mail to show that it has come; says no more than that."""
    sent = request.POST if request.method == "POST" else None
    form = CodeForm(sent, initial={"code": request.GET.get("code", "")[:40]})
    if request.method == "POST" and form.is_valid():
        try:
            test = confirm(code=form.cleaned_data["code"], by=request.user, at=timezone.now())
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            said = f"Thank you. Mail of {test.team} goes to {test.address}."
            messages.success(request, said)
            return _after_confirming(test.team, request.user)
    return render(request, "teams/confirm_mailbox.html", {"form": form})


def _after_confirming(confirmed: Team, user: User) -> HttpResponse:
    if user.can(Permission.MANAGE_PLACES):
        return redirect("team", team_id=confirmed.pk)
    return redirect("home")


def shown_team(request: SignedInRequest, team_id: int) -> Team:
    """The team that the page is about; that it and its people were shown is on record."""
    found: Team = get_object_or_404(teams_to_keep(request.user), pk=team_id)
    people = [each.user.username for each in members_on(found, today())]
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.ADMINISTRATION,
        subject="team",
        references=[f"team {team_id}", *people],
    )
    return found
