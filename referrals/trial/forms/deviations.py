"""What the HCOP fills in about a deviation from the trial."""

from datetime import date, datetime
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from referrals.cases.forms import CaseForm
from referrals.models import Allocation, DeviationKind, NotDelivered
from referrals.trial.actions.deviations import first_day, wrong_day
from referrals.trial.readers.deviations import kinds_for
from src_app.fields import LineField
from src_app.templatetags.words import day

ORDERED_BY_LENGTH = 60
_CHOOSE_KIND, _CHOOSE_WHY = "Choose what happened.", "Choose why SRC was not delivered."
# What is asked of one kind alone, and what it is of the others.
_ASKED = {"why": (DeviationKind.NOT_DELIVERED, None), "ordered_by": (DeviationKind.FOR_SAFETY, "")}


class DeviationForm(CaseForm):
    """What happened, when, and what one kind asks besides; what another kind asks is passed over.

    The day is today unless it is said; it has to be said of what was ``looked_up`` weeks after.
    """

    kind = forms.TypedChoiceField(
        coerce=DeviationKind,
        widget=forms.RadioSelect,
        error_messages={"required": _CHOOSE_KIND, "invalid_choice": _CHOOSE_KIND},
    )
    why = forms.TypedChoiceField(
        required=False,
        label="Why SRC was not delivered",
        choices=NotDelivered.choices,
        coerce=NotDelivered,
        empty_value=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _CHOOSE_WHY},
    )
    ordered_by = LineField(
        required=False,
        max_length=ORDERED_BY_LENGTH,
        label="Who ordered the contact",
        help_text="Rank and number, such as Insp 4021; no name.",
        widget=forms.TextInput(attrs={"class": "govuk-!-width-two-thirds"}),
        error_messages={"max_length": f"Give rank and number in at most {ORDERED_BY_LENGTH} characters."},
    )
    happened_on = forms.DateField(
        label="Day",
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        widget=forms.DateInput(attrs={"type": "date", "class": "govuk-input--width-10"}, format="%Y-%m-%d"),
        error_messages={
            "required": "Give the day.",
            "invalid": "Give the day as day, month and year: 23/11/2026.",
        },
    )

    def __init__(self, data: Any, *, allocation: Allocation, at: datetime, looked_up: bool = False) -> None:
        self.allocation, self.today = allocation, timezone.localdate(at)
        super().__init__(data, case=allocation.case, initial={} if looked_up else {"happened_on": self.today})
        cast(forms.TypedChoiceField, self.fields["kind"]).choices = kinds_for(allocation)
        first, happened_on = first_day(allocation), self.fields["happened_on"]
        happened_on.help_text = (
            f"The day of the contact; for anything else, the day it was noticed. Not before {day(first)}."
        )
        happened_on.widget.attrs |= {"min": first.isoformat(), "max": self.today.isoformat()}

    def clean_ordered_by(self) -> str:
        given = str(self.cleaned_data["ordered_by"])
        if given and not any(character.isdigit() for character in given):
            raise ValidationError("Give rank and number, such as Insp 4021, and no name.")
        return given

    def clean_happened_on(self) -> date:
        given: date = self.cleaned_data["happened_on"]
        if not first_day(self.allocation) <= given <= self.today:
            raise ValidationError(wrong_day(self.allocation))
        return given

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind = cleaned.get("kind")
        for name, (asking, empty) in _ASKED.items():
            if kind != asking:
                self.errors.pop(name, None)
                cleaned[name] = empty
        if kind == DeviationKind.NOT_DELIVERED and cleaned.get("why", "wrong") is None:
            self.add_error("why", _CHOOSE_WHY)
        if kind == DeviationKind.FOR_SAFETY and cleaned.get("ordered_by") == "":
            self.add_error("ordered_by", "Give the rank and number of who ordered the contact.")
        return cleaned
