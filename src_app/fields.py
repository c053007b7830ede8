"""Form fields for what people type: texts in which nothing finds a person, and times by London's clock."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from datetime import timezone as FixedOffset  # noqa: N812
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from src_app.days import check_day, moment_shown
from src_app.keys import names_key
from src_app.scrubbing import found_in, plain, scrub_references, visible

_STAYS = "telephone numbers, e-mail addresses and postcodes stay on the crime record."
_MOST_NAMED = 3
_REFERRAL = re.compile(r"SRC\W?\d{4}\W?\d{6}", re.IGNORECASE | re.ASCII)
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

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)
        self.longest = max_length

    def to_python(self, value: str | None) -> str:
        """The text without characters that cannot be seen, and with a line end as one character."""
        text = (super().to_python(value) or "").replace("\r\n", "\n")
        # Before anything is looked for in it: that takes its time in a text of millions of characters.
        if len(text) > self.longest:
            self.run_validators(text)
        return visible(text)

    def validate(self, value: str) -> None:
        super().validate(value)
        if found := found_in(value):
            named = ", ".join(f"\u201c{each}\u201d" for each in found[:_MOST_NAMED])
            raise ValidationError(f"Leave out {named}: {_STAYS}")
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
        if scrub_references(value) != value or _REFERRAL.search(plain(value)):
            raise ValidationError("Leave out references of cases: people outside the force read this.")


class PublicLineField(LineField, PublicNoteField):
    """A line that people outside the force will read."""


class DayField(forms.DateField):
    """A day, in the browser's own picker; before the year 2100."""

    def __init__(self, *, required_message: str, **options: Any) -> None:
        super().__init__(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            validators=[check_day],
            error_messages={"required": required_message, "invalid": "Give the day as 23/11/2026."},
            **options,
        )


# Tells what the clock shows from what came with an offset, which may be none.
_NO_OFFSET_GIVEN = FixedOffset(timedelta(), "by the clock")


class MomentField(forms.DateTimeField):
    """A day and a time as London's clock shows them.

    An offset that is given counts. See :func:`~src_app.days.moment_shown` for the nights on which the clocks
    change.
    """

    def to_python(self, value: Any) -> datetime | None:
        """The moment in UTC."""
        with timezone.override(_NO_OFFSET_GIVEN):
            read = super().to_python(value)
        if read is None:
            return None
        # Before it is moved to another offset: at the ends of time there is none.
        check_day(read)
        if read.tzinfo is not _NO_OFFSET_GIVEN:
            return read.astimezone(UTC)
        try:
            return moment_shown(read)[0]
        except ValueError as error:
            raise ValidationError(f"{error} Give another.") from None
