"""In production every request is one to SITE_URL, whatever its Host says."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.fixtures import Settings

from src_app.host import OneHostMiddleware


@pytest.fixture
def production(settings: Settings) -> None:
    settings.PRODUCTION = True
    settings.SITE_URL = "https://contact.example"
    settings.ALLOWED_HOSTS = ["contact.example"]


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "said", ["contact.example", "contact.example:8443", "CONTACT.example", "contact.example."]
)
def test_a_host_of_that_name_is_the_sites_own(said: str) -> None:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request.build_absolute_uri("/"))
        return HttpResponse()

    OneHostMiddleware(view)(RequestFactory().get("/", headers={"Host": said}, secure=True))
    assert seen == ["https://contact.example/"]


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "said", ["evil.example", "contact.example.evil.example", "contact.example:x", "", "[::1]"]
)
def test_any_other_host_is_refused(said: str) -> None:
    assert Client(headers={"Host": said}).get(reverse("account_login")).status_code == 400


@pytest.mark.usefixtures("production")
def test_whoever_reads_under_another_name_is_led_to_the_one_that_takes_forms(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["contact.example", "old.example"]
    browser = Client(headers={"Host": "old.example:81"})
    led = browser.get("/account/login/?next=/cases/", secure=True)
    assert led.headers["Location"] == "https://contact.example/account/login/?next=/cases/"
    assert browser.post("/account/login/", secure=True).status_code == 200


@pytest.mark.usefixtures("production")
def test_the_way_to_https_leads_to_no_other_port(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = Client(headers={"Host": "contact.example:8443"}).get("/account/login/")
    assert response.headers["Location"] == "https://contact.example/account/login/"


def test_elsewhere_it_is_served_under_every_name_that_is_let_in(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    for said in ("127.0.0.1:8123", "localhost:8000"):
        request = RequestFactory().get("/", headers={"Host": said})
        OneHostMiddleware(lambda _: HttpResponse())(request)
        assert request.get_host() == said
