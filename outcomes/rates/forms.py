"""Which past day the page Outcomes shows."""

from django import forms

from referrals.compliance.forms import DAY
from src_app.days import check_day


class DayForm(forms.Form):
    """A day that the nightly task has counted."""

    day = forms.DateField(label="Show a past day", required=False, widget=DAY, validators=[check_day])
