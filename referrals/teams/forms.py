"""What the administrator fills in about teams and wards."""

from typing import Any, cast

from django import forms

from referrals.models import Borough, Team, Ward
from referrals.scope import today
from referrals.teams.readers import teams_beside
from src_app.fields import DayField, LineField

_ADDRESS = {
    "required": "Give the address of the team's mailbox.",
    "invalid": "Give a whole e-mail address, with an @ in it.",
}


class NamedPlace(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic as it runs
    """A team with its borough, or a borough with its BCU: two may have one of the same name."""

    def label_from_instance(self, obj: Team | Borough) -> str:
        return f"{obj}, {obj.borough if isinstance(obj, Team) else obj.bcu}"


class TeamNameForm(forms.Form):
    """What a team is called."""

    name = LineField(
        label="Name of the team",
        max_length=100,
        error_messages={"required": "Say what the team is called."},
    )


class MailboxForm(forms.Form):
    """Where a team's mail is to go."""

    address = forms.EmailField(
        label="Mailbox",
        max_length=254,
        help_text="The team's own address, which the team reads every day. No person's.",
        error_messages=_ADDRESS,
    )


class AddTeamForm(TeamNameForm):
    """A new team."""

    borough = NamedPlace(
        label="Borough",
        queryset=Borough.objects.select_related("bcu").order_by("bcu__name", "name", "pk"),
        empty_label="Choose a borough",
        error_messages={"required": "Choose the borough that the team belongs to."},
    )
    mailbox = forms.EmailField(
        label="Mailbox",
        max_length=254,
        help_text="The team's own address, which the team reads every day. No person's.",
        error_messages=_ADDRESS,
    )


class CodeForm(forms.Form):
    """The code of a test mail."""

    code = LineField(
        label="Code in the test mail",
        max_length=40,
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", "autocomplete": "off"}),
        error_messages={"required": "Give the code that is in the test mail."},
    )


class WardForm(forms.Form):
    """A ward's name and its code of the Office for National Statistics."""

    name = LineField(
        label="Name of the ward", max_length=100, error_messages={"required": "Say what the ward is called."}
    )
    code = LineField(
        label="Code",
        max_length=9,
        help_text="Of the Office for National Statistics, such as E05013810.",
        error_messages={"required": "Give the ward's code."},
    )


class MergeForm(forms.Form):
    """The team that another becomes part of, and from when."""

    to_team = NamedPlace(
        label="Into which team?",
        queryset=Team.objects.none(),
        empty_label="Choose a team",
        error_messages={"required": "Choose a team."},
    )
    starts_on = DayField(
        label="From",
        required_message="Give the day from which it counts.",
        help_text="Today, or a day to come: then it is done early on that day.",
    )

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[Team]", self.fields["to_team"]).queryset = teams_beside(team)
        self.initial = {"starts_on": today(), **self.initial}


class MoveWardsForm(MergeForm):
    """Wards of a team, the team that is to cover them, and from when."""

    wards = forms.ModelMultipleChoiceField(
        label="Wards",
        queryset=Ward.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one ward."},
    )

    field_order = ["wards", "to_team", "starts_on"]

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, team=team, **kwargs)
        self.fields["to_team"].label = "To which team?"
        own = Ward.objects.filter(team=team).order_by("name", "pk")
        cast("forms.ModelMultipleChoiceField[Ward]", self.fields["wards"]).queryset = own
