"""A first password, which an administrator has seen: it leads to the page for another, and to no other."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from src_app.accounts.actions import close_account, reset_sign_in, set_role
from src_app.accounts.adapter import ClosedAccountAdapter
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Role
from src_app.audit.record import acting
from tests.factories import PASSWORD

HANDED_OVER, OWN = "three handed over words", "four of their own words"
CHANGE, LIST = reverse("account_change_password"), reverse("my_referrals")


@pytest.fixture
def handed_over(officer: User, administrator: User) -> User:
    with acting("test", by=administrator):
        reset_sign_in(user=officer, password=HANDED_OVER, by=administrator, at=timezone.now())
    officer.refresh_from_db()
    return officer


def signed_in(user: User, password: str = HANDED_OVER) -> Client:
    browser = Client()
    browser.post(reverse("account_login"), {"login": user.username, "password": password})
    return browser


def change(browser: Client, to: str, *, old: str = HANDED_OVER) -> str:
    answer = browser.post(CHANGE, {"oldpassword": old, "password1": to, "password2": to}, follow=True)
    return " ".join(answer.content.decode().split())


def test_every_page_leads_to_the_one_for_another_password(handed_over: User) -> None:
    browser = signed_in(handed_over)
    answer = browser.get(LIST)
    assert (answer.status_code, answer["Location"]) == (302, CHANGE)
    assert "Choose a password of your own before you go on." in browser.get(CHANGE).content.decode()
    part = browser.get(LIST, headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == CHANGE
    assert browser.get(reverse("accessibility")).status_code == 200


def test_with_a_password_of_their_own_they_go_on_and_stay_signed_in(handed_over: User) -> None:
    browser = signed_in(handed_over)
    assert '<h1 class="govuk-heading-l">My referrals</h1>' in change(browser, OWN)
    handed_over.refresh_from_db()
    assert handed_over.first_password_until is None
    assert browser.get(LIST).status_code == 200
    assert signed_in(handed_over, OWN).get(LIST).status_code == 200


def test_the_first_password_once_more_is_not_their_own(handed_over: User) -> None:
    browser = signed_in(handed_over)
    assert "Choose a password that nobody else has seen." in change(browser, HANDED_OVER)
    assert browser.get(LIST)["Location"] == CHANGE


def test_after_two_weeks_it_signs_nobody_in(handed_over: User) -> None:
    User.objects.filter(pk=handed_over.pk).update(first_password_until=timezone.now() - timedelta(minutes=1))
    browser = signed_in(handed_over)
    assert browser.get(LIST)["Location"].startswith(reverse("account_login"))
    again = browser.get(reverse("account_login")).content.decode()
    assert "This first password is too old. Ask your administrator to reset it." in again


def test_it_holds_for_as_many_days_as_settings_say(handed_over: User) -> None:
    assert handed_over.first_password_until is not None
    left = handed_over.first_password_until - timezone.now()
    assert timedelta(days=13) < left <= timedelta(days=14)


def test_a_session_that_is_open_already_is_led_there_too(officer: User, administrator: User) -> None:
    browser = signed_in(officer, PASSWORD)
    User.objects.filter(pk=officer.pk).update(first_password_until=timezone.now() + timedelta(days=1))
    assert browser.get(LIST)["Location"] == CHANGE


def during_the_change(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], by: User) -> None:
    """Has somebody else change the account after its row was read for the page, and before it is saved."""
    checked = ClosedAccountAdapter.clean_password

    def meanwhile(self: ClosedAccountAdapter, password: str, user: User | None = None) -> str:
        with acting("test", by=by):
            act()
        return checked(self, password, user)

    monkeypatch.setattr(ClosedAccountAdapter, "clean_password", meanwhile)


def test_what_an_administrator_changes_meanwhile_stays_changed(
    handed_over: User, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def promote() -> None:
        set_role(user=handed_over, role=Role.SUPERVISOR, by=administrator)

    browser = signed_in(handed_over)
    during_the_change(monkeypatch, promote, administrator)
    change(browser, OWN)
    handed_over.refresh_from_db()
    assert (handed_over.role, handed_over.first_password_until) == (Role.SUPERVISOR, None)
    assert handed_over.check_password(OWN)


@pytest.mark.parametrize("what", ["closed", "reset"])
def test_an_account_closed_or_reset_meanwhile_keeps_no_new_password(
    handed_over: User, administrator: User, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def act() -> None:
        if what == "closed":
            close_account(user=handed_over, because=ClosedBecause.LEFT, by=administrator)
        else:
            anew = "five words from the administrator"
            reset_sign_in(user=handed_over, password=anew, by=administrator, at=timezone.now())

    browser = signed_in(handed_over)
    during_the_change(monkeypatch, act, administrator)
    assert "Your password was not changed" in change(browser, OWN)
    handed_over.refresh_from_db()
    assert not handed_over.check_password(OWN)
    assert (handed_over.is_active, handed_over.first_password_until is None) == (what == "reset", False)
