"""Which cases a list shows."""

from operator import itemgetter
from typing import Any

import django_filters
from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet, TextChoices

from referrals.models import Case, Ward
from referrals.scope import places_of
from src_app.accounts.models import User
from src_app.filters import FromDayFilter, ToDayFilter


class CaseState(TextChoices):
    """What became of a case."""

    WAITING = "waiting", "Awaiting decision"
    REFERRED = "referred", "SRC"
    USUAL_SERVICE = "usual_service", "Usual service"
    NOT_SUITABLE = "not_suitable", "Not suitable"


_DECIDED_WITHOUT_REFERRAL = Q(decided_at__isnull=False, referral__isnull=True)
_STATES = {
    CaseState.WAITING: Q(decided_at__isnull=True),
    CaseState.REFERRED: Q(referral__isnull=False),
    CaseState.USUAL_SERVICE: _DECIDED_WITHOUT_REFERRAL & Q(decision__suitable=True),
    CaseState.NOT_SUITABLE: _DECIDED_WITHOUT_REFERRAL & Q(decision__suitable=False),
}


def state_of(case: Case) -> CaseState:
    """What became of the case; reads its decision and referral."""
    if case.decided_at is None:
        return CaseState.WAITING
    if hasattr(case, "referral"):
        return CaseState.REFERRED
    return CaseState.USUAL_SERVICE if case.decision.suitable else CaseState.NOT_SUITABLE


class CaseFilter(django_filters.FilterSet):  # type: ignore[misc]  # no types
    """By place, state and day of the report, within what the account may see."""

    borough = django_filters.ChoiceFilter(
        field_name="ward__borough", label="Borough", empty_label="Every borough"
    )
    ward = django_filters.ChoiceFilter(label="Ward", empty_label="Every ward")
    state = django_filters.ChoiceFilter(
        label="State", choices=CaseState.choices, empty_label="Every state", method="in_state"
    )
    first = FromDayFilter(field_name="reported_at", label="Reported from")
    last = ToDayFilter(field_name="reported_at", label="Reported to")

    class Meta:
        model = Case
        fields: list[str] = []

    def __init__(self, data: Any, *, queryset: QuerySet[Case], user: User) -> None:
        super().__init__(data, queryset=queryset)
        wards = list(
            Ward.objects.filter(borough__bcu__in=places_of(user).bcus)
            .order_by("name", "pk")
            .values_list("pk", "name", "borough", "borough__name")
        )
        boroughs = {borough: name for _, _, borough, name in wards}
        self.filters["borough"].extra["choices"] = sorted(boroughs.items(), key=itemgetter(1))
        self.filters["ward"].extra["choices"] = [(ward, f"{name}, {of}") for ward, name, _, of in wards]

    def in_state(self, cases: QuerySet[Case], _name: str, state: str) -> QuerySet[Case]:
        return cases.filter(_STATES[CaseState(state)])


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
