"""Which passwords an account may have, and how one is changed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

import src_app.settings
from src_app.accounts.models import User
from src_app.accounts.passwords import WORDS
from tests.factories import PASSWORD


def changed(browser: Client, new: str, old: str = PASSWORD) -> bool:
    """Whether the page to change a password takes it."""
    sent = {"oldpassword": old, "password1": new, "password2": new}
    return browser.post(reverse("account_change_password"), sent).status_code == 302


def signs_in(password: str) -> bool:
    browser = Client()
    return browser.post(reverse("account_login"), {"login": "hcop", "password": password}).status_code == 302


@pytest.mark.parametrize(
    "password",
    [
        "four unrelated words here",
        "  blanks before and behind  ",
        "kein-Wort-f\u00fcr-Fremde \U0001f9ed",
        "x7" * 64,
        "aaaaaaaaaaaaaaab",
        "letters only but long",
    ],
)
def test_a_password_of_any_signs_and_length_is_taken_as_it_is(
    client_of: Callable[[User], Client], hcop: User, password: str
) -> None:
    assert changed(client_of(hcop), password)
    assert signs_in(password)
    assert not signs_in(password.swapcase())
    assert not signs_in(password.strip() if password != password.strip() else f"{password} ")
    assert not signs_in(password[:-1])


@pytest.mark.parametrize(
    ("password", "because"),
    [
        ("elevensigns", "too short"),
        ("1q2w3e4r5t6y", "too common"),
        *((f"{word.title()}{word}-26!", "words of this work") for word in WORDS),
        ("Reassurance-Contact-2026", "words of this work"),
        ("Flag 49 Police!", "words of this work"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(
    client_of: Callable[[User], Client], hcop: User, password: str, because: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_password(password, hcop)
    assert because in " ".join(refused.value.messages)
    assert not changed(client_of(hcop), password)
    assert signs_in(PASSWORD)


def test_a_word_of_this_work_among_others_is_no_harm(hcop: User) -> None:
    validate_password("the victim of a brown squirrel", hcop)


def test_it_is_changed_by_whoever_knows_the_present_one_and_ends_the_other_sessions(
    client_of: Callable[[User], Client], hcop: User
) -> None:
    here, elsewhere = client_of(hcop), client_of(hcop)
    assert not changed(here, "another three unrelated words", old="not the present one")
    assert elsewhere.get(reverse("overnight_review")).status_code == 200
    assert changed(here, "another three unrelated words")
    assert here.get(reverse("overnight_review")).status_code == 200
    assert elsewhere.get(reverse("overnight_review")).status_code == 302


@pytest.mark.parametrize("page", ["account_login", "account_change_password"])
def test_it_is_typed_unseen_and_may_be_pasted_and_filled_in(
    client_of: Callable[[User], Client], hcop: User, page: str
) -> None:
    browser = Client() if page == "account_login" else client_of(hcop)
    text = browser.get(reverse(page)).content.decode()
    fields = [each for each in text.split("<input")[1:] if "password" in each.split(">")[0]]
    assert fields
    for each in fields:
        assert 'type="password"' in each.split(">")[0]
        assert 'autocomplete="off"' not in each.split(">")[0]
        assert "maxlength" not in each.split(">")[0]
    scripts = "".join(
        script.read_text() for script in Path(src_app.settings.BASE_DIR, "static", "js").glob("*.js")
    )
    assert '"paste"' not in scripts


def test_it_is_kept_as_a_slow_hash(settings: Settings) -> None:
    """Other tests use a quick one."""
    assert not hasattr(src_app.settings, "PASSWORD_HASHERS")
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    kept = make_password(PASSWORD)
    assert identify_hasher(kept).algorithm == "pbkdf2_sha256"
    assert int(kept.split("$")[1]) >= 600_000
