"""Forms of allauth's pages that are ours."""

from typing import Any

from django import forms

from src_app.accounts.models import User


class NoSecurityKeyForm(forms.Form):
    """Nobody has a security key here; allauth would read one all the same, from JSON without a limit."""

    def __init__(self, *, user: User, data: Any = None) -> None:
        super().__init__(data)

    def clean(self) -> dict[str, Any]:
        raise forms.ValidationError("Enter the code of your second factor.")
