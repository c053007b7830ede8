"""Which cases the list of what is missing shows."""

import django_filters
from django.db.models import QuerySet
from django.utils import timezone

from outcomes.quality.readers import LACKS, lacking
from referrals.models import Case
from src_app.lists.filters import ListFilter, Order, OrderFilter


class LackFilter(ListFilter):
    """By what is missing."""

    lacks = django_filters.ChoiceFilter(
        label="What is missing", choices=list(LACKS.items()), empty_label="Anything", method="by_lack"
    )
    order = OrderFilter(
        {
            "latest": Order("Latest report first", ("-reported_at", "-pk")),
            "earliest": Order("Earliest report first", ("reported_at", "pk")),
        }
    )

    class Meta:
        model = Case
        fields: list[str] = []

    def by_lack(self, rows: QuerySet[Case], _name: str, value: str) -> QuerySet[Case]:
        """Those that lack it."""
        return rows.filter(pk__in=lacking(self.user, timezone.now(), value).order_by().values("pk"))
