"""Where an act upon a row of a list leads back to."""

import pytest
from django.test import RequestFactory
from django.urls import reverse

from src_app.lists.back import back_to

LIST = reverse("flag_list")


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        ("", LIST),
        ("borough=2&page=%5Bfalse%2C+7%5D", f"{LIST}?borough=2&page=%5Bfalse%2C+7%5D"),
        ("https://elsewhere.example/?a=1", f"{LIST}?https%3A%2F%2Felsewhere.example%2F%3Fa=1"),
        ("//elsewhere.example", f"{LIST}?%2F%2Felsewhere.example="),
        ("a=1\r\nSet-Cookie: b=2", f"{LIST}?a=1%0D%0ASet-Cookie%3A+b%3D2"),
        ("a=1#https://elsewhere.example", f"{LIST}?a=1%23https%3A%2F%2Felsewhere.example"),
    ],
)
def test_it_is_the_list_with_what_was_asked_and_never_another_address(asked: str, back: str) -> None:
    request = RequestFactory().post("/", {"asked": asked})
    assert back_to(request, "flag_list") == back


def test_it_is_the_list_where_nothing_was_said() -> None:
    assert back_to(RequestFactory().post("/"), "flag_list") == LIST
