"""Signing in, and staying signed in."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.factories import PASSWORD

ClientOf = Callable[[User], Client]


def sign_in(browser: Client, username: str, password: str = PASSWORD) -> int:
    return browser.post(reverse("account_login"), {"login": username, "password": password}).status_code


@pytest.mark.parametrize(
    ("role", "lands_on"),
    [
        ("hcop", "overnight_review"),
        ("officer", "my_referrals"),
        ("supervisor", "compliance"),
        ("trial_lead", "trial_list"),
        ("leader", "compliance"),
        ("auditor", "audit_list"),
        ("administrator", "place_list"),
    ],
)
def test_each_role_lands_where_its_work_is(role: str, lands_on: str, request: pytest.FixtureRequest) -> None:
    user = request.getfixturevalue(role)
    browser = Client()
    assert sign_in(browser, user.username) == 302
    assert browser.get(reverse("home")).headers["Location"] == reverse(lands_on)


def test_signing_in_out_and_failing_are_on_record(hcop: User) -> None:
    browser = Client()
    sign_in(browser, "hcop", "wrong password")
    sign_in(browser, "hcop")
    browser.post(reverse("account_logout"))
    entries = AuditEntry.objects.order_by("pk").values_list("action", "actor", "references")
    assert list(entries) == [
        (Action.SIGN_IN_FAILED, None, ["hcop"]),
        (Action.SIGNED_IN, hcop.pk, []),
        (Action.SIGNED_OUT, hcop.pk, []),
    ]


def test_a_name_that_is_no_accounts_is_not_on_record(db: None) -> None:
    sign_in(Client(), "correct horse battery staple")
    assert AuditEntry.objects.get(action=Action.SIGN_IN_FAILED).references == []


def test_after_five_failures_the_right_password_does_not_open_either(hcop: User) -> None:
    browser = Client()
    for _ in range(5):
        assert sign_in(browser, "hcop", "wrong password") == 200
    sign_in(browser, "hcop")
    assert browser.get(reverse("home")).headers["Location"].startswith(reverse("account_login"))


def test_a_deactivated_account_is_out_at_once(client_of: ClientOf, hcop: User) -> None:
    browser = client_of(hcop)
    assert browser.get(reverse("overnight_review")).status_code == 200
    User.objects.filter(pk=hcop.pk).update(is_active=False)
    assert browser.get(reverse("overnight_review")).status_code == 302


def test_a_sign_in_refused_for_too_many_failures_is_on_record(hcop: User) -> None:
    browser = Client()
    for _ in range(6):
        sign_in(browser, "hcop", "wrong password")
    assert AuditEntry.objects.filter(action=Action.SIGN_IN_FAILED).count() == 6


@pytest.mark.parametrize("path", ["signup/", "email/", "password/reset/", "login/code/confirm/"])
def test_nobody_signs_up_or_is_let_in_by_e_mail(db: None, path: str) -> None:
    assert Client().get(f"/account/{path}").status_code == 404


@pytest.mark.parametrize(("proxies", "seen"), [(0, "10.0.0.9"), (1, "203.0.113.7"), (2, "198.51.100.2")])
def test_the_address_on_record_is_the_one_that_the_trusted_proxies_saw(
    hcop: User, settings: Settings, proxies: int, seen: str
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    browser = Client(REMOTE_ADDR="10.0.0.9", headers={"X-Forwarded-For": "198.51.100.2, 203.0.113.7"})
    sign_in(browser, "hcop")
    assert str(AuditEntry.objects.latest("pk").address) == seen


def test_nobody_signs_in_as_the_system(system: User) -> None:
    browser = Client()
    for password in ("", "!", "system", PASSWORD):
        sign_in(browser, "system", password)
    assert browser.get(reverse("home")).headers["Location"].startswith(reverse("account_login"))


def test_an_idle_account_is_signed_out_and_told(
    client_of: ClientOf, hcop: User, clock: time_machine.Traveller
) -> None:
    browser = client_of(hcop)
    browser.get(reverse("overnight_review"))
    clock.shift(django_settings.IDLE_TIMEOUT - timedelta(seconds=5))
    assert browser.get(reverse("overnight_review")).status_code == 200
    clock.shift(django_settings.IDLE_TIMEOUT + timedelta(seconds=5))
    response = browser.get(reverse("overnight_review"), follow=True)
    assert "You were signed out after 20 minutes without activity" in response.content.decode()


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(
    client_of: ClientOf, hcop: User, clock: time_machine.Traveller
) -> None:
    browser = client_of(hcop)
    browser.get(reverse("overnight_review"))
    clock.shift(django_settings.IDLE_TIMEOUT - timedelta(seconds=5))
    browser.get(reverse("overnight_review"), headers={"X-Background": "true"})
    clock.shift(timedelta(seconds=10))
    assert browser.get(reverse("overnight_review")).status_code == 302


@pytest.mark.parametrize("idle", [True, False])
def test_where_htmx_asked_for_a_part_the_whole_page_goes_to_sign_in(
    client_of: ClientOf, hcop: User, clock: time_machine.Traveller, idle: bool
) -> None:
    browser = client_of(hcop)
    browser.get(reverse("overnight_review"))
    if idle:
        clock.shift(django_settings.IDLE_TIMEOUT + timedelta(seconds=5))
    else:
        browser.logout()
    page = {"HX-Request": "true", "HX-Current-URL": "https://testserver/import/?page=2"}
    response = browser.get(reverse("overnight_review"), headers=page)
    assert response.headers["HX-Redirect"] == f"{reverse('account_login')}?next=/import/%3Fpage%3D2"


def test_after_sign_in_nobody_is_sent_to_the_address_of_a_form(db: None) -> None:
    response = Client().post(reverse("session_stay"))
    assert response.headers["Location"] == f"{reverse('account_login')}?next={reverse('home')}"


def test_staying_prolongs_the_session(client_of: ClientOf, hcop: User, clock: time_machine.Traveller) -> None:
    browser = client_of(hcop)
    browser.get(reverse("overnight_review"))
    for _ in range(3):
        clock.shift(django_settings.IDLE_TIMEOUT - timedelta(seconds=5))
        assert browser.post(reverse("session_stay")).status_code == 204
    assert browser.get(reverse("overnight_review")).status_code == 200
