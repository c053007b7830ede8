"""Which flags a list shows, and in what order."""

from typing import Any

import django_filters

from referrals.models import Borough, Referral
from referrals.scope import places_of
from src_app.accounts.models import User
from src_app.lists.filters import ListFilter, Order, OrderFilter


class FlagFilter(ListFilter):
    """Flags to confirm: by borough, within what the account may see."""

    borough = django_filters.ChoiceFilter(
        field_name="ward__borough", label="Borough", empty_label="Every borough"
    )
    order = OrderFilter(
        {
            "oldest": Order("Longest waiting first", ("made_at", "pk")),
            "latest": Order("Latest referral first", ("-made_at", "-pk")),
        }
    )

    class Meta:
        model = Referral
        fields: list[str] = []

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        boroughs = Borough.objects.filter(bcu__in=places_of(user).bcus).order_by("name", "pk")
        self.filters["borough"].extra["choices"] = list(boroughs.values_list("pk", "name"))


class RemovalFilter(ListFilter):
    """Flags to remove, in either order."""

    order = OrderFilter(
        {
            "oldest": Order("First ruled out first", ("ruled_out_since", "pk")),
            "latest": Order("Last ruled out first", ("-ruled_out_since", "-pk")),
        }
    )

    class Meta:
        model = Referral
        fields: list[str] = []
