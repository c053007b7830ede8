"""Which due dates the compliance page counts, and what they are narrowed to."""

from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.forms import ModelChoiceField
from django.http import QueryDict

from referrals.compliance.readers.contact import Chosen
from referrals.compliance.readers.figures import officers_in_sight
from referrals.compliance.readers.overdue import teams_in_sight
from referrals.compliance.readers.periods import USUAL, Period, periods
from referrals.models import Bcu, Borough, Team
from referrals.scope import bcus_of, places_of, teams_led_by, wards_visible_to
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.days import check_day
from src_app.fields import DayField, LineField

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
# What of an address narrows the pages, and how much of it is kept by a name.
NARROWS = ("period", "first", "last", "borough", "team", "officer", "order")
MOST_ASKED = 300
ORDERS = {"name": "Ward", "overdue": "Overdue now", "share": "Contacted in time"}
PERIODS = {
    "last-4-weeks": "Last 4 weeks",
    USUAL: "Last 12 weeks",
    "this-month": "This month",
    "last-month": "Last month",
}


class PeriodForm(forms.Form):
    """Which due dates, where, and taken by whom.

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


class WardsForm(PeriodForm):
    """The same of a page that lists the wards, and in what order."""

    order = forms.ChoiceField(label="Order of wards", required=False, choices=list(ORDERS.items()))


class ChangeForm(forms.Form):
    """A dated change, of one of the account's teams or of its whole BCU."""

    happened_on = DayField(label="Day", required_message="Give the day on which it changed.")
    text = LineField(
        label="What changed",
        help_text="One sentence, such as “A second sergeant joined”. No victim, no case, no person.",
        max_length=200,
        error_messages={"required": "Write the sentence."},
    )
    place = forms.ChoiceField(label="Where", error_messages={"required": "Say where."})

    def __init__(self, *arguments: Any, by: User, **options: Any) -> None:
        super().__init__(*arguments, **options)
        places: list[Bcu | Team] = [*bcus_of(by).order_by("name"), *teams_led_by(by).order_by("name", "pk")]
        self._places = {f"{'bcu' if isinstance(each, Bcu) else 'team'}-{each.pk}": each for each in places}
        field = cast(forms.ChoiceField, self.fields["place"])
        field.choices = [(key, str(place)) for key, place in self._places.items()]

    @property
    def chosen(self) -> Bcu | Team:
        """Of a valid form."""
        return self._places[self.cleaned_data["place"]]


class GoalForm(forms.Form):
    """A share that a team wants to reach by a day."""

    team = ModelChoiceField(Team.objects.none(), error_messages={"required": "Choose the team."})
    percent = forms.IntegerField(
        label="Contacted in time, in percent",
        min_value=1,
        max_value=100,
        error_messages={"required": "Give a share from 1 to 100."},
    )
    by_day = DayField(label="By", required_message="Give the day by which.")

    def __init__(self, *arguments: Any, by: User, **options: Any) -> None:
        super().__init__(*arguments, **options)
        teams = teams_led_by(by).filter(closed_at__isnull=True).order_by("name", "pk")
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]


class ViewForm(forms.Form):
    """A name for what the page shows."""

    name = LineField(
        label="Name of this view",
        help_text="Such as “My ward, last month”. Only you see it.",
        max_length=60,
        error_messages={"required": "Give it a name."},
    )


def narrowing_of(asked: str) -> str:
    """Of what an address asks that which narrows the pages; nothing where it is too long to be kept."""
    found = QueryDict(asked[:2000])
    kept = urlencode({name: found[name] for name in NARROWS if found.get(name)})
    return kept if len(kept) <= MOST_ASKED else ""
