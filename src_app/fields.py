"""Form fields that more than one form has."""

from django import forms
from django.core.exceptions import ValidationError

from src_app.logs import scrub


def _nothing_that_finds_a_person(text: str) -> None:
    if scrub(text) != text:
        raise ValidationError(
            "Leave out telephone numbers, e-mail addresses, postcodes and references: "
            "they stay on the crime record."
        )


class NoteField(forms.CharField):
    """Free text about a case, with nothing in it that finds a person; a name it cannot recognise."""

    default_validators = [_nothing_that_finds_a_person]
