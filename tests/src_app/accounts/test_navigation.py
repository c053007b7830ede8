"""The navigation: what an account may open, and where it is."""

import pytest
from django.test import RequestFactory

from src_app.accounts import navigation
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def _current(user: User, path: str) -> list[str]:
    request = RequestFactory().get(path)
    request.user = user
    return [entry["label"] for entry in navigation.navigation(request)["navigation"] if entry["current"]]


def test_a_page_is_under_the_entry_it_stands_closest_to(hcop: User, monkeypatch: pytest.MonkeyPatch) -> None:
    nested = navigation.Entry("Imported", "case_list", Permission.VIEW_CASES, "/cases/imported/")
    monkeypatch.setattr(navigation, "ENTRIES", (*navigation.ENTRIES, nested))
    assert _current(hcop, "/cases/01/") == ["Cases"]
    assert _current(hcop, "/cases/imported/7/") == ["Imported"]


def test_a_page_of_no_entry_is_under_none(hcop: User) -> None:
    assert _current(hcop, "/account/2fa/") == []
