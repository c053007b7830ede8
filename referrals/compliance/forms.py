"""Which due dates the compliance page counts."""

from datetime import date

from django import forms
from django.http import QueryDict

from referrals.compliance.readers import Period
from referrals.models import Borough
from referrals.scope import wards_visible_to
from src_app.accounts.models import User
from src_app.days import check_day

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
ORDERS = {"name": "Ward", "overdue": "Overdue now", "share": "Contacted in time"}


class PeriodForm(forms.Form):
    """Which due dates, which borough, and in what order."""

    first = forms.DateField(label="Due from", required=False, widget=DAY, validators=[check_day])
    last = forms.DateField(label="Due to", required=False, widget=DAY, validators=[check_day])
    borough = forms.ChoiceField(label="Borough", required=False)
    order = forms.ChoiceField(label="Order of wards", required=False, choices=list(ORDERS.items()))

    def __init__(self, data: QueryDict, *, usual: Period, user: User) -> None:
        """What is not asked for is shown as it is taken: the usual days."""
        days = {"first": usual.first.isoformat(), "last": usual.last.isoformat()}
        super().__init__({**days, **{name: value for name, value in data.items() if value}})
        boroughs = Borough.objects.filter(wards__in=wards_visible_to(user)).distinct().order_by("name")
        choices = [("", "All boroughs"), *boroughs.values_list("code", "name")]
        self.fields["borough"].choices = choices  # type: ignore[attr-defined]

    def period(self, default: Period) -> Period:
        """The days asked for, and the usual ones for what was left out; the earlier day first."""
        days: list[date] = sorted(
            [
                self.cleaned_data.get("first") or default.first,
                self.cleaned_data.get("last") or default.last,
            ]
        )
        return Period(*days)

    @property
    def borough_code(self) -> str:
        """The ONS code of the borough asked for; empty where all are, or the one asked for is not known."""
        code: str = self.cleaned_data.get("borough", "")
        return code
