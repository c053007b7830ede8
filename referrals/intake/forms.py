"""The forms of Import."""

import uuid
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from referrals.intake.held.matching import Choice, Heading
from referrals.intake.reading.columns import REQUIRED, Column, heading_words
from referrals.models import Bcu, Strand
from referrals.scope import bcus_to_import_for
from referrals.table_files.cells import letters
from src_app.accounts.models import User

_MEGABYTE = 1024 * 1024


class ExtractForm(forms.Form):
    """A file, and the BCU it is of where the account has several. ``key`` makes a double tap one upload."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    bcu: "forms.ModelChoiceField[Bcu]" = forms.ModelChoiceField(
        label="BCU",
        queryset=Bcu.objects.none(),
        empty_label=None,
        error_messages={"required": "Choose the BCU the file is of."},
    )
    file = forms.FileField(
        label="Overnight extract",
        help_text="A CSV or text file, or a spreadsheet. Choose it, or drop it here.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods,text/csv,text/plain"}),
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty: choose the extract with the reports in it.",
            "invalid": "Choose a file.",
        },
    )

    def __init__(self, *args: Any, user: User, size: int = 0, **kwargs: Any) -> None:
        """``size``: bytes of the request; a file that was too large to be taken in is known by it alone."""
        super().__init__(*args, **kwargs)
        self.initial["key"] = uuid.uuid4()
        bcus = list(bcus_to_import_for(user).order_by("name"))
        self.only_bcu = bcus[0] if len(bcus) == 1 else None
        if self.only_bcu:
            del self.fields["bcu"]
        else:
            field = cast("forms.ModelChoiceField[Bcu]", self.fields["bcu"])
            field.queryset = bcus_to_import_for(user).order_by("name")
        if size > settings.MAX_UPLOAD_BYTES:
            limit = settings.MAX_UPLOAD_BYTES // _MEGABYTE
            self.fields["file"].error_messages["required"] = (
                f"The file is larger than {limit} MB: split it into smaller files, each with the headings."
            )

    @property
    def bcu_chosen(self) -> Bcu:
        """The BCU the file is of; only of a valid form."""
        return self.only_bcu or cast(Bcu, self.cleaned_data["bcu"])

    @property
    def content(self) -> bytes:
        """The file's bytes; only of a valid form."""
        return cast(bytes, cast("UploadedFile[bytes]", self.cleaned_data["file"]).read())

    @property
    def file_name(self) -> str:
        """The file's name; only of a valid form."""
        return cast("UploadedFile[bytes]", self.cleaned_data["file"]).name or ""


class SeenForm(forms.Form):
    """The digest of the preview that was on the page."""

    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)


_NO_STRAND, _WORD = "none", "word-"
_STRANDS = [
    ("", "Not known yet"),
    *Strand.choices,
    (f"{Strand.RACE.value}+{Strand.RELIGION.value}", "Race and religion"),
    (_NO_STRAND, "None of the monitored strands"),
]


class ColumnsForm(forms.Form):
    """The sheet of a workbook, or a column for each heading."""

    def __init__(self, *args: Any, choice: Choice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choice = choice
        self.headings: dict[str, str] = {}
        if choice.sheets:
            self.fields["sheet"] = forms.ChoiceField(
                label="Sheet to import",
                choices=[(name, name) for name in choice.sheets],
                widget=forms.RadioSelect,
                error_messages={"required": "Choose the sheet to import."},
            )
        columns = [("", "Not used"), *((column.value, _option(column)) for column in Column)]
        for number, heading in enumerate(choice.headings):
            name, column = f"heading-{number}", heading.column or heading.guess
            self.headings[name] = heading.words
            self.fields[name] = forms.ChoiceField(
                label=heading.words,
                required=False,
                choices=columns,
                initial=column.value if column else "",
                help_text=_example_words(heading),
            )
        self.order_fields(name for known in (False, True) for name in self._named(known=known))

    @property
    def unknown(self) -> list[forms.BoundField]:
        """The headings that mean no column so far."""
        return [self[name] for name in self._named(known=False)]

    @property
    def known(self) -> list[forms.BoundField]:
        """The headings that mean a column as they are."""
        return [self[name] for name in self._named(known=True)]

    def _named(self, *, known: bool) -> list[str]:
        return [
            f"heading-{number}"
            for number, heading in enumerate(self.choice.headings)
            if bool(heading.column) is known
        ]

    @property
    def first_id(self) -> str:
        """Where an error that is of no single heading leads to."""
        return self[next(iter(self.fields))].id_for_label

    @property
    def missing(self) -> str:
        """The columns that must be there and that no heading means, nor may mean, in words."""
        there = {column for heading in self.choice.headings for column in (heading.column, heading.guess)}
        return " and ".join(f"the {_words(column)}" for column in REQUIRED if column not in there)

    @property
    def is_guessed(self) -> bool:
        """Whether some heading is taken for a column that nobody has said."""
        return any(heading.guess for heading in self.choice.headings)

    @property
    def meanings(self) -> dict[str, str]:
        """What each heading means; only of a valid form."""
        return {heading: self.cleaned_data[name] for name, heading in self.headings.items()}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.headings:
            return cleaned
        used: dict[str, str] = {}
        for name, heading in self.headings.items():
            column = cleaned.get(name, "")
            if column and column in used:
                words = _words(Column(column))
                self.add_error(name, f"{used[column]} is the {words} already: choose one of the two.")
            elif column:
                used[column] = heading
        for required in REQUIRED:
            if required not in used:
                self.add_error(None, f"Choose the heading that is the {_words(required)}.")
        return cleaned


class StrandsForm(forms.Form):
    """Which strands each word names that is taken for none; a word that is left alone stays unknown.

    A field has its word's letters for a name, so that an answer is that word's whatever was said meanwhile.
    """

    def __init__(self, *args: Any, words: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.words: dict[str, str] = {}
        # What is known by now can still be corrected, from a page that was opened before.
        answered = [name.removeprefix(_WORD) for name in self.data if name.startswith(_WORD)]
        for word in [*words, *filter(letters, answered)]:
            name = f"{_WORD}{letters(word)}"
            if name not in self.words:
                self.words[name] = word
                self.fields[name] = forms.ChoiceField(label=word, required=False, choices=_STRANDS)

    @property
    def meanings(self) -> dict[str, list[Strand]]:
        """Strands by word, of those that are said; only of a valid form."""
        said = {word: self.cleaned_data[name] for name, word in self.words.items()}
        return {word: _strands_said(value) for word, value in said.items() if value}


def _strands_said(value: str) -> list[Strand]:
    return [] if value == _NO_STRAND else [Strand(strand) for strand in value.split("+")]


def _example_words(heading: Heading) -> str:
    examples = (
        f"For example: {'; '.join(heading.examples)}." if heading.examples else "Nothing stands under it."
    )
    return f"{examples} This is a guess: look whether it is right." if heading.guess else examples


def _option(column: Column) -> str:
    words = heading_words(column)
    return f"{words} (must be there)" if column in REQUIRED else words


def _words(column: Column) -> str:
    return heading_words(column).lower()
