"""The access review: the administrator's list, and what each supervisor is asked."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.people.actions import access_review as actions
from referrals.people.filters import AccessFilter
from referrals.people.forms import AccessForm
from referrals.people.readers.access_review import (
    AccessRow,
    access_rows,
    accounts_in_review,
    answers_in,
    open_review,
    past_reviews,
    to_be_asked,
    to_confirm,
)
from referrals.people.tables import AccessTable
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.page import Empty, ListPage
from src_app.refused import Refused


def _told(users: list[User]) -> list[AccessRow]:
    return access_rows(users, timezone.now())


ACCESS = ListPage(
    name="access",
    url_name="access_review",
    caption="Who still needs an account?",
    table=AccessTable,
    filters=AccessFilter,
    told=_told,
    purpose=Purpose.ADMINISTRATION,
    subject="account",
    references=("username",),
    per_page=100,
    empty=Empty("Nobody", "No account is open."),
)


@requires(Permission.MANAGE_ACCOUNTS)
@require_safe
def access_review(request: SignedInRequest) -> HttpResponseBase:
    """Open accounts, who has not signed in for long, and what supervisors said of them."""
    accounts = ACCESS.asked(request, accounts_in_review(request.user))
    if (part := accounts.part()) is not None:
        return part
    accounts.record_shown()
    context = {"list": accounts, "review": open_review(), "past": past_reviews()}
    return render(request, "people/access/review.html", context)


@requires(Permission.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "HEAD", "POST"])
def start_access_review(request: SignedInRequest) -> HttpResponse:
    """Says whom it asks and how, then asks the supervisors."""
    if request.method != "POST":
        asked = to_be_asked(request.user)
        record(
            Action.LIST_SHOWN,
            by=request.user,
            purpose=Purpose.ADMINISTRATION,
            subject="account",
            references=[user.username for user in asked.supervisors],
        )
        return render(request, "people/access/start.html", {"review": open_review(), "asked": asked})
    try:
        actions.start_review(by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The review is started. Supervisors are asked about their teams.")
    return redirect("access_review")


@requires(Permission.MANAGE_ACCOUNTS)
@require_POST
def end_access_review(request: SignedInRequest) -> HttpResponse:
    """Ends the review."""
    try:
        actions.end_review(by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The review is ended. What was said stays on record.")
    return redirect("access_review")


@requires(Permission.CONFIRM_ACCESS)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_access(request: SignedInRequest) -> HttpResponse:
    """A supervisor says of each person of the own teams whether the account is still needed."""
    review, people = open_review(), list(to_confirm(request.user))
    if review is None:
        messages.info(request, "No access review is open: there is nothing to answer.")
        return redirect("compliance")
    answers = answers_in(review, people)
    form = AccessForm(request.POST if request.method == "POST" else None, people=people, answers=answers)
    if request.method == "POST" and form.is_valid():
        try:
            new = actions.confirm_access(said=form.said, by=request.user, at=timezone.now())
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect("compliance")
        messages.success(request, "Your answers are saved." if new else "Nothing changed: it was so already.")
        return redirect("confirm_access")
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.ADMINISTRATION,
        subject="account",
        references=[person.username for person in people],
    )
    context: dict[str, Any] = {"review": review, "form": form, "people": people}
    return render(request, "people/access/confirm.html", context)
