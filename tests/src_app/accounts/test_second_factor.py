"""In production nothing opens without a second factor that this very session has shown."""

import base64
import hmac
import json
import logging
import struct
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.factories import PASSWORD
from tests.process_tree import wait_for

# allauth tells that one was set up after commit.
pytestmark = pytest.mark.django_db(transaction=True)


def code(secret: str, later: int = 0) -> str:
    """The six digits of this half minute, or of one so many later (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // 30 + later)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


def opens(browser: Client) -> bool:
    return browser.get(reverse("overnight_review")).status_code == 200


def sign_in(browser: Client) -> None:
    browser.post(reverse("account_login"), {"login": "hcop", "password": PASSWORD})


def signed_in(shown: str) -> Client:
    """A browser in which the HCOP gave the password and then that code."""
    browser = Client()
    sign_in(browser)
    browser.post(reverse("mfa_authenticate"), {"code": shown})
    return browser


def recovery_code() -> str:
    codes = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()
    return str(codes[0])


def set_up(browser: Client) -> str:
    """Sets up the second factor as a person does, the password asked for once more; returns its secret."""
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = str(browser.get(reverse("mfa_activate_totp")).context["form"].secret)
    browser.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert Authenticator.objects.filter(type=Authenticator.Type.TOTP).exists()
    return secret


@pytest.fixture
def required(settings: Settings, hcop: User) -> None:
    settings.SECOND_FACTOR_REQUIRED = True


@pytest.fixture
def owner(required: None, clock: time_machine.Traveller) -> Client:
    """A browser in which the HCOP signed in with the password, the first time."""
    browser = Client()
    sign_in(browser)
    return browser


@pytest.fixture
def secret(owner: Client, clock: time_machine.Traveller) -> str:
    """The secret of the owner's second factor, whose app shows a code by now that is not used yet."""
    made = set_up(owner)
    clock.shift(timedelta(seconds=30))
    return made


def test_an_account_without_one_is_sent_to_set_it_up(owner: Client) -> None:
    response = owner.get(reverse("overnight_review"))
    assert response.headers["Location"] == reverse("mfa_activate_totp")
    set_up(owner)
    assert opens(owner)


def test_signing_in_takes_the_code_too(secret: str) -> None:
    browser = Client()
    sign_in(browser)
    assert not opens(browser)
    browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert not opens(browser)
    failed = AuditEntry.objects.get(action=Action.SECOND_FACTOR_FAILED)
    assert (failed.actor, failed.references) == (None, ["hcop"])
    browser.post(reverse("mfa_authenticate"), {"code": code(secret)})
    assert opens(browser)


def test_after_five_wrong_codes_the_right_one_does_not_open_either_from_wherever(secret: str) -> None:
    for number in range(5):
        browser = Client(REMOTE_ADDR=f"10.0.0.{number}", headers={"Host": f"testserver:{8000 + number}"})
        sign_in(browser)
        browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    browser = Client()
    sign_in(browser)
    refused = browser.post(reverse("mfa_authenticate"), {"code": code(secret)})
    assert not opens(browser)
    assert "Too many failed" in refused.text


@pytest.mark.parametrize("way", ["signing in", "a recovery code", "once more", "setting up"])
def test_a_right_code_gives_its_address_none_of_its_failures_back(
    owner: Client, clock: time_machine.Traveller, way: str
) -> None:
    """Else whoever guesses at other accounts begins anew by signing in to his own."""
    secret = "" if way == "setting up" else set_up(owner)
    clock.shift(timedelta(seconds=30))
    for number in range(20):
        if number == 19 and way == "setting up":
            set_up(owner)
        elif number == 19 and way == "once more":
            assert owner.post(reverse("mfa_reauthenticate"), {"code": code(secret)}).status_code == 302
        elif number == 19:
            assert opens(signed_in(recovery_code() if way == "a recovery code" else code(secret)))
        failed = {"login": f"nobody{number}", "password": "wrong password"}
        assert "Too many failed" not in Client().post(reverse("account_login"), failed).text
        clock.shift(timedelta(seconds=1))
    refused = Client().post(reverse("account_login"), {"login": "hcop", "password": PASSWORD})
    assert "Too many failed" in refused.text


def test_a_right_code_gives_its_account_none_of_its_failures_back(
    owner: Client, secret: str, clock: time_machine.Traveller
) -> None:
    """Else who knows the password guesses on each time that the owner signs in."""
    for number in range(5):
        if number == 4:
            assert opens(signed_in(code(secret)))
        assert not opens(signed_in("000000"))
        clock.shift(timedelta(seconds=30))
    assert not opens(signed_in(code(secret)))


def test_a_passkey_is_a_second_factor_as_an_app_is(owner: Client, hcop: User) -> None:
    stranger = Client()
    sign_in(stranger)
    set_up(owner)
    Authenticator.objects.create(user=hcop, type=Authenticator.Type.WEBAUTHN, data={})
    owner.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(type=Authenticator.Type.TOTP).exists()
    assert opens(owner)
    assert stranger.get(reverse("mfa_index")).headers["Location"].startswith(reverse("account_login"))


def test_what_is_no_passkey_opens_nothing_and_counts_as_a_wrong_code(secret: str) -> None:
    said = json.dumps({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}})
    for _ in range(5):
        browser = Client()
        sign_in(browser)
        refused = browser.post(reverse("mfa_authenticate"), {"credential": said})
        assert "This passkey was not recognised." in refused.text
        assert not opens(browser)
    assert AuditEntry.objects.filter(action=Action.SECOND_FACTOR_FAILED, references=["hcop"]).count() == 5
    assert not opens(signed_in(code(secret)))


@pytest.mark.parametrize(
    "said",
    [
        "{}",
        "null",
        "7",
        "[" * 9_000,
        '{"id": "' + "A" * 20_000 + '"}',
        r'{"id": "\u0000"}',
        '{"id": "é"}',
        "9" * 9_000,
    ],
)
def test_what_cannot_be_read_as_a_passkey_is_refused(owner: Client, secret: str, said: str) -> None:
    browser = Client()
    sign_in(browser)
    for asked, page in ((browser, "mfa_authenticate"), (owner, "mfa_add_webauthn")):
        asked.get(reverse(page))
        answered = asked.post(reverse(page), {"credential": said})
        assert answered.status_code == 200, page
        assert "This passkey was not recognised." in answered.text, page
    assert not opens(browser)
    assert not Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).exists()


def test_a_session_opened_with_the_password_alone_ends_when_the_owner_sets_one_up(owner: Client) -> None:
    """Whoever saw the first password may have signed in before, and waited."""
    stranger = Client()
    sign_in(stranger)
    set_up(owner)
    for page in ("overnight_review", "mfa_index", "mfa_view_recovery_codes", "mfa_deactivate_totp"):
        response = stranger.get(reverse(page))
        assert response.headers["Location"].startswith(reverse("account_login")), page
    assert opens(owner)


def test_without_it_any_more_the_session_must_set_it_up_again(owner: Client) -> None:
    set_up(owner)
    assert opens(owner)
    owner.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(type=Authenticator.Type.TOTP).exists()
    assert not opens(owner)


def test_the_secret_is_not_in_the_database(secret: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, '') FROM mfa_authenticator")
        kept = cursor.fetchone()[0]
    assert "secret" in kept
    assert secret not in kept


def test_the_secret_of_an_app_that_is_not_set_up_yet_is_not_in_the_database_either(owner: Client) -> None:
    owner.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = str(owner.get(reverse("mfa_activate_totp")).context["form"].secret)
    assert secret not in str(dict(owner.session))
    again = owner.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert again.context["form"].secret == secret
    owner.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert opens(owner)
    assert "mfa.totp.secret" not in owner.session


def test_a_secret_that_no_key_opens_gives_way_to_a_new_one(owner: Client) -> None:
    owner.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    session = owner.session
    session["mfa.totp.secret"] = "JBSWY3DPEHPK3PXP"
    session.save()
    again = owner.post(reverse("mfa_activate_totp"), {"code": "000000"})
    owner.post(reverse("mfa_activate_totp"), {"code": code(again.context["form"].secret)})
    assert opens(owner)


def test_setting_it_up_and_changing_the_password_are_on_record(owner: Client, hcop: User) -> None:
    set_up(owner)
    words = "another three unrelated words"
    owner.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": words, "password2": words},
    )
    actions = set(AuditEntry.objects.filter(actor=hcop).values_list("action", flat=True))
    assert {Action.SECOND_FACTOR_SET, Action.PASSWORD_CHANGED} <= actions


def test_each_factor_that_is_shown_is_a_line_of_the_log(
    owner: Client, secret: str, hcop: User, caplog: pytest.LogCaptureFixture
) -> None:
    owner.post(reverse("mfa_generate_recovery_codes"))
    recovery = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()[0]
    browser = Client()
    with caplog.at_level(logging.INFO):
        sign_in(browser)
        browser.post(reverse("mfa_authenticate"), {"code": recovery})
        browser.post(reverse("mfa_reauthenticate"), {"code": code(secret)})
        browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    lines: list[Any] = [record.msg for record in caplog.records if "factor shown" in str(record.msg)]
    assert [(line["account"], line["factor"], line["again"]) for line in lines] == [
        (hcop.pk, "password", False),
        (hcop.pk, "recovery_codes", False),
        (hcop.pk, "totp", True),
        (hcop.pk, "password", True),
    ]
    assert not any(each in caplog.text for each in (PASSWORD, recovery, secret))


def test_leaving_is_always_possible(owner: Client) -> None:
    assert owner.post(reverse("account_logout")).status_code == 302
    assert "_auth_user_id" not in owner.session


def test_a_code_opens_once(secret: str) -> None:
    shown = code(secret)
    assert opens(signed_in(shown))
    for written in (shown, f"{shown[:3]} {shown[3:]}"):
        assert not opens(signed_in(written))


def test_a_code_of_half_a_minute_ago_opens_once_and_none_older_or_to_come(
    secret: str, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(minutes=1))
    for later in (-2, 1, 2):
        assert not opens(signed_in(code(secret, later)))
    assert opens(signed_in(code(secret, -1)))
    assert not opens(signed_in(code(secret, -1)))
    assert opens(signed_in(code(secret)))


def test_no_code_opens_that_is_older_than_the_last_one(secret: str, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(minutes=1))
    assert opens(signed_in(code(secret)))
    assert not opens(signed_in(code(secret, -1)))
    clock.shift(timedelta(seconds=30))
    assert not opens(signed_in(code(secret, -1)))
    assert opens(signed_in(code(secret)))


def test_a_code_is_used_up_by_whatever_it_was_shown_for(owner: Client, clock: time_machine.Traveller) -> None:
    secret = set_up(owner)
    assert not opens(signed_in(code(secret)))
    clock.shift(timedelta(seconds=30))
    assert not opens(signed_in(code(secret, -1)))
    assert owner.post(reverse("mfa_reauthenticate"), {"code": code(secret)}).status_code == 302
    assert not opens(signed_in(code(secret)))


def test_that_a_code_was_used_is_in_the_database(secret: str) -> None:
    """Redis may go, or lose what it held."""
    assert opens(signed_in(code(secret)))
    cache.clear()
    assert not opens(signed_in(code(secret)))


def waiting() -> int:
    """How many others wait for a lock in this database."""
    with connection.cursor() as cursor:
        # Within a transaction the view of who is connected stands still otherwise.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE datname = current_database() AND NOT granted"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("which", ["this one", "the one before"])
def test_of_two_who_give_one_code_at_once_one_gets_in(
    secret: str, clock: time_machine.Traveller, which: str
) -> None:
    clock.shift(timedelta(minutes=1))
    shown = code(secret, 0 if which == "this one" else -1)
    browsers = [Client(), Client()]
    for browser in browsers:
        sign_in(browser)

    def work(browser: Client) -> None:
        try:
            browser.post(reverse("mfa_authenticate"), {"code": shown})
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[browser]) for browser in browsers]
    with transaction.atomic():
        Authenticator.objects.select_for_update().get(type=Authenticator.Type.TOTP)
        for thread in threads:
            thread.start()
        wait_for(lambda: waiting() == 2, "both to ask for the factor", seconds=8)
    for thread in threads:
        thread.join()
    assert sorted(opens(browser) for browser in browsers) == [False, True]


def test_a_recovery_code_opens_once(owner: Client) -> None:
    set_up(owner)
    owner.post(reverse("mfa_generate_recovery_codes"))
    recovery = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()[0]
    first, second = Client(), Client()
    for browser in (first, second):
        sign_in(browser)
        browser.post(reverse("mfa_authenticate"), {"code": recovery})
    assert opens(first)
    assert not opens(second)


def test_who_shows_again_who_they_are_has_a_new_session(owner: Client, clock: time_machine.Traveller) -> None:
    before = owner.session.session_key
    secret = set_up(owner)
    clock.shift(timedelta(seconds=30))
    with_password = owner.session.session_key
    owner.post(reverse("mfa_reauthenticate"), {"code": code(secret)})
    assert len({before, with_password, owner.session.session_key}) == 3
    assert opens(owner)
    stale = Client()
    stale.cookies["sessionid"] = before or ""
    assert not opens(stale)


def test_who_sets_it_up_has_a_new_session(owner: Client) -> None:
    """It may do more from then on than a cookie could that somebody saw before."""
    owner.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = str(owner.get(reverse("mfa_activate_totp")).context["form"].secret)
    before = owner.session.session_key
    owner.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert opens(owner)
    stale = Client()
    stale.cookies["sessionid"] = before or ""
    assert not opens(stale)
    assert not Session.objects.filter(pk=before).exists()


@pytest.mark.parametrize("page", ["mfa_deactivate_totp", "mfa_generate_recovery_codes"])
def test_a_second_factor_is_changed_only_shortly_after_it_was_shown(owner: Client, page: str) -> None:
    set_up(owner)
    session = owner.session
    session["account_authentication_methods"] = [
        {**each, "at": each["at"] - 3_600} for each in session["account_authentication_methods"]
    ]
    session.save()
    for response in (owner.get(reverse(page)), owner.post(reverse(page))):
        assert response.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert Authenticator.objects.filter(type=Authenticator.Type.TOTP).exists()
