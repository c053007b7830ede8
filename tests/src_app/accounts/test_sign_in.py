"""Signing in, and staying signed in."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from src_app.accounts.actions import reset_sign_in
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
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


@pytest.mark.parametrize("changed", ["port", "capitals", "blanks"])
def test_no_other_spelling_of_host_or_name_passes_the_lock(hcop: User, changed: str) -> None:
    spellings = ["hcop", "HCOP", "Hcop", "hCop", "hcOp", "hcoP"]
    for number in range(5):
        browser = Client(headers={"Host": f"testserver:{8000 + number}"} if changed == "port" else {})
        name = {"capitals": spellings[number], "blanks": " " * number + "hcop"}.get(changed, "hcop")
        assert sign_in(browser, name, "wrong password") == 200
    last = Client(headers={"Host": "testserver:9000"})
    sign_in(last, "hcoP")
    assert last.get(reverse("home")).headers["Location"].startswith(reverse("account_login"))
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {Action.SIGN_IN_FAILED}
    assert AuditEntry.objects.filter(references=["hcop"]).count() == 6


def test_fifty_people_behind_one_address_sign_in_within_a_minute(
    hcop: User, clock: time_machine.Traveller
) -> None:
    """As a shift starts: one in five mistypes the password first."""
    for number in range(50):
        if number % 5 == 0:
            assert sign_in(Client(), f"nobody{number}", "wrong password") == 200
        clock.shift(timedelta(seconds=1))
        assert sign_in(Client(), "hcop") == 302


def test_an_address_fails_twenty_times_in_five_minutes_whoever_signs_in_from_there(
    hcop: User, officer: User, clock: time_machine.Traveller
) -> None:
    """Failures under names that are nobody's, by a guesser who has an account of his own."""
    for number in range(20):
        assert sign_in(Client(), f"nobody{number}", "wrong password") == 200
        clock.shift(timedelta(seconds=14))
        assert sign_in(Client(), "officer") == (302 if number < 19 else 200)
    assert "Too many failed login attempts" in _answer("hcop")
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7"), "hcop") == 302
    clock.shift(timedelta(minutes=5))
    assert sign_in(Client(), "hcop") == 302


def _answer(username: str) -> str:
    return Client().post(reverse("account_login"), {"login": username, "password": PASSWORD}).text


def test_a_name_with_capital_letters_signs_in(hcop: User) -> None:
    browser = Client()
    assert sign_in(browser, "Hcop") == 302
    assert browser.get(reverse("overnight_review")).status_code == 200


def test_a_password_asked_for_once_more_counts_as_one_tried_at_sign_in(
    client_of: ClientOf, hcop: User
) -> None:
    browser = client_of(hcop)
    for number in range(5):
        headers = {"Host": f"testserver:{8000 + number}"}
        browser.post(reverse("account_reauthenticate"), {"password": "wrong password"}, headers=headers)
    stranger = Client()
    sign_in(stranger, "hcop")
    assert stranger.get(reverse("home")).headers["Location"].startswith(reverse("account_login"))


def _wrong(username: str, password: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, int]:
    """Status and text of the answer, and how many passwords were hashed for it."""
    hashed = []
    encode = MD5PasswordHasher.encode

    def counted(hasher: MD5PasswordHasher, given: str, salt: str) -> str:
        hashed.append(given)
        return encode(hasher, given, salt)

    with monkeypatch.context() as patched:
        patched.setattr(MD5PasswordHasher, "encode", counted)
        response = Client().post(
            reverse("account_login"), {"login": username, "password": password}, follow=True
        )
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return response.status_code, text.replace(f'value="{username}"', ""), len(hashed)


def test_every_sign_in_that_fails_has_the_same_answer(
    hcop: User,
    officer: User,
    supervisor: User,
    system: User,
    administrator: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    User.objects.filter(pk=officer.pk).update(is_active=False)
    with acting("test", by=administrator):
        reset_sign_in(
            user=supervisor, password="four quite unrelated words", by=administrator, at=timezone.now()
        )
    expected = _wrong("nobody", PASSWORD, monkeypatch)
    assert expected[2] == 1
    for username, password in (
        ("hcop", "wrong password"),
        ("officer", PASSWORD),  # closed, and the password is right
        ("officer", "wrong password"),
        ("supervisor", PASSWORD),  # reset: this was the one before
        ("system", PASSWORD),
    ):
        assert _wrong(username, password, monkeypatch) == expected, username
    assert AuditEntry.objects.filter(action=Action.SIGN_IN_FAILED).count() == 6
    assert AuditEntry.objects.filter(action=Action.SIGN_IN_FAILED, references=["officer"]).count() == 2


def test_a_closed_account_is_locked_as_any_other(hcop: User) -> None:
    """Else the right password, which never locks it, would be known by that."""
    User.objects.filter(pk=hcop.pk).update(is_active=False)
    browser = Client()
    for _ in range(5):
        sign_in(browser, "hcop")
    response = browser.post(reverse("account_login"), {"login": "hcop", "password": PASSWORD})
    assert "Too many failed login attempts" in response.content.decode()


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


def test_a_session_ends_after_twelve_hours_however_busy_it_is(
    client_of: ClientOf, hcop: User, clock: time_machine.Traveller
) -> None:
    browser = client_of(hcop)
    for _ in range(48):
        assert browser.get(reverse("overnight_review")).status_code == 200
        clock.shift(timedelta(minutes=15))
    clock.shift(timedelta(seconds=1))
    response = browser.get(reverse("overnight_review"), follow=True)
    assert "You were signed out after 12 hours. Sign in to go on." in response.content.decode()
    assert "_auth_user_id" not in browser.session


def test_a_session_has_a_name_of_its_own_after_each_sign_in(hcop: User) -> None:
    browser = Client()
    seen = set()
    for _ in range(2):
        browser.get(reverse("account_login"))
        seen.add(browser.session.session_key)
        sign_in(browser, "hcop")
        seen.add(browser.session.session_key)
        browser.post(reverse("account_logout"))
    assert len(seen) == 4


def test_a_session_that_was_ended_opens_nothing_any_more(hcop: User) -> None:
    browser = Client()
    sign_in(browser, "hcop")
    cookie = browser.cookies["sessionid"].value
    browser.post(reverse("account_logout"))
    browser.cookies["sessionid"] = cookie
    assert browser.get(reverse("overnight_review")).headers["Location"].startswith(reverse("account_login"))


def test_a_form_that_comes_from_elsewhere_signs_nobody_in(hcop: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert sign_in(browser, "hcop") == 403
    assert browser.get(reverse("overnight_review")).status_code == 302
