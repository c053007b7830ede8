"""Which cases a list shows, and in what order."""

from operator import itemgetter
from typing import Any

import django_filters

from referrals.models import Case, CaseState, Ward
from referrals.scope import places_of
from src_app.accounts.models import User
from src_app.lists.filters import FromDayFilter, ListFilter, Order, OrderFilter, ToDayFilter


class CaseFilter(ListFilter):
    """By place, state and day of the report, within what the account may see."""

    borough = django_filters.ChoiceFilter(
        field_name="ward__borough", label="Borough", empty_label="Every borough"
    )
    ward = django_filters.ChoiceFilter(label="Ward", empty_label="Every ward")
    state = django_filters.ChoiceFilter(label="State", choices=CaseState.choices, empty_label="Every state")
    first = FromDayFilter(field_name="reported_at", label="Reported from")
    last = ToDayFilter(field_name="reported_at", label="Reported to")
    order = OrderFilter(
        {
            "latest": Order("Latest report first", ("-reported_at", "-pk")),
            "earliest": Order("Earliest report first", ("reported_at", "pk")),
        }
    )

    class Meta:
        model = Case
        fields: list[str] = []

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        wards = list(
            Ward.objects.filter(borough__bcu__in=places_of(user).bcus)
            .order_by("name", "pk")
            .values_list("pk", "name", "borough", "borough__name")
        )
        boroughs = {borough: name for _, _, borough, name in wards}
        self.filters["borough"].extra["choices"] = sorted(boroughs.items(), key=itemgetter(1))
        self.filters["ward"].extra["choices"] = [(ward, f"{name}, {of}") for ward, name, _, of in wards]
