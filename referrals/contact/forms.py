"""What an officer fills in about a referral."""

import uuid
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from referrals.cases.forms import CaseForm
from referrals.contact.readers.colleagues import Colleague
from referrals.models import (
    CLOSED_BY_TEAM,
    FOUND_OUT,
    RAISED_BY_RECORD,
    TRANSFER_REASONS,
    CloseReason,
    FollowUpKind,
    HandOverReason,
    Method,
    MinutesSpent,
    Referral,
    ReopeningReason,
    Result,
    StopReason,
    Ward,
)
from src_app.accounts.models import User
from src_app.fields import DayField, MomentField, NoteField

NOTE_LENGTH = 300

_OPEN_AGAIN = {"required": "Open this page again.", "invalid": "Open this page again."}


class KeyForm(forms.Form):
    """The key that makes a double tap one row."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4, error_messages=_OPEN_AGAIN)

    def renew_key(self) -> None:
        """The form as it is shown again is another one: saving it adds a row."""
        data = cast(QueryDict, self.data).copy()
        data["key"] = str(uuid.uuid4())
        self.data = data


class AttemptForm(KeyForm, CaseForm):
    """One try to reach the victim. Nothing of it needs typing; no time given is now."""

    method = forms.TypedChoiceField(
        choices=Method.choices,
        coerce=Method,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how you tried."},
    )
    result = forms.TypedChoiceField(
        choices=Result.choices,
        coerce=Result,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what came of it."},
    )
    call_back_at = MomentField(
        required=False,
        label="Call back at",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "class": "govuk-!-width-two-thirds"}, format="%Y-%m-%dT%H:%M"
        ),
        help_text="If the victim named a time. You are reminded of it.",
        error_messages={"invalid": "Give the day and the time to call back, or leave it empty."},
    )
    minutes_spent = forms.TypedChoiceField(
        required=False,
        choices=MinutesSpent.choices,
        coerce=MinutesSpent,
        empty_value=None,
        widget=forms.RadioSelect,
    )
    with_interpreter = forms.BooleanField(required=False, label="With an interpreter")
    risk_assessment = forms.BooleanField(required=False, label="Risk assessment done or in place")
    support_offered = forms.BooleanField(required=False, label="Support referral offered")
    support_taken_up = forms.BooleanField(required=False, label="Support referral offered and taken up")
    noted_on_record = forms.BooleanField(required=False, label="Noted on the crime record")
    follow_ups = forms.TypedMultipleChoiceField(
        required=False,
        # That a barred way was used, or the record changed, is found out, not ticked.
        choices=[each for each in FollowUpKind.choices if each[0] not in (*FOUND_OUT, *RAISED_BY_RECORD)],
        coerce=FollowUpKind,
        label="For somebody to act on",
        help_text="Goes to the follow-ups of your supervisor and the hate crime officer; an e-mail tells the "
        "team's mailbox.",
        widget=forms.CheckboxSelectMultiple,
    )
    made_at = MomentField(
        required=False,
        label="When it was, if not now",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "class": "govuk-!-width-two-thirds"}, format="%Y-%m-%dT%H:%M"
        ),
        error_messages={"invalid": "Give the day and the time, or leave it empty for now."},
    )
    made_by = forms.ModelChoiceField(
        required=False,
        queryset=User.objects.none(),
        label="Who made it, if not you",
        empty_label="I did",
        error_messages={"invalid_choice": "Choose somebody of the team, or leave it at “I did”."},
    )
    note = NoteField(
        required=False,
        max_length=NOTE_LENGTH,
        label="Short note",
        help_text="What helps the next call, such as a better hour. No account of the offence, no name, no "
        "number.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, colleagues: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[User]", self.fields["made_by"]).queryset = colleagues

    def clean(self) -> dict[str, Any]:
        """A time to call back that was typed before another result was chosen does not count."""
        given = super().clean() or self.cleaned_data
        if given.get("result") != Result.CALL_BACK:
            given["call_back_at"] = None
        return given


class GiveForm(forms.Form):
    """Who is given one or several referrals."""

    referrals = forms.ModelMultipleChoiceField(
        queryset=Referral.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Tick at least one referral.",
            "invalid_choice": "One of the referrals is not on this page any more: tick again.",
        },
    )
    to = forms.ChoiceField(
        label="Who is to have it",
        error_messages={
            "required": "Choose who is to have it.",
            "invalid_choice": "That person cannot have it any more: choose again.",
        },
    )

    def __init__(
        self, *args: Any, referrals: QuerySet[Referral], colleagues: list[Colleague], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelMultipleChoiceField[Referral]", self.fields["referrals"]).queryset = referrals
        self.people = {str(each.user.pk): each.user for each in colleagues}
        choices = [("", "Choose"), *((str(each.user.pk), each.words) for each in colleagues)]
        cast(forms.ChoiceField, self.fields["to"]).choices = choices

    def clean_to(self) -> User:
        return self.people[self.cleaned_data["to"]]


class LeaveForm(forms.Form):
    """Days on which somebody is away."""

    user = forms.ModelChoiceField(
        queryset=User.objects.none(),
        label="Who",
        empty_label="Choose",
        error_messages={
            "required": "Choose who is on leave.",
            "invalid_choice": "Choose yourself, or somebody whose work you see to.",
        },
    )
    starts_on = DayField(label="First day of leave", required_message="Give the first day of leave.")
    back_on = DayField(label="Back at work on", required_message="Give the first day back at work.")

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[User]", self.fields["user"]).queryset = people


class StopForm(forms.Form):
    """Why the clock of a referral stands, and until when."""

    reason = forms.TypedChoiceField(
        label="Why contact has to wait",
        choices=StopReason.choices,
        coerce=StopReason,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why contact has to wait."},
    )
    until = MomentField(
        label="Until",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "class": "govuk-!-width-two-thirds"}, format="%Y-%m-%dT%H:%M"
        ),
        help_text="The date that the victim asked for, or when safeguarding is asked again.",
        error_messages={
            "required": "Give the day and the time until which it stands.",
            "invalid": "Give the day and the time until which it stands.",
        },
    )


class CloseForm(forms.Form):
    """Why a referral ends without contact; the page offers the reasons its attempts have shown."""

    reason = forms.TypedChoiceField(
        choices=[(reason.value, reason.label) for reason in CLOSED_BY_TEAM],
        coerce=CloseReason,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why it ends without contact."},
    )


class ReopenForm(forms.Form):
    """Why an ended referral is open again."""

    reason = forms.TypedChoiceField(
        label="Why",
        choices=ReopeningReason.choices,
        coerce=ReopeningReason,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why it is open again."},
    )


class SafetyForm(forms.Form):
    """Whether another way of contact is safe, and which."""

    CLOSE = "close"
    answer = forms.ChoiceField(
        label="Which way is safe?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a way that is safe, or that none is."},
    )

    def __init__(self, *args: Any, methods: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [*methods, (self.CLOSE, "No way is safe: close it without contact")]
        cast(forms.ChoiceField, self.fields["answer"]).choices = choices

    def clean_answer(self) -> Method | None:
        """The way that is safe; None where none is."""
        answer = self.cleaned_data["answer"]
        return None if answer == self.CLOSE else Method(answer)


class _WardOfABcu(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic as it runs
    """A ward with where it is, and its team."""

    def label_from_instance(self, obj: Ward) -> str:
        return f"{obj.borough.bcu}, {obj.borough}: {obj.name} ({obj.team})"


class TransferForm(forms.Form):
    """The ward whose team is to make the contact, and why. ``seen``: the key of the ward that it is with."""

    seen = forms.IntegerField(widget=forms.HiddenInput, error_messages=_OPEN_AGAIN)
    ward = _WardOfABcu(
        label="To the team of which ward?",
        queryset=Ward.objects.none(),
        empty_label="Choose a ward",
        error_messages={"required": "Choose the ward whose team is to make the contact."},
    )
    reason = forms.TypedChoiceField(
        label="Why",
        choices=[(reason.value, reason.label) for reason in TRANSFER_REASONS],
        coerce=HandOverReason,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why it goes there."},
    )

    def __init__(self, *args: Any, referral: Referral, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**self.initial, "seen": referral.ward_id}
        elsewhere = Ward.objects.exclude(team=referral.team_id).select_related("team", "borough__bcu")
        in_order = elsewhere.order_by("borough__bcu__name", "borough__name", "name", "pk")
        cast("forms.ModelChoiceField[Ward]", self.fields["ward"]).queryset = in_order
