"""Which wards a list shows, and in what order."""

from typing import Any

import django_filters

from referrals.models import Borough, Ward
from src_app.accounts.models import User
from src_app.lists.filters import ListFilter, Order, OrderFilter


class WardFilter(ListFilter):
    """Wards of one borough, or of all."""

    borough = django_filters.ChoiceFilter(label="Borough", empty_label="Every borough")
    order = OrderFilter(
        {"name": Order("By name", ("name", "pk")), "code": Order("By ONS code", ("code", "pk"))}
    )

    class Meta:
        model = Ward
        fields: list[str] = []

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        boroughs = Borough.objects.order_by("name", "pk")
        self.filters["borough"].extra["choices"] = list(boroughs.values_list("pk", "name"))
