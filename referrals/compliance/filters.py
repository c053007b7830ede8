"""Which overdue referrals the compliance page shows, and in what order."""

import django_filters
from django.db.models import QuerySet

from referrals.models import Referral
from src_app.lists.filters import ListFilter, Order, OrderFilter


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
