"""What a step of a recruiting trial asks for."""

from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from referrals.models import Mode
from src_app.accounts.models import User
from src_app.fields import PublicLineField


class ProposeForm(forms.Form):
    """Who is told that the trial waits: somebody who may approve it, or an address that is typed."""

    approver: "forms.ModelChoiceField[User]" = forms.ModelChoiceField(
        label="Who is to approve it",
        queryset=User.objects.none(),
        required=False,
        empty_label="Somebody else: give their address below",
    )
    tell = forms.EmailField(
        label="E-mail address of who is to approve it",
        max_length=254,
        required=False,
        help_text="They are told that this trial waits for them, with a link; nothing about a case.",
        error_messages={"invalid": "Give an e-mail address, such as leader@example.org."},
    )

    def __init__(self, *args: Any, approvers: QuerySet[User], **kwargs: Any) -> None:
        """``approvers``: those with an address of their own."""
        super().__init__(*args, **kwargs)
        if approvers:
            cast("forms.ModelChoiceField[User]", self.fields["approver"]).queryset = approvers
            self.fields["tell"].label = "E-mail address of somebody else"
            if len(approvers) == 1:
                self.initial["approver"] = approvers[0].pk
        else:
            del self.fields["approver"]

    def clean(self) -> dict[str, Any]:
        """The address alone: that is all the action asks for."""
        cleaned = super().clean() or {}
        approver, tell = cleaned.get("approver"), cleaned.get("tell", "")
        if approver and tell:
            self.add_error("tell", f"Leave this empty, or do not choose {approver}: one person is told.")
        elif not approver and not tell and "tell" not in self.errors:
            self.add_error("tell", "Give the e-mail address of who is to approve it.")
        return {"tell": approver.email if approver else tell}


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
