"""Which past day the page Outcomes shows."""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator


class DayForm(forms.Form):
    """A day that the nightly task has counted."""

    day = forms.DateField(
        label="Show a past day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[
            MinValueValidator(date(2000, 1, 1), "Choose a day from 2000 on."),
            MaxValueValidator(date(2099, 12, 31), "Choose a day before 2100."),
        ],
    )
