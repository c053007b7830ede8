"""``change_person``: what takes access away, or gives it back."""

import io
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from referrals.scope import bcus_of, teams_of
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import NOW, PASSWORD, ReferralFactory

ClientOf = Callable[[User], Client]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("change_person", *arguments, stdout=out)
    return out.getvalue()


def recorded() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_who_moves_sees_the_new_teams_referrals_at_once_and_no_longer_the_old_ones(
    world: World, officer: User, client_of: ClientOf
) -> None:
    browser = client_of(officer)
    old, new = (ReferralFactory.create(case__ward=ward) for ward in world.wards[:2])
    said = run("officer", "--leave-team", "Abbey team", "--join-team", world.wards[1].code)
    assert "Belongs to Colliers Wood team." in said
    assert browser.get(reverse("referral", args=[old.number])).status_code == 404
    assert browser.get(reverse("referral", args=[new.number])).status_code == 200
    assert recorded()[:2] == [Action.SIGNED_IN, Action.MEMBERSHIP_ENDED]
    assert Action.MEMBERSHIP_MADE in recorded()


def test_a_mistake_of_today_is_put_right_today(world: World, officer: User) -> None:
    run("officer", "--join-team", world.wards[4].code)
    run("officer", "--leave-team", world.wards[4].code)
    assert list(teams_of(officer)) == [world.teams[0]]


def test_a_closed_account_is_out_with_the_next_page_and_belongs_nowhere(
    world: World, hcop: User, client_of: ClientOf
) -> None:
    browser = client_of(hcop)
    assert run("hcop", "--close") == "hcop is closed.\n"
    assert browser.get(reverse("overnight_review")).status_code == 302
    assert not bcus_of(hcop).exists()
    assert recorded()[1:] == [Action.ACCOUNT_CLOSED, Action.MEMBERSHIP_ENDED]
    with pytest.raises(CommandError, match="closed already"):
        run("hcop", "--close")


def test_what_a_leaver_had_taken_is_named(world: World, officer: User) -> None:
    referral = ReferralFactory.create(case__ward=world.wards[0], taken_by=officer, taken_at=NOW)
    said = run("officer", "--close")
    assert f"{referral.number} goes back to Abbey team within a minute, and the team is told." in said


def test_a_reset_gives_a_new_password_and_takes_the_second_factor_and_sessions(
    officer: User, client_of: ClientOf
) -> None:
    browser = client_of(officer)
    Authenticator.objects.create(user=officer, type=Authenticator.Type.TOTP, data={"secret": "x"})
    run("officer", "--close", "--because", "left")
    said = run("officer", "--reset")
    officer.refresh_from_db()
    password = said.split("First password, shown once: ")[1].strip()
    assert officer.is_active
    assert officer.check_password(password)
    assert not officer.check_password(PASSWORD)
    assert not Authenticator.objects.exists()
    assert browser.get(reverse("my_referrals")).status_code == 302
    run("officer", "--reset")
    assert recorded()[-2:] == [Action.ACCOUNT_REOPENED, Action.SIGN_IN_RESET]
    assert password not in str(list(AuditEntry.objects.values_list()))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nobody", "--close"), "There is no account nobody"),
        (("officer", "--leave-team", "Balham team"), "does not belong to Balham team"),
        (("officer", "--leave-team", "Nowhere"), "no team the name Nowhere"),
        (("officer", "--leave-bcu", "SW"), "does not belong to South West"),
        (("officer", "--leave-team", "Abbey team", "--join-bcu", "SW"), "leave it out"),
        (("system", "--reset"), "Nobody signs in as the system"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    world: World, officer: User, system: User, arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says) as caught:
        run(*arguments)
    assert caught.value.returncode == 2
    assert list(teams_of(officer)) == [world.teams[0]]
    assert recorded() == []
