"""Teams and wards as they stand."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from referrals.mail.readers import refused_mailboxes
from referrals.models import Ward
from referrals.places.filters import WardFilter
from referrals.places.readers import (
    WardRow,
    modes_on,
    wards_to_keep,
    wards_without_postcode,
)
from referrals.places.tables import WardTable
from referrals.scope import today
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Purpose
from src_app.lists.page import Empty, ListPage


def _with_modes(wards: list[Ward]) -> list[WardRow]:
    return modes_on(wards, today())


WARDS = ListPage(
    name="wards",
    url_name="place_list",
    caption="Wards and teams",
    table=WardTable,
    filters=WardFilter,
    told=_with_modes,
    purpose=Purpose.ADMINISTRATION,
    subject="ward",
    references=("code",),
    per_page=100,
    empty=Empty("No wards", "Ask an operator to run load_reference_data."),
)


@requires(Permission.MANAGE_PLACES)
@require_safe
def place_list(request: SignedInRequest) -> HttpResponseBase:
    """Wards with their team and mode."""
    wards = WARDS.asked(request, wards_to_keep(request.user))
    if (part := wards.part()) is not None:
        return part
    wards.record_shown()
    without = wards_without_postcode().values_list("name", "code")
    context = {"list": wards, "without_postcode": without, "refused_mailboxes": refused_mailboxes()}
    return render(request, "places/wards.html", context)
