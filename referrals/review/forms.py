"""Forms of the overnight review."""

from datetime import datetime
from typing import Any, cast

from django import forms
from django.http import QueryDict

from referrals.cases.forms import CaseForm
from referrals.contact.forms import KeyForm
from referrals.models import (
    REFERRED_ANYWAY,
    Case,
    ContactBy,
    OrderReason,
    Question,
    Reason,
    Restriction,
    Strand,
    Team,
)
from referrals.places.readers import teams_to_pick_from
from referrals.review.readers.refer_now import home_ward
from src_app.fields import LineField, NoteField


class VersionField(forms.IntegerField):
    """The version of the draft that was on the page; empty where there was none."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)


class MarkForm(forms.Form):
    """A mark without further words."""

    version = VersionField()


class NotSuitableForm(forms.Form):
    """Why not, and who will contact the victim instead."""

    version = VersionField()
    reason = forms.ChoiceField(
        label="Why not",
        choices=[
            ("", "Choose a reason"),
            *((reason.value, reason.label) for reason in Reason if reason not in REFERRED_ANYWAY),
        ],
        error_messages={"required": "Choose why the case is not suitable."},
    )
    contact_by = forms.ChoiceField(
        label="Who will contact the victim",
        choices=[("", "Choose who"), *ContactBy.choices],
        error_messages={"required": "Choose who will contact the victim."},
    )


class ReferNowMarkForm(forms.Form):
    """Why a case is referred outside any trial as soon as the day is submitted."""

    version = VersionField()
    reason = forms.TypedChoiceField(
        label="Why refer now",
        choices=[
            (Reason.ASKED_FOR_CONTACT, "The victim asked for contact"),
            (Reason.HIGH_RISK, "High risk"),
        ],
        coerce=Reason,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why the case is referred now."},
    )


class SafetyForm(CaseForm):
    """What the officer must do and must not do. ``seen``: when it had last been set, as the page said."""

    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    restrictions = forms.MultipleChoiceField(
        label="Restrictions",
        choices=Restriction.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = NoteField(
        label="Safety note",
        required=False,
        max_length=500,
        help_text="For the officer who makes contact. No names, no addresses, nothing about the offence.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_seen(self) -> datetime | None:
        """The moment, or None where it had not been set."""
        given = self.cleaned_data["seen"]
        try:
            return datetime.fromisoformat(given) if given else None
        except ValueError:
            raise forms.ValidationError("Open this page again.") from None

    def show_again(self, seen: datetime | None) -> None:
        """The form as it is shown again knows what was set meanwhile."""
        data = cast(QueryDict, self.data).copy()
        data["seen"] = seen.isoformat() if seen else ""
        self.data = data


class QuestionsForm(CaseForm):
    """What the extract left open about the case; only the questions that it has, or had when it was sent."""

    repeat_victim = forms.TypedChoiceField(
        label=Question.REPEAT_VICTIM.label,
        choices=[("yes", "Yes"), ("no", "No")],
        coerce=lambda answer: answer == "yes",
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether this is a repeat victim."},
    )
    strands = forms.MultipleChoiceField(
        label=Question.STRANDS.label,
        choices=[*Strand.choices, ("", "None of these")],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose the strand, or “None of these”."},
    )
    another_victim = forms.BooleanField(
        label="I have looked at the crime record for the other victim",
        error_messages={"required": "Look at the crime record first, then tick this."},
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        self.fields["strands"].initial = case.strands
        self._keep_only({*case.questions, *self.data})

    def show_again(self, case: Case) -> None:
        """The form as it is shown again has only what is still asked."""
        self._keep_only(set(case.questions))

    def _keep_only(self, questions: set[str]) -> None:
        for name in set(self.fields) - questions:
            del self.fields[name]

    def clean_strands(self) -> list[Strand]:
        """The strands; none where none of them was chosen by itself."""
        chosen = self.cleaned_data["strands"]
        if "" in chosen and len(chosen) > 1:
            raise forms.ValidationError("Choose strands, or “None of these”, and not both.")
        return [Strand(strand) for strand in chosen if strand]


class TeamForm(CaseForm):
    """A team of the HCOP's choice, where the ward of the victim's home cannot decide."""

    version = VersionField()
    team: "forms.ModelChoiceField[Team]" = forms.ModelChoiceField(
        label="Team",
        queryset=Team.objects.none(),
        empty_label="Choose a team",
        error_messages={"required": "Choose a team."},
    )
    why = LineField(
        label="Why this team",
        max_length=200,
        help_text="For example: refuge, hotel, no fixed abode, unknown postcode.",
        error_messages={"required": "Say why this team."},
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        field = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        field.queryset = teams_to_pick_from(case).order_by("borough__name", "name")


class ReferNowForm(KeyForm, CaseForm):
    """Why a decided case is referred after all, and to whom where it is not the ward's team."""

    reason = forms.TypedChoiceField(
        label="Why",
        choices=OrderReason.choices,
        coerce=OrderReason,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why the victim is to be contacted."},
    )
    team: "forms.ModelChoiceField[Team]" = forms.ModelChoiceField(
        label="Team", queryset=Team.objects.none(), error_messages={"required": "Choose a team."}
    )
    why = LineField(
        label="Why this team",
        required=False,
        max_length=200,
        help_text="Only where you choose another team than the ward's. For example: refuge, hotel.",
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        home = home_ward(case)
        field = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        teams = teams_to_pick_from(case).order_by("borough__name", "name")
        field.queryset = teams.exclude(pk=home.team_id) if home else teams
        field.empty_label = f"{home.team}, the ward's own" if home else "Choose a team"
        field.required = home is None
        if home is None:
            self.fields["why"].help_text = "For example: refuge, hotel, no fixed abode, unknown postcode."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("team") and cleaned.get("why") == "":
            self.add_error("why", "Say why this team.")
        return cleaned
