"""The forms by which flags are compared with a list from the crime management system."""

from datetime import date
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from referrals.crime_record.actions.flags import DAY_TO_COME
from referrals.crime_record.readers import GivenList
from referrals.crime_record.reading import MOST_REFERENCES
from referrals.models import Bcu
from referrals.scope import bcus_to_confirm_flags_of
from referrals.table_files.content import Content
from src_app.accounts.models import User
from src_app.days import check_day
from src_app.whole_numbers import whole_numbers

_CHOOSE_BCU, _NO_DAY = "Choose the BCU the list is of.", "Give the day as day, month and year: 23/11/2026."


class OfBcuForm(forms.Form):
    """A list of the day ``taken_on``, and the BCU it is of where the account has several."""

    bcu: "forms.ModelChoiceField[Bcu]" = forms.ModelChoiceField(
        queryset=Bcu.objects.none(),
        label="BCU",
        empty_label=None,
        error_messages={"required": _CHOOSE_BCU, "invalid_choice": _CHOOSE_BCU},
    )
    taken_on = forms.DateField(
        label="Day on which the list was taken",
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        validators=[check_day],
        widget=forms.DateInput(attrs={"type": "date", "class": "govuk-input--width-10"}, format="%Y-%m-%d"),
        error_messages={"required": "Give the day on which the list was taken.", "invalid": _NO_DAY},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["taken_on"] = timezone.localdate()
        bcus = list(bcus_to_confirm_flags_of(user).order_by("name"))
        self.only_bcu = bcus[0] if len(bcus) == 1 else None
        if self.only_bcu:
            del self.fields["bcu"]
        else:
            field = cast("forms.ModelChoiceField[Bcu]", self.fields["bcu"])
            field.queryset = bcus_to_confirm_flags_of(user).order_by("name")

    @property
    def bcu_chosen(self) -> Bcu:
        """The BCU the list is of; only of a valid form."""
        return self.only_bcu or cast(Bcu, self.cleaned_data["bcu"])

    def clean_taken_on(self) -> date:
        given: date = self.cleaned_data["taken_on"]
        if given > timezone.localdate():
            raise ValidationError(DAY_TO_COME)
        return given


class FlagListForm(OfBcuForm):
    """A file with the references."""

    file = forms.FileField(
        label="List of references",
        help_text="A CSV or text file, or a spreadsheet, with a column “Crime reference”.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods,text/csv,text/plain"}),
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty: choose the list with the references in it.",
            "invalid": "Choose a file.",
        },
    )

    def __init__(self, *args: Any, size: int = 0, **kwargs: Any) -> None:
        """``size``: bytes of the request; a file that was too large to be taken in is known by it alone."""
        super().__init__(*args, **kwargs)
        if size > settings.MAX_UPLOAD_BYTES:
            limit = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
            self.fields["file"].error_messages["required"] = (
                f"The file is larger than {limit} MB: save the column of references alone."
            )

    @property
    def content(self) -> Content:
        """The file's bytes; only of a valid form."""
        return Content.of(cast(bytes, cast("UploadedFile[bytes]", self.cleaned_data["file"]).read()))


class ComparedForm(OfBcuForm):
    """A list that was compared already, as its page sends it on: what was found in it, and what to do."""

    references = forms.IntegerField(min_value=0, max_value=MOST_REFERENCES)
    found = forms.CharField(required=False)
    act = forms.ChoiceField(choices=[(each, each) for each in ("confirm", "remove", "download")])

    @property
    def given(self) -> GivenList:
        """The list; only of a valid form."""
        cleaned = self.cleaned_data
        found = tuple(whole_numbers(cleaned["found"].split(",")))
        return GivenList(cleaned["taken_on"], cleaned["references"], found)
