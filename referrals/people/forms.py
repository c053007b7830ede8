"""What the administrator fills in about a person."""

from datetime import date
from typing import Any, cast

from django import forms

from referrals.models import AccessAnswer, Bcu, BcuMembership, Team, TeamMembership
from referrals.people.readers.people import ROLES
from referrals.people.reading import MOST_BYTES, decoded
from referrals.places.actions.membership import IN_BCUS, IN_TEAMS
from referrals.scope import today
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Role
from src_app.days import check_day
from src_app.fields import LineField
from src_app.templatetags.words import day


class _TeamField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic as it runs
    """A team with its borough: two boroughs may have a team of the same name."""

    def label_from_instance(self, obj: Team) -> str:
        return f"{obj}, {obj.borough}"


class PersonDetailsForm(forms.Form):
    """What a person is called on pages, and their address."""

    display_name = LineField(
        label="Name on pages",
        max_length=100,
        help_text="Rank and shoulder number, such as PC 1001.",
        error_messages={"required": "Say what the person is called on pages: rank and shoulder number."},
    )
    email = forms.EmailField(
        label="Work e-mail address",
        max_length=254,
        error_messages={
            "required": "Give the work e-mail address.",
            "invalid": "Give a whole e-mail address, with an @ in it.",
        },
    )


class RoleForm(forms.Form):
    """What a person does here."""

    role = forms.TypedChoiceField(
        label="Role",
        choices=ROLES,
        coerce=Role,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the person does here."},
    )


class AddPersonForm(PersonDetailsForm, RoleForm):
    """A new person, and the first place they belong to."""

    username = LineField(
        label="User name",
        max_length=60,
        help_text="To sign in with: the warrant or collar number, such as pc1001.",
        error_messages={"required": "Give the user name that the person will sign in with."},
    )
    team = _TeamField(
        label="Team",
        queryset=Team.objects.filter(closed_at__isnull=True).select_related("borough").order_by("name", "pk"),
        required=False,
        empty_label="None",
        help_text="Of an officer or a supervisor. More teams are ticked on the person's page.",
    )
    bcu = forms.ModelChoiceField(
        label="BCU",
        queryset=Bcu.objects.order_by("name", "pk"),
        required=False,
        empty_label="None",
        help_text="Of an HCOP, a supervisor, a trial lead or a senior leader.",
    )

    field_order = ["display_name", "username", "email", "role", "team", "bcu"]

    def clean(self) -> dict[str, Any]:
        """As the action takes it."""
        cleaned = super().clean() or {}
        for name, place in (("teams", cleaned.pop("team", None)), ("bcus", cleaned.pop("bcu", None))):
            cleaned[name] = [place] if place else []
        cleaned["username"] = cleaned.get("username", "").lower()
        return cleaned


class PlacesForm(forms.Form):
    """Where a person belongs from a day on: what the role may belong to, ticked as it is today."""

    teams = forms.ModelMultipleChoiceField(label="Teams", queryset=Team.objects.none(), required=False)
    bcus = forms.ModelMultipleChoiceField(
        label="BCUs",
        queryset=Bcu.objects.order_by("name", "pk"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    on = forms.DateField(
        label="From",
        validators=[check_day],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "govuk-input--width-10"}),
        help_text="Today or a later day. Until then, and in the history, everything stays as it is.",
        error_messages={"required": "Give the day from which it counts."},
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        on = today()
        self.initial = {
            "teams": _current(TeamMembership, person, "team", on),
            "bcus": _current(BcuMembership, person, "bcu", on),
            "on": on,
        }
        teams = Team.objects.filter(closed_at__isnull=True).select_related("borough")
        in_order = teams.order_by("borough__name", "name", "pk")
        cast("forms.ModelMultipleChoiceField[Team]", self.fields["teams"]).queryset = in_order
        if person.role not in IN_TEAMS:
            del self.fields["teams"]
        if person.role not in IN_BCUS:
            del self.fields["bcus"]

    @property
    def boroughs(self) -> list[tuple[str, list[tuple[Team, bool]], int]]:
        """Each borough with its teams, whether each is ticked, and how many are."""
        if "teams" not in self.fields:
            return []
        ticked = {str(value) for value in self["teams"].value() or []}
        found: dict[str, list[tuple[Team, bool]]] = {}
        offered = cast("forms.ModelMultipleChoiceField[Team]", self.fields["teams"]).queryset
        for team in offered or ():
            found.setdefault(team.borough.name, []).append((team, str(team.pk) in ticked))
        return [(name, teams, sum(is_ticked for _, is_ticked in teams)) for name, teams in found.items()]

    def clean(self) -> dict[str, Any]:
        """As the action takes it: what the role cannot belong to is none."""
        return {"teams": [], "bcus": [], **(super().clean() or {})}


def _current(model: type[TeamMembership | BcuMembership], person: User, kind: str, on: date) -> list[int]:
    found = model.objects.filter(model.current(on), user=person)
    return list(found.values_list(f"{kind}_id", flat=True))


class ClosePersonForm(forms.Form):
    """Why an account is closed."""

    because = forms.TypedChoiceField(
        label="Why",
        choices=ClosedBecause.choices,
        coerce=ClosedBecause,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why the account is closed."},
    )


class PeopleListForm(forms.Form):
    """A list of people: a file, or rows that are pasted."""

    file = forms.FileField(
        label="Choose a CSV file",
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        error_messages={"empty": "The file is empty: choose the one with the people in it."},
    )
    pasted = forms.CharField(
        label="Or paste the rows here, with their headings",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    @property
    def text(self) -> str:
        """What was given, as text; only of a valid form. Raises :class:`~src_app.refused.Refused`."""
        file = self.cleaned_data["file"]
        return decoded(file.read()) if file else str(self.cleaned_data["pasted"])

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        cleaned = super().clean() or {}
        file, pasted = cleaned.get("file"), cleaned.get("pasted", "").strip()
        if file and pasted:
            self.add_error("pasted", "Choose a file or paste rows, not both.")
        elif file and file.size > MOST_BYTES:
            self.add_error("file", "The file is larger than 1 MB: split it into smaller ones.")
        elif not file and not pasted and not self.errors:
            self.add_error("file", "Choose a file, or paste rows.")
        return cleaned


class PeopleRowsForm(forms.Form):
    """The text that was looked through, and the digest of what was shown of it."""

    rows = forms.CharField(strip=False, max_length=MOST_BYTES, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)


class AccessForm(forms.Form):
    """Of each person whether the account is still needed; one that is left alone is asked again."""

    def __init__(
        self, *args: Any, people: list[User], answers: dict[int, AccessAnswer], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.keys = {f"person-{person.pk}": person.pk for person in people}
        for person in people:
            last = f"Last signed in on {day(person.last_login)}." if person.last_login else "Never signed in."
            answer = answers.get(person.pk)
            self.fields[f"person-{person.pk}"] = forms.TypedChoiceField(
                label=f"{person}, {person.get_role_display()}",
                choices=AccessAnswer.Said.choices,
                coerce=AccessAnswer.Said,
                empty_value=None,
                required=False,
                initial=answer.said if answer else None,
                help_text=last,
                widget=forms.RadioSelect,
            )

    @property
    def said(self) -> dict[int, AccessAnswer.Said]:
        """The answers by the person's key; only of a valid form."""
        given = self.cleaned_data
        return {key: given[name] for name, key in self.keys.items() if given.get(name)}
