"""Which referrals the lists of compliance show, and in what order."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone

from referrals.compliance.readers.contact import STANDINGS, standing_conditions
from referrals.compliance.readers.figures import STEPS, that_took
from referrals.compliance.readers.patterns import SIDES, on_side
from referrals.models import ContactAttempt, Method, Referral, Result
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
    """By how they stand, what was done, by ward, and by due date within the period of the whole page."""

    standing = django_filters.ChoiceFilter(
        label="How it stands", choices=list(STANDINGS.items()), empty_label="Any", method="by_standing"
    )
    step = django_filters.ChoiceFilter(
        label="What was done", choices=list(STEPS.items()), empty_label="Anything", method="by_step"
    )
    briefed = django_filters.ChoiceFilter(
        label="Whoever has the referral", choices=list(SIDES.items()), empty_label="Any", method="by_briefing"
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

    def by_step(self, rows: QuerySet[Referral], _name: str, value: str) -> QuerySet[Referral]:
        """Those that have taken that step."""
        return that_took(value, rows, timezone.now())

    def by_briefing(self, rows: QuerySet[Referral], _name: str, value: str) -> QuerySet[Referral]:
        """Those that are due or have ended, by whether whoever has them had been briefed."""
        return on_side(value, rows, timezone.now())


class AttemptFilter(ListFilter):
    """By how it was tried, what came of it, and whether contact was made in the end."""

    method = django_filters.ChoiceFilter(label="Method", choices=Method.choices, empty_label="Any")
    result = django_filters.ChoiceFilter(label="Result", choices=Result.choices, empty_label="Any")
    contacted = django_filters.ChoiceFilter(
        label="Of referrals",
        choices=[("yes", "With contact made")],
        empty_label="All",
        method="by_contact",
    )
    order = OrderFilter(
        {
            "latest": Order("Latest first", ("-made_at", "-pk")),
            "longest": Order("First first", ("made_at", "pk")),
        }
    )

    class Meta:
        model = ContactAttempt
        fields: list[str] = []

    def by_contact(self, rows: QuerySet[ContactAttempt], _name: str, _value: str) -> QuerySet[ContactAttempt]:
        """Those at referrals with contact made."""
        return rows.filter(referral__contacted_at__isnull=False)
