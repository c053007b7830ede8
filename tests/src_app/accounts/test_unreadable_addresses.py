"""Where to go back to, said by an address that is none: it is passed over, and what was asked is done."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from src_app.accounts.models import User
from tests.factories import PASSWORD

ClientOf = Callable[[User], Client]
UNREADABLE = [
    "http://[evil]/",
    "//[evil",
    "http://\u2100.example/",
    "http://elsewhere.example/",
    "\\\\elsewhere.example",
    "javascript:alert(1)",
    # The names of pages, which a redirect would look up.
    "case",
    "nothing",
]


@pytest.mark.parametrize("address", UNREADABLE)
def test_signing_out_ends_the_session_whatever_comes_next(
    client_of: ClientOf, hcop: User, address: str
) -> None:
    browser = client_of(hcop)
    response = browser.post(reverse("account_logout"), {"next": address})
    assert response.headers["Location"] == reverse("account_login")
    assert browser.get(reverse("home")).headers["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("address", UNREADABLE)
def test_signing_in_leads_to_the_work_whatever_comes_next(hcop: User, address: str) -> None:
    sent = {"login": "hcop", "password": PASSWORD, "next": address}
    response = Client().post(reverse("account_login"), sent)
    assert response.headers["Location"] == reverse("home")


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_of_the_sign_in_stands_whatever_comes_next(db: None, method: str) -> None:
    for address in UNREADABLE:
        response = getattr(Client(), method)(reverse("account_login"), {"next": address})
        assert response.status_code == 200


@pytest.mark.parametrize("address", UNREADABLE[:3])
def test_a_part_of_a_page_whose_address_cannot_be_read_leads_to_sign_in(db: None, address: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": address.encode().decode("latin-1")}
    response = Client().get(reverse("overnight_review"), headers=headers)
    assert response.headers["HX-Redirect"].startswith(f"{reverse('account_login')}?next=/")
