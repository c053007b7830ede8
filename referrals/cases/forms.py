"""What every form about one case has in common, and the search for cases by their references."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from referrals.models import Case
from src_app.fields import NoteField


class CaseForm(forms.Form):
    """A form about one case, whose texts may name neither its incident nor its victim by their keys."""

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hashes = {case.incident_hash, case.victim_hash} - {""}
        for field in self.fields.values():
            if isinstance(field, NoteField):
                field.own_keys = hashes


class SearchForm(forms.Form):
    """A crime reference or a referral's number, the whole of it or its end, however it is written."""

    FEWEST = 4

    reference = forms.CharField(
        max_length=60,
        label="Crime reference or SRC number",
        help_text="The whole of it, or its last 4 digits or more. Slashes, hyphens and blanks do not matter.",
        error_messages={"required": "Enter a crime reference or an SRC number, or the last digits of one."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "govuk-input--width-20"}),
    )

    def clean_reference(self) -> str:
        """Its letters and digits alone, in capitals."""
        signs = re.sub("[^0-9A-Za-z]", "", self.cleaned_data["reference"]).upper()
        if len(signs) < self.FEWEST:
            raise ValidationError(f"Enter at least the last {self.FEWEST} digits of the reference.")
        return signs

    @property
    def whole(self) -> list[str]:
        """What was typed, if it has the form of a crime reference: no other text may reach the audit log."""
        typed = str(self["reference"].value()).strip()
        return [typed] if re.fullmatch(settings.CRIME_REFERENCE_PATTERN, typed) else []
