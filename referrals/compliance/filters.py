"""Which referrals the lists of compliance show, and in what order."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone

from referrals.compliance.readers.contact import STANDINGS, standing_conditions
from referrals.models import Referral
from referrals.scope import wards_visible_to
from src_app.accounts.models import User
from src_app.lists.filters import FromDayFilter, ListFilter, Order, OrderFilter, ToDayFilter


class OverdueFilter(ListFilter):
    """By whether somebody has taken them; the borough is the whole page's."""

    taken = django_filters.ChoiceFilter(
        label="Taken by",
        choices=[("nobody", "Nobody"), ("somebody", "Somebody")],
        empty_label="Anybody or nobody",
        method="by_taken",
    )
    order = OrderFilter(
        {
            "longest": Order("Longest overdue first", ("due_at", "pk")),
            "latest": Order("Latest due first", ("-due_at", "-pk")),
        }
    )

    class Meta:
        model = Referral
        fields: list[str] = []

    def by_taken(self, rows: QuerySet[Referral], _name: str, value: str) -> QuerySet[Referral]:
        """Those that nobody has taken yet, or the others."""
        return rows.filter(taken_by__isnull=value == "nobody")


class CountedFilter(ListFilter):
    """By how they stand, by ward, and by due date within the period of the whole page."""

    standing = django_filters.ChoiceFilter(
        label="How it stands", choices=list(STANDINGS.items()), empty_label="Any", method="by_standing"
    )
    ward = django_filters.ChoiceFilter(field_name="ward__code", label="Ward", empty_label="All wards")
    first = FromDayFilter(field_name="due_at", label="Of these, due from")
    last = ToDayFilter(field_name="due_at", label="Of these, due to")
    order = OrderFilter(
        {
            "latest": Order("Latest due first", ("-due_at", "-pk")),
            "longest": Order("First due first", ("due_at", "pk")),
        }
    )

    class Meta:
        model = Referral
        fields: list[str] = []

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        wards = wards_visible_to(user).order_by("name", "pk").values_list("code", "name")
        self.filters["ward"].extra["choices"] = list(wards)

    def by_standing(self, rows: QuerySet[Referral], _name: str, value: str) -> QuerySet[Referral]:
        """Those that stand so now."""
        return rows.filter(standing_conditions(timezone.now())[value])
