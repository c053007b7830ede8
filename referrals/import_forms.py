"""The form of the Import page."""

import uuid
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from referrals.models import Bcu
from referrals.queries import bcus_to_import_for
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
