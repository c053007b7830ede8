"""People, teams and wards as they stand."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from referrals.places.readers import (
    modes_on,
    people_to_keep,
    wards_to_keep,
    with_places,
)
from referrals.places.tables import PersonTable, WardTable
from referrals.scope import today
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.paging import page_of

PER_PAGE = 100


@requires(Permission.MANAGE_PLACES)
@require_safe
def place_list(request: SignedInRequest) -> HttpResponse:
    """Wards with their team and mode."""
    paged = page_of(request, wards_to_keep(request.user), PER_PAGE)
    _record(request, "ward", [ward.code for ward in paged.rows])
    table = WardTable(modes_on(paged.rows, today()), caption="Wards, by borough")
    return render(request, "places/wards.html", {"paged": paged, "table": table})


@requires(Permission.MANAGE_ACCOUNTS)
@require_safe
def person_list(request: SignedInRequest) -> HttpResponse:
    """People with their role, their teams and their BCUs."""
    paged = page_of(request, people_to_keep(request.user), PER_PAGE)
    _record(request, "account", [user.username for user in paged.rows])
    table = PersonTable(with_places(paged.rows, today()), caption="People, by name")
    return render(request, "places/people.html", {"paged": paged, "table": table})


def _record(request: SignedInRequest, subject: str, references: list[str]) -> None:
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.ADMINISTRATION,
        subject=subject,
        references=references,
    )
