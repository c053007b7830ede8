"""Forms of the overnight review."""

import re
from datetime import datetime
from typing import Any, cast

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from referrals.cases.forms import CaseForm
from referrals.contact.forms import KeyForm
from referrals.deadlines.readers import deadlines_of_bcu, window_words
from referrals.models import (
    REFERRED_ANYWAY,
    Case,
    ContactBy,
    OrderReason,
    Question,
    Reason,
    Referral,
    ReopenReason,
    Restriction,
    Strand,
    Team,
    Ward,
)
from referrals.places.readers import teams_to_pick_from
from referrals.review.readers.linked import why_not_left_to
from referrals.review.readers.refer_now import chosen_before, home_ward
from referrals.review.readers.rows import ReviewRow
from src_app.fields import LineField, NoteField

# Of the reports that a case may be a duplicate of, the one that is not offered.
ANOTHER = "another"
# Offered before the others.
MOST_OFTEN = (Reason.NO_CRIME, Reason.NO_INDIVIDUAL)


class VersionField(forms.IntegerField):
    """The version of the draft that was on the page; empty where there was none."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)


class MarkForm(forms.Form):
    """A mark without further words."""

    version = VersionField()


class ReasonForm(forms.Form):
    """A mark with its reason; several such forms may be open in one list."""

    version = VersionField()

    def __init__(self, data: QueryDict | None, *, row: ReviewRow) -> None:
        initial = {"version": row.version, **self.initial_of(row)}
        super().__init__(data, initial=initial, auto_id=f"case-{row.case.pk}-%s")

    def initial_of(self, row: ReviewRow) -> dict[str, str]:
        """What is chosen before anybody chooses."""
        raise NotImplementedError


class WhyNotForm(forms.Form):
    """Why a case is not suitable, and who will contact the victim instead."""

    reason = forms.TypedChoiceField(
        label="Why not",
        choices=[
            ("", "Choose a reason"),
            ("Most often", [(reason.value, reason.label) for reason in MOST_OFTEN]),
            (
                "Others",
                [
                    (reason.value, reason.label)
                    for reason in Reason
                    if reason not in (*MOST_OFTEN, *REFERRED_ANYWAY)
                ],
            ),
        ],
        coerce=Reason,
        error_messages={"required": "Choose why the case is not suitable."},
    )
    contact_by = forms.TypedChoiceField(
        label="Who will contact the victim",
        choices=[
            ("", "Choose who"),
            (ContactBy.OTHER_REPORT, ContactBy.OTHER_REPORT.label),
            *((who.value, who.label) for who in ContactBy if who != ContactBy.OTHER_REPORT),
        ],
        coerce=ContactBy,
        empty_value="",
        required=False,
    )
    # Both are shown for a duplicate alone, by the style sheet.
    duplicate_of = forms.ChoiceField(label="Of which report", required=False, widget=forms.RadioSelect)
    other_report = LineField(
        label="Crime reference of the other report",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "govuk-input--width-20"}),
    )

    def offer(self, case: Case, reports: list[tuple[str, str]], chosen: str = "") -> None:
        """Offers these reports as the one that the case is a duplicate of; ``chosen``: which is on record."""
        self.about = case
        is_offered = chosen in dict(reports)
        if not is_offered:
            self.initial["other_report"] = chosen
        if not reports:
            del self.fields["duplicate_of"]
            return
        choices = [*reports, (ANOTHER, "Another report: type its crime reference")]
        cast(forms.ChoiceField, self.fields["duplicate_of"]).choices = choices
        self.initial["duplicate_of"] = ANOTHER if chosen and not is_offered else chosen

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        typed = cleaned.pop("other_report", "")
        is_duplicate = cleaned.get("reason") == Reason.DUPLICATE
        if is_duplicate and cleaned.get("contact_by") == "":
            # Without JavaScript nobody has chosen it first.
            cleaned["contact_by"] = ContactBy.OTHER_REPORT
        if not cleaned.get("contact_by", True):
            self.add_error("contact_by", "Choose who will contact the victim.")
        if not is_duplicate:
            if cleaned.get("contact_by") == ContactBy.OTHER_REPORT:
                self.add_error("contact_by", "Only a duplicate is left to another report: choose who.")
            return {**cleaned, "duplicate_of": ""}
        offered = cleaned.get("duplicate_of")
        chosen = typed if offered in (None, "", ANOTHER) else offered
        if not chosen:
            is_choice = "duplicate_of" in self.fields and offered != ANOTHER
            self.add_error(
                "duplicate_of" if is_choice else "other_report", "Say of which report it is a duplicate."
            )
        elif chosen == typed and not re.fullmatch(settings.CRIME_REFERENCE_PATTERN, typed):
            self.add_error("other_report", "Type the crime reference as it stands on the crime record.")
        elif cleaned.get("contact_by") == ContactBy.OTHER_REPORT and (
            why_not := why_not_left_to(self.about.bcu_id, chosen)
        ):
            self.add_error("contact_by", why_not)
        return {**cleaned, "duplicate_of": chosen}


class NotSuitableForm(ReasonForm, WhyNotForm):
    """The same as a mark."""

    def initial_of(self, row: ReviewRow) -> dict[str, str]:
        """The draft's; an incident has one reason, and is its investigating officer's."""
        if row.decision and row.is_not_suitable:
            return {"reason": row.decision.reason, "contact_by": row.decision.contact_by}
        if not row.case.is_crime:
            return {"reason": Reason.NO_CRIME, "contact_by": ContactBy.INVESTIGATOR}
        return {}


class FoundNotSuitableForm(WhyNotForm, CaseForm):
    """The same of a case that was submitted."""


class CorrectFindingForm(FoundNotSuitableForm):
    """The same of a finding that is on record. ``seen``: the key of the one that the page showed."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        if found := case.latest_finding:
            said = {"reason": found.reason, "contact_by": found.contact_by}
            self.initial = {**self.initial, **said, "seen": found.pk}

    def show_again(self, case: Case) -> None:
        """The form as it is shown again knows what is on record by now."""
        data = cast(QueryDict, self.data).copy()
        data["seen"] = str(case.latest_finding.pk) if case.latest_finding else ""
        self.data = data


class ReopenForm(CaseForm):
    """Why a submitted decision is made anew."""

    because = forms.TypedChoiceField(
        label="Why",
        choices=ReopenReason.choices,
        coerce=ReopenReason,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why the decision is made anew."},
    )


class WardChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # no subscript when it runs
    """Wards, each with the team that gets its referrals."""

    def label_from_instance(self, ward: Ward) -> str:
        return f"{ward.name}: {ward.team}"


class MoveForm(CaseForm):
    """The ward whose team is to make the contact. ``seen``: the key of the ward that it is with."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    ward = WardChoice(
        label="Ward and its team",
        queryset=Ward.objects.none(),
        empty_label="Choose a ward",
        error_messages={"required": "Choose a ward."},
    )
    why = LineField(
        label="Why it goes there",
        max_length=200,
        help_text="For example: wrong postcode, refuge, hotel.",
        error_messages={"required": "Say why it goes there."},
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        wards = Ward.objects.filter(borough__bcu=case.bcu_id).select_related("team", "borough")
        cast(WardChoice, self.fields["ward"]).queryset = wards.order_by("name", "pk")
        self.initial = {**self.initial, **_with(case)}

    def show_again(self, case: Case) -> None:
        """The form as it is shown again knows where the referral is by now."""
        data = cast(QueryDict, self.data).copy()
        data.update({name: str(key) for name, key in _with(case).items()})
        self.data = data


def _with(case: Case) -> dict[str, int]:
    """What the form says of where the referral is, if there is one."""
    referral: Referral | None = getattr(case, "referral", None)
    return {"seen": referral.ward_id} if referral else {}


class ReferNowMarkForm(ReasonForm):
    """Why a case is referred outside any trial as soon as the day is submitted."""

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

    def __init__(self, data: QueryDict | None, *, row: ReviewRow) -> None:
        super().__init__(data, row=row)
        window = deadlines_of_bcu(row.case.bcu_id, timezone.now()).refer_now
        self.fields["reason"].help_text = f"Contact is due {window_words(window)} after you submit the day."

    def initial_of(self, row: ReviewRow) -> dict[str, str]:
        """The draft's."""
        return {"reason": row.decision.reason} if row.decision else {}

    def clean(self) -> dict[str, Any]:
        return {**(super().clean() or {}), "contact_by": ContactBy.NEIGHBOURHOOD_TEAM}


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


class RingAgainForm(CaseForm):
    """Why a victim whom a team has spoken with is to be rung again."""

    reason = forms.TypedChoiceField(
        label="Why",
        choices=OrderReason.choices,
        coerce=OrderReason,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why the victim is to be rung again."},
    )


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
        home, chosen = home_ward(case), chosen_before(case)
        self.home_team = home.team if home else None
        field = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        teams = teams_to_pick_from(case).order_by("borough__name", "name")
        if chosen is not None:
            self.initial = {**self.initial, "team": chosen.team.pk, "why": chosen.why}
            # It may be another BCU's.
            teams = teams | Team.objects.filter(pk=chosen.team.pk).select_related("borough")
        # Where somebody chose a team before, the ward's own is a choice like others.
        is_ward_enough = home is not None and chosen is None
        field.queryset = teams.exclude(pk=home.team_id) if home and is_ward_enough else teams
        field.empty_label = f"{self.home_team}, the ward's own" if is_ward_enough else "Choose a team"
        field.required = not is_ward_enough
        if home is None:
            self.fields["why"].help_text = "For example: refuge, hotel, no fixed abode, unknown postcode."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("team") == self.home_team:
            cleaned["team"] = None
        if cleaned.get("team") and cleaned.get("why") == "":
            self.add_error("why", "Say why this team.")
        return cleaned
