"""Which part of the audit log is shown."""

import django_filters

from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.lists.filters import FromDayFilter, ListFilter, Order, OrderFilter, ToDayFilter


class AuditFilter(ListFilter):
    """By account, act, purpose and day. A reference is searched for by POST: it stays out of addresses."""

    account = django_filters.ModelChoiceFilter(
        field_name="actor",
        label="Account",
        queryset=User.objects.order_by("display_name"),
        empty_label="Every account",
    )
    action = django_filters.ChoiceFilter(label="What", choices=Action.choices, empty_label="Everything")
    purpose = django_filters.ChoiceFilter(
        label="Purpose", choices=Purpose.choices, empty_label="Every purpose"
    )
    first = FromDayFilter(field_name="at", label="From")
    last = ToDayFilter(field_name="at", label="To")
    order = OrderFilter(
        {
            "latest": Order("Latest first", ("-at", "-pk")),
            "earliest": Order("Earliest first", ("at", "pk")),
        }
    )

    class Meta:
        model = AuditEntry
        fields: list[str] = []
