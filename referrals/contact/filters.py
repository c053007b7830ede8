"""Which follow-ups a list shows, and in what order."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from referrals.models import FOR_THE_HCOP, FollowUp, FollowUpKind
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.lists.filters import ListFilter, Order, OrderFilter


class FollowUpFilter(ListFilter):
    """By what came up, among what the account may see."""

    kind = django_filters.ChoiceFilter(label="Follow-up", empty_label="Every follow-up")
    owner = django_filters.ChoiceFilter(
        label="With",
        empty_label="Anybody",
        choices=[("me", "Me"), ("nobody", "Nobody yet")],
        method="owned_by",
    )
    order = OrderFilter(
        {
            "oldest": Order("Longest waiting first", ("raised_at", "pk")),
            "latest": Order("Latest first", ("-raised_at", "-pk")),
        }
    )

    class Meta:
        model = FollowUp
        fields: list[str] = []

    def owned_by(self, rows: "QuerySet[FollowUp]", name: str, value: str) -> "QuerySet[FollowUp]":
        """Those of the account, or those that nobody has acknowledged."""
        return rows.filter(acknowledged_by=self.user if value == "me" else None)

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        hidden = () if user.can(Permission.REVIEW_CASES) else FOR_THE_HCOP
        self.filters["kind"].extra["choices"] = [
            choice for choice in FollowUpKind.choices if choice[0] not in hidden
        ]
