"""Which teams a list shows, and in what order."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from referrals.models import Borough, Team
from src_app.accounts.models import User
from src_app.lists.filters import ListFilter, Order, OrderFilter

STATES = (("open", "Open"), ("closed", "Closed"))


class TeamFilter(ListFilter):
    """Teams by name, borough and state."""

    search = django_filters.CharFilter(
        label="Name", max_length=100, field_name="name", lookup_expr="icontains"
    )
    borough = django_filters.ChoiceFilter(label="Borough", empty_label="Every borough")
    state = django_filters.ChoiceFilter(
        label="Team", choices=STATES, empty_label="Open and closed", method="by_state"
    )
    order = OrderFilter(
        {"name": Order("By name", ("name", "pk")), "mailbox": Order("By mailbox", ("mailbox", "pk"))}
    )

    class Meta:
        model = Team
        fields: list[str] = []

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        boroughs = Borough.objects.order_by("name", "pk")
        self.filters["borough"].extra["choices"] = list(boroughs.values_list("pk", "name"))

    def by_state(self, teams: QuerySet[Team], _name: str, value: str) -> QuerySet[Team]:
        """Those that are open, or those that are not."""
        return teams.filter(closed_at__isnull=value == "open")
