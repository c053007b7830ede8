"""One person: what is known of the account, and a page for each thing that can be changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from referrals.people.actions.people import (
    change_name_or_address,
    change_role,
    close_person,
    give_new_sign_in,
)
from referrals.people.actions.people import reopen_person as open_again
from referrals.people.forms import ClosePersonForm, PersonDetailsForm, PlacesForm, RoleForm
from referrals.people.readers.access_review import open_review
from referrals.people.readers.people import people_to_keep
from referrals.people.readers.person import changes_of, may_belong, stays_of, still_taken
from referrals.people.views.passwords import show_passwords
from referrals.places.actions.membership import move
from referrals.scope import today
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.passwords import first_password
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

_ask_and_do = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Step:
    """Something that can be changed of an account: its form, its action, and what is said once it is done.

    ``begins_with``: what the form has at first. ``gives_password``: the action is given a new first password;
    ``is_timed``: and the time.
    """

    name: str
    act: Callable[..., Any]
    done: str = ""
    form: Callable[..., forms.Form] = forms.Form
    begins_with: Callable[[User], dict[str, Any]] = lambda _: {}
    gives_password: bool = False
    is_timed: bool = False


_DETAILS = Step(
    name="details",
    act=change_name_or_address,
    is_timed=True,
    done="Name and e-mail address are saved.",
    form=PersonDetailsForm,
    begins_with=lambda user: {"display_name": user.display_name, "email": user.email},
)
_ROLE = Step(
    name="role",
    act=change_role,
    done="The role is changed. Look whether the person belongs where they should.",
    form=RoleForm,
    begins_with=lambda user: {"role": user.role},
)
_MOVE = Step(name="move", act=move, done="Where the person belongs is saved.")
_CLOSE = Step(
    name="close",
    act=close_person,
    done="The account is closed. Nobody can sign in with it.",
    form=ClosePersonForm,
)
_REOPEN = Step(name="reopen", act=open_again, gives_password=True, is_timed=True)
_RESET = Step(name="reset", act=give_new_sign_in, gives_password=True, is_timed=True)


@requires(Permission.MANAGE_ACCOUNTS)
@require_safe
def person(request: SignedInRequest, user_id: int) -> HttpResponse:
    """The account, where its person belonged when, and what was changed by whom."""
    found = _shown(request, user_id)
    context = {
        "person": found,
        "stays": stays_of(found, today()),
        "still_taken": still_taken(found, today()),
        "changes": changes_of(found),
        "may_belong": may_belong(found.role),
        "is_own": found == request.user,
    }
    return render(request, "people/person.html", context)


@requires(Permission.MANAGE_ACCOUNTS)
@_ask_and_do
def change_person(request: SignedInRequest, user_id: int) -> HttpResponse:
    """Another name or e-mail address."""
    return _step(request, user_id, _DETAILS)


@requires(Permission.MANAGE_ACCOUNTS)
@_ask_and_do
def change_person_role(request: SignedInRequest, user_id: int) -> HttpResponse:
    """Another role."""
    return _step(request, user_id, _ROLE)


@requires(Permission.MANAGE_ACCOUNTS)
@_ask_and_do
def move_person(request: SignedInRequest, user_id: int) -> HttpResponse:
    """Other teams or BCUs, from a day on."""
    return _step(request, user_id, _MOVE)


@requires(Permission.MANAGE_ACCOUNTS)
@_ask_and_do
def close_account(request: SignedInRequest, user_id: int) -> HttpResponse:
    """The account is closed."""
    return _step(request, user_id, _CLOSE)


@requires(Permission.MANAGE_ACCOUNTS)
@_ask_and_do
def reopen_person(request: SignedInRequest, user_id: int) -> HttpResponse:
    """The account is open again, with a new first password."""
    return _step(request, user_id, _REOPEN)


@requires(Permission.MANAGE_ACCOUNTS)
@_ask_and_do
def reset_person(request: SignedInRequest, user_id: int) -> HttpResponse:
    """A lost second factor or password: both are given anew."""
    return _step(request, user_id, _RESET)


def _step(request: SignedInRequest, user_id: int, step: Step) -> HttpResponse:
    """Asks; once confirmed does it, or says why not and keeps what was typed."""
    found = _shown(request, user_id)
    sent = request.POST if request.method == "POST" else None
    form = (
        PlacesForm(sent, person=found) if step is _MOVE else step.form(sent, initial=step.begins_with(found))
    )
    if request.method == "POST" and form.is_valid():
        password = first_password() if step.gives_password else ""
        given: dict[str, Any] = {"at": timezone.now()} if step.is_timed else {}
        if password:
            given["password"] = password
        try:
            changed = step.act(user=found, **form.cleaned_data, **given, by=request.user)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            if password:
                return show_passwords(request, [(found, password)])
            if changed is False:
                messages.info(request, "Nothing changed: it was so already.")
            else:
                messages.success(request, f"{found}: {step.done}")
            if form.cleaned_data.get("because") == ClosedBecause.REVIEW and open_review():
                return redirect("access_review")
            return redirect("person", user_id=user_id)
    context = {"person": found, "form": form, "may_belong": may_belong(found.role)}
    return render(request, f"people/change/{step.name}.html", context)


def _shown(request: SignedInRequest, user_id: int) -> User:
    """The account that the page is about; that it was shown is on record."""
    found: User = get_object_or_404(people_to_keep(request.user), pk=user_id)
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.ADMINISTRATION,
        subject="account",
        references=[found.username],
    )
    return found
