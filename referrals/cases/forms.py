"""What every form about one case has in common."""

from typing import Any

from django import forms

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
