"""What a step of a recruiting trial asks for."""

from django import forms

from referrals.models import Mode
from src_app.fields import PublicLineField


class ProposeForm(forms.Form):
    """Who is told that the trial waits."""

    tell = forms.EmailField(
        label="E-mail address of who is to approve it",
        max_length=254,
        help_text="They are told that this trial waits for them, with a link; nothing about a case.",
        error_messages={
            "required": "Give the e-mail address of who is to approve it.",
            "invalid": "Give an e-mail address, such as leader@example.org.",
        },
    )


class PauseForm(forms.Form):
    """Why recruitment stops, and what the wards do meanwhile."""

    reason = PublicLineField(
        label="Why",
        max_length=300,
        help_text="About the trial; nothing about a case.",
        error_messages={"required": "Say why recruitment is paused."},
    )
    meanwhile = forms.TypedChoiceField(
        label="What suitable cases get meanwhile",
        choices=[(Mode.SRC_FOR_ALL, "SRC for all"), (Mode.NOT_STARTED, "Usual service")],
        coerce=Mode,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what suitable cases get meanwhile."},
    )


class CloseForm(forms.Form):
    """Why recruitment ends."""

    because = PublicLineField(
        label="Why",
        max_length=300,
        help_text="It will stand in the report of the trial.",
        error_messages={"required": "Say why recruitment is closed."},
    )
