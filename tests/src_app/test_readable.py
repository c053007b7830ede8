"""What cannot be read of a request is answered in a sentence, and never with an error page."""

from collections.abc import Callable

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from src_app.accounts.models import User
from src_app.wsgi import application

ClientOf = Callable[[User], Client]


def test_a_nul_in_an_address_is_no_page(client_of: ClientOf, officer: User) -> None:
    response = client_of(officer).get("/referrals/SRC%00/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


@pytest.mark.parametrize("query", ["bcu=%00", "page=a%00", "%00=a"])
def test_a_nul_in_a_parameter_is_not_understood(client_of: ClientOf, trial_lead: User, query: str) -> None:
    response = client_of(trial_lead).get(f"{reverse('new_trial')}?{query}")
    assert response.status_code == 400
    assert "could not be understood" in response.content.decode()


def test_a_nul_in_a_body_is_no_bcu(client_of: ClientOf, trial_lead: User) -> None:
    response = client_of(trial_lead).post(reverse("new_trial"), {"bcu": "SW\0"})
    assert response.status_code == 404


@pytest.mark.parametrize("cookie", ['"abcdefgh\\000"', "x" * 3_000, "\xff\xfe\xed\xa0\x80abcdef"])
def test_a_session_that_is_none_is_nobody_s(db: None, cookie: str) -> None:
    response = Client().get(reverse("overnight_review"), headers={"Cookie": f"sessionid={cookie}"})
    assert response.headers["Location"].startswith(reverse("account_login"))


def answered(charset: str) -> str:
    """What the server is told of a request that says it is in those letters."""
    statuses = []
    environ = RequestFactory()._base_environ(  # type: ignore[attr-defined]  # as the test client makes it
        PATH_INFO="/accessibility/", QUERY_STRING="a=%41", CONTENT_TYPE=f"text/plain; charset={charset}"
    )
    list(application(environ, lambda status, *_: statuses.append(status)))  # type: ignore[arg-type]
    return str(statuses[0])


@pytest.mark.parametrize("charset", ["rot13", "undefined", "utf-16", "hex", "idna", "a\0b"])
def test_whoever_sends_other_letters_than_utf_8_is_not_understood(db: None, charset: str) -> None:
    assert answered(charset) == "400 Bad Request"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"', "no-such-letters", ""])
def test_utf_8_is_understood_however_it_is_written(db: None, charset: str) -> None:
    assert answered(charset) == "200 OK"


def test_a_body_that_is_too_large_or_has_too_many_fields_is_not_understood(
    client_of: ClientOf, hcop: User
) -> None:
    browser = client_of(hcop)
    address, kind = reverse("search"), "application/x-www-form-urlencoded"
    for body in (b"a=" + b"x" * (5 * 1024 * 1024), b"&".join(b"a=1" for _ in range(1_001))):
        assert browser.post(address, body, kind).status_code == 400
