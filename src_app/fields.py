"""Form fields for what people type: what finds a person is refused, and nothing hides in a line."""

import re
from collections.abc import Collection

from django import forms
from django.core.exceptions import ValidationError

from src_app.keys import names_key
from src_app.scrubbing import scrub, scrub_references, visible

_LEAVE_OUT = "Leave out telephone numbers, e-mail addresses and postcodes: they stay on the crime record."
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_one_line(text: str) -> bool:
    """Whether the text has no line end, no tab and no other control character in it."""
    return not _CONTROL.search(text)


class NoteField(forms.CharField):
    """Free text, with nothing in it that finds a person; a name it cannot recognise.

    A crime reference may stand in it. ``own_keys`` are the hashes of the incident and of the victim whom the
    text is about: their keys may not.
    """

    own_keys: Collection[str] = ()

    def to_python(self, value: str | None) -> str:
        """The text without characters that cannot be seen."""
        return visible(super().to_python(value) or "")

    def validate(self, value: str) -> None:
        super().validate(value)
        if scrub(value) != value:
            raise ValidationError(_LEAVE_OUT)
        if self.own_keys and names_key(value, self.own_keys):
            raise ValidationError(
                "Leave out the incident's number and the victim's key: they stay on the crime record."
            )


class LineField(NoteField):
    """The same, of one line."""

    def to_python(self, value: str | None) -> str:
        if not is_one_line((value or "").strip()):
            raise ValidationError("Write it on one line, without tabs and other control characters.")
        return super().to_python(value)


class PublicNoteField(NoteField):
    """The same for what people outside the force will read: no reference of a case either."""

    def validate(self, value: str) -> None:
        super().validate(value)
        if scrub_references(value) != value:
            raise ValidationError("Leave out references of cases: people outside the force read this.")
