"""Which due dates the compliance page counts, and what they are narrowed to."""

from datetime import datetime

from django import forms
from django.forms import ModelChoiceField
from django.http import QueryDict

from referrals.compliance.readers.contact import Chosen
from referrals.compliance.readers.figures import officers_in_sight
from referrals.compliance.readers.overdue import teams_in_sight
from referrals.compliance.readers.periods import USUAL, Period, periods
from referrals.models import Borough, Team
from referrals.scope import places_of, wards_visible_to
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.days import check_day

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
ORDERS = {"name": "Ward", "overdue": "Overdue now", "share": "Contacted in time"}
PERIODS = {
    "last-4-weeks": "Last 4 weeks",
    USUAL: "Last 12 weeks",
    "this-month": "This month",
    "last-month": "Last month",
}


class PeriodForm(forms.Form):
    """Which due dates, where, taken by whom, and in what order.

    Days that are given count, and no word beside them: the page offers the words as links, without days.
    """

    period = forms.ChoiceField(
        label="Due dates", required=False, choices=list(PERIODS.items()), widget=forms.HiddenInput
    )
    first = forms.DateField(label="Due from", required=False, widget=DAY, validators=[check_day])
    last = forms.DateField(label="Due to", required=False, widget=DAY, validators=[check_day])
    borough = ModelChoiceField(
        Borough.objects.none(), to_field_name="code", required=False, empty_label="All boroughs"
    )
    team = ModelChoiceField(Team.objects.none(), required=False, empty_label="All teams")
    officer = ModelChoiceField(
        User.objects.none(), label="Taken by", required=False, empty_label="Anybody or nobody"
    )
    order = forms.ChoiceField(label="Order of wards", required=False, choices=list(ORDERS.items()))

    def __init__(self, data: QueryDict, *, user: User, at: datetime) -> None:
        """What is not asked for is shown as it is taken: the usual days."""
        self._periods = periods(at)
        usual = self._periods[USUAL]
        asked = {name: value for name, value in data.items() if value}
        if "first" in asked or "last" in asked:
            asked = {"first": usual.first.isoformat(), "last": usual.last.isoformat(), **asked, "period": ""}
        super().__init__(asked)
        boroughs = Borough.objects.filter(wards__in=wards_visible_to(user)).distinct().order_by("name")
        for name, choices in (
            ("borough", boroughs),
            ("team", teams_in_sight(user)),
            ("officer", officers_in_sight(user)),
        ):
            self.fields[name].queryset = choices  # type: ignore[attr-defined]
        if not user.can(Permission.VIEW_OFFICER_FIGURES):
            del self.fields["officer"]
        places = places_of(user)
        if not places.bcus and len(places.teams) == 1:
            del self.fields["team"], self.fields["borough"]

    @property
    def word(self) -> str:
        """The word of the period that is shown; empty where days are."""
        if not self.is_valid():
            return USUAL
        return "" if self.cleaned_data["first"] else self.cleaned_data["period"] or USUAL

    @property
    def shown(self) -> Period:
        """The days asked for, the earlier one first; the usual ones where something asked makes no sense."""
        if self.word:
            return self._periods[self.word]
        return Period(*sorted([self.cleaned_data["first"], self.cleaned_data["last"]]))

    @property
    def chosen(self) -> Chosen:
        """What is narrowed to; everything where something asked is not known."""
        names = ("borough", "team", "officer")
        return Chosen(**{name: self.cleaned_data.get(name) for name in names})
