"""Which rows a list shows, and in what order."""

from operator import itemgetter
from typing import Any

import django_filters
from django import forms
from django.conf import settings

from referrals.models import (
    FOR_THE_HCOP,
    Borough,
    Case,
    CaseImport,
    CaseState,
    FollowUp,
    FollowUpKind,
    ImportStatus,
    Referral,
    Ward,
)
from referrals.scope import places_of
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role
from src_app.filters import FromDayFilter, ListFilter, Order, OrderFilter, ToDayFilter


class CaseFilter(ListFilter):
    """By place, state and day of the report, within what the account may see."""

    borough = django_filters.ChoiceFilter(
        field_name="ward__borough", label="Borough", empty_label="Every borough"
    )
    ward = django_filters.ChoiceFilter(label="Ward", empty_label="Every ward")
    state = django_filters.ChoiceFilter(label="State", choices=CaseState.choices, empty_label="Every state")
    first = FromDayFilter(field_name="reported_at", label="Reported from")
    last = ToDayFilter(field_name="reported_at", label="Reported to")
    order = OrderFilter(
        {
            "latest": Order("Latest report first", ("-reported_at", "-pk")),
            "earliest": Order("Earliest report first", ("reported_at", "pk")),
        }
    )

    class Meta:
        model = Case
        fields: list[str] = []

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        wards = list(
            Ward.objects.filter(borough__bcu__in=places_of(user).bcus)
            .order_by("name", "pk")
            .values_list("pk", "name", "borough", "borough__name")
        )
        boroughs = {borough: name for _, _, borough, name in wards}
        self.filters["borough"].extra["choices"] = sorted(boroughs.items(), key=itemgetter(1))
        self.filters["ward"].extra["choices"] = [(ward, f"{name}, {of}") for ward, name, _, of in wards]


class CaseSearchForm(forms.Form):
    """A crime reference, exactly: free text would reach the audit log."""

    crime_reference = forms.RegexField(
        regex=rf"\A(?:{settings.CRIME_REFERENCE_PATTERN})\Z",
        strip=True,
        label="Crime reference",
        error_messages={
            "required": "Enter a crime reference.",
            "invalid": "Enter a whole crime reference, as the crime record shows it.",
        },
    )


class FlagFilter(ListFilter):
    """Flags to confirm: by borough, within what the account may see."""

    borough = django_filters.ChoiceFilter(
        field_name="ward__borough", label="Borough", empty_label="Every borough"
    )
    order = OrderFilter(
        {
            "oldest": Order("Longest waiting first", ("made_at", "pk")),
            "latest": Order("Latest referral first", ("-made_at", "-pk")),
        }
    )

    class Meta:
        model = Referral
        fields: list[str] = []

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        boroughs = Borough.objects.filter(bcu__in=places_of(user).bcus).order_by("name", "pk")
        self.filters["borough"].extra["choices"] = list(boroughs.values_list("pk", "name"))


class RemovalFilter(ListFilter):
    """Flags to remove, in either order."""

    order = OrderFilter(
        {
            "oldest": Order("First ruled out first", ("ruled_out_since", "pk")),
            "latest": Order("Last ruled out first", ("-ruled_out_since", "-pk")),
        }
    )

    class Meta:
        model = Referral
        fields: list[str] = []


class FollowUpFilter(ListFilter):
    """By what came up, among what the account may see."""

    kind = django_filters.ChoiceFilter(label="Follow-up", empty_label="Every follow-up")
    order = OrderFilter(
        {
            "oldest": Order("Longest waiting first", ("raised_at", "pk")),
            "latest": Order("Latest first", ("-raised_at", "-pk")),
        }
    )

    class Meta:
        model = FollowUp
        fields: list[str] = []

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        hidden = () if user.can(Permission.REVIEW_CASES) else FOR_THE_HCOP
        self.filters["kind"].extra["choices"] = [
            choice for choice in FollowUpKind.choices if choice[0] not in hidden
        ]


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


class PersonFilter(ListFilter):
    """Accounts by role, and by whether they can still sign in."""

    role = django_filters.ChoiceFilter(label="Role", choices=Role.choices, empty_label="Every role")
    active = django_filters.ChoiceFilter(
        field_name="is_active",
        label="Can sign in",
        choices=[("True", "Yes"), ("False", "No")],
        empty_label="Either",
    )
    order = OrderFilter(
        {
            "name": Order("By name", ("display_name", "pk")),
            "username": Order("By user name", ("username", "pk")),
        }
    )

    class Meta:
        model = User
        fields: list[str] = []
