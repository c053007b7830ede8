"""Which part of the audit log is shown."""

import django_filters
from django.db.models import QuerySet

from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.lists.filters import FromDayFilter, ListFilter, Order, OrderFilter, ToDayFilter

# Of one kind to whoever asks who has seen something, and each of them an act of its own as well.
OPENED = "opened"
_OPENED_BY = (
    Action.LIST_SHOWN,
    Action.SEARCHED,
    Action.CASE_OPENED,
    Action.REFERRAL_OPENED,
    Action.LOOK_OPENED,
)


class AuditFilter(ListFilter):
    """By account, act, purpose and day. A reference is searched for by POST: it stays out of addresses."""

    account = django_filters.ModelChoiceFilter(
        field_name="actor",
        label="Account",
        queryset=User.objects.order_by("display_name"),
        empty_label="Every account",
    )
    action = django_filters.ChoiceFilter(
        label="What",
        choices=[
            (OPENED, "Opened: a list, a search, a case or a referral"),
            ("One act alone", Action.choices),
        ],
        empty_label="Everything",
        method="by_act",
    )
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

    def by_act(self, rows: QuerySet[AuditEntry], _name: str, value: str) -> QuerySet[AuditEntry]:
        """Those of one act, or of all acts by which something is seen."""
        return rows.filter(action__in=_OPENED_BY) if value == OPENED else rows.filter(action=value)
