"""Which extracts a list shows, and in what order."""

import django_filters

from referrals.models import CaseImport, ImportStatus
from src_app.lists.filters import FromDayFilter, ListFilter, Order, OrderFilter, ToDayFilter


class ImportFilter(ListFilter):
    """Extracts by what became of them and when they arrived."""

    status = django_filters.ChoiceFilter(
        label="What became of it", choices=ImportStatus.choices, empty_label="Anything"
    )
    first = FromDayFilter(field_name="uploaded_at", label="Arrived from")
    last = ToDayFilter(field_name="uploaded_at", label="Arrived to")
    order = OrderFilter(
        {
            "latest": Order("Latest first", ("-uploaded_at", "-pk")),
            "earliest": Order("Earliest first", ("uploaded_at", "pk")),
        }
    )

    class Meta:
        model = CaseImport
        fields: list[str] = []
