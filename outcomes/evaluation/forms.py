"""Forms of a trial's results."""

from django import forms

from src_app.fields import PublicNoteField

REASON_LENGTH = 300


class LookForm(forms.Form):
    """Why the trial lead has to see the arms before the lock."""

    reason = PublicNoteField(
        label="Why you have to see the arms now",
        max_length=REASON_LENGTH,
        help_text="Everybody who reads the results can read it. No name, no case.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why you have to see the arms before the lock."},
    )


class PlannedLookForm(forms.Form):
    """Which look of the protocol."""

    planned_on = forms.DateField(input_formats=["%Y-%m-%d"], widget=forms.HiddenInput)


class CorrectionForm(forms.Form):
    """Why the data set is corrected."""

    reason = PublicNoteField(
        label="What was wrong",
        max_length=REASON_LENGTH,
        help_text="It goes to the registrars outside the force. No name, no case.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why the data set is corrected."},
    )
