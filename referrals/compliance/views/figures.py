"""The figures in detail, and the lists of what they count."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from referrals.compliance.filters import AttemptFilter, CountedFilter
from referrals.compliance.forms import PeriodForm
from referrals.compliance.readers.contact import compliance_of
from referrals.compliance.readers.figures import (
    BOROUGH,
    OFFICER,
    TEAM,
    WARD,
    WEEK,
    attempts_at,
    groups,
    referrals_counted,
    referrals_listed,
    steps_of,
    tried,
)
from referrals.compliance.tables import AttemptTable, CountedTable, GroupTable
from referrals.compliance.views.addresses import asked_with, narrowed_to, opens_of, periods_offered
from referrals.compliance.views.compliance import BY_WARD
from referrals.models import Referral
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.page import Empty, ListPage

BY_GROUP = replace(
    BY_WARD,
    name="figures",
    url_name="compliance_figures",
    caption="In groups",
    table=GroupTable,
    prefix="groups",
)
COUNTED = ListPage(
    name="counted",
    prefix="list",
    url_name="compliance_referrals",
    caption="Referrals counted",
    table=CountedTable,
    filters=CountedFilter,
    purpose=Purpose.SUPERVISION,
    subject="referral",
    references=("number",),
    per_page=50,
    empty=Empty("No referral is counted here", "Choose other days, or another borough."),
)
ATTEMPTS = replace(
    COUNTED,
    name="attempts",
    url_name="compliance_attempts",
    caption="Attempts counted",
    table=AttemptTable,
    filters=AttemptFilter,
    references=("referral__number",),
    empty=Empty("No attempt is counted here", "Choose other days, or another borough."),
)
GROUPS = {TEAM: "Team", BOROUGH: "Borough", WARD: "Ward", WEEK: "Week", OFFICER: "Officer"}


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_figures(request: SignedInRequest) -> HttpResponseBase:
    """The figures in detail: in groups, how long it took, and how contact was tried.

    By officer for those officers' supervisors alone; officers read their own on their list.
    """
    now, user = timezone.now(), request.user
    form = PeriodForm(request.GET, user=user, at=now)
    period, chosen = form.shown, form.chosen
    offered = [by for by in GROUPS if by != OFFICER or user.can(Permission.VIEW_OFFICER_FIGURES)]
    by = request.GET.get("by", TEAM)
    by = by if by in offered else TEAM
    counted = compliance_of(user, period=period, at=now, chosen=chosen)
    opens = opens_of(user, request.GET)
    rows = groups(by, user, counted, period=period, at=now, chosen=chosen)
    listed = BY_GROUP.computed(
        request,
        [replace(row, opens=narrowed_to(opens, row.asks)) for row in rows],
        form=form,
        key=lambda row: row.key,
        file_name=f"compliance-by-{by}-{period.first}-{period.last}",
    )
    if (part := listed.part()) is not None:
        return part
    if by == OFFICER:
        record(
            Action.LIST_SHOWN,
            by=user,
            purpose=Purpose.SUPERVISION,
            subject="account",
            references=[row.asks["officer"] for row in rows],
        )
    referrals = referrals_counted(user, period, now, chosen)
    context = {
        "form": form,
        "periods": periods_offered(request.GET, form.word, "by"),
        "period": period,
        "narrowed": chosen.names,
        "counted": counted,
        "opens": opens,
        "groups": listed,
        "by": GROUPS[by],
        "ways": [
            {"words": GROUPS[each], "is_shown": each == by, "query": asked_with(request.GET, by=each)}
            for each in offered
        ],
        "steps": steps_of(referrals),
        "tried": tried(referrals),
        "opens_attempts": opens_of(user, request.GET, "compliance_attempts"),
        "now": now,
    }
    return render(request, "compliance/figures.html", context)


@requires(Permission.CHASE_REFERRALS)
@require_safe
def compliance_referrals(request: SignedInRequest) -> HttpResponseBase:
    """The referrals that a number of these pages counts."""
    return _counted(request, COUNTED, lambda referrals: referrals.select_related("ward"))


@requires(Permission.CHASE_REFERRALS)
@require_safe
def compliance_attempts(request: SignedInRequest) -> HttpResponseBase:
    """The attempts that a number of these pages counts."""
    return _counted(request, ATTEMPTS, lambda referrals: attempts_at(referrals).select_related("referral"))


def _counted(
    request: SignedInRequest, page: ListPage, rows_of: "Callable[[QuerySet[Referral]], QuerySet[Any]]"
) -> HttpResponseBase:
    """The list of what is counted of the referrals in the account's sight, or a part of it."""
    user = request.user
    form = PeriodForm(request.GET, user=user, at=(now := timezone.now()))
    narrowing = [form[name] for name in ("borough", "team", "officer") if name in form.fields]
    rows = rows_of(referrals_listed(user, form.shown, now, form.chosen))
    listed = page.asked(request, rows, also=narrowing)
    if (part := listed.part()) is not None:
        return part
    listed.record_shown()
    context = {
        "list": listed,
        "form": form,
        "period": form.shown,
        "narrowed": form.chosen.names,
        "back": asked_with(request.GET),
    }
    return render(request, "compliance/referrals.html", context)
