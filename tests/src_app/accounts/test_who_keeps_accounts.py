"""Accounts and second factors have a permission of their own, apart from that for wards and teams."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from outcomes.recording.reference import load_outcome_codes
from referrals.models import Mode
from referrals.places.actions.membership import (
    join_bcu,
    join_team,
    leave_bcu,
    leave_team,
)
from referrals.trial.actions.ward_modes import set_ward_mode
from src_app.accounts.actions import close_account, make_account, reset_sign_in
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import PERMISSIONS, Permission, Role
from tests.conftest import World
from tests.factories import NOW, PASSWORD, UserFactory

ClientOf = Callable[[User], Client]
Act = Callable[[User, World, User], Any]

OF_ACCOUNTS: dict[str, Act] = {
    "make an account": lambda by, _world, _officer: make_account(
        username="new",
        display_name="PC 9",
        role=Role.OFFICER,
        email="new@example.police.uk",
        password=PASSWORD,
        by=by,
        at=NOW,
    ),
    "close an account": lambda by, _world, officer: close_account(
        user=officer, because=ClosedBecause.LEFT, by=by
    ),
    "reset a second factor": lambda by, _world, officer: reset_sign_in(
        user=officer, password=PASSWORD, by=by, at=NOW
    ),
    "put in a team": lambda by, world, officer: join_team(
        user=officer, team=world.teams[1], starts_on=NOW.date(), by=by
    ),
    "take out of a team": lambda by, world, officer: leave_team(
        user=officer, team=world.teams[0], on=NOW.date(), by=by
    ),
    "put in a BCU": lambda by, world, _officer: join_bcu(
        user=UserFactory.create(role=Role.LEADER), bcu=world.north, starts_on=NOW.date(), by=by
    ),
    "take out of a BCU": lambda by, world, _officer: leave_bcu(
        user=User.objects.get(username="hcop"), bcu=world.south_west, on=NOW.date(), by=by
    ),
}
OF_PLACES: dict[str, Act] = {
    "set a ward's mode": lambda by, world, _officer: set_ward_mode(
        wards=world.wards[:1], mode=Mode.NOT_STARTED, starts_on=NOW.date(), by=by
    ),
    "load reference data": lambda by, _world, _officer: load_outcome_codes(by=by),
}
PERMISSION_OF = dict.fromkeys(OF_ACCOUNTS, Permission.MANAGE_ACCOUNTS) | dict.fromkeys(
    OF_PLACES, Permission.MANAGE_PLACES
)
BOTH = {Permission.MANAGE_ACCOUNTS, Permission.MANAGE_PLACES}


@pytest.fixture
def give_only(administrator: User, monkeypatch: pytest.MonkeyPatch) -> Callable[[Permission], User]:
    """Somebody whose role holds that permission and no other."""

    def give(permission: Permission) -> User:
        monkeypatch.setitem(PERMISSIONS, Role.ADMINISTRATOR, frozenset({permission}))
        return administrator

    return give


@pytest.mark.usefixtures("hcop")
@pytest.mark.parametrize("name", PERMISSION_OF)
def test_only_the_permission_of_its_own_lets_an_account_do_it(
    name: str, give_only: Callable[[Permission], User], world: World, officer: User
) -> None:
    act = (OF_ACCOUNTS | OF_PLACES)[name]
    (other,) = BOTH - {PERMISSION_OF[name]}
    with pytest.raises(NotAllowed):
        act(give_only(other), world, officer)
    act(give_only(PERMISSION_OF[name]), world, officer)


def test_who_keeps_places_alone_leaves_a_second_factor_as_it_is(
    give_only: Callable[[Permission], User], officer: User
) -> None:
    Authenticator.objects.create(user=officer, type=Authenticator.Type.TOTP, data={})
    with pytest.raises(NotAllowed):
        reset_sign_in(user=officer, password=PASSWORD, by=give_only(Permission.MANAGE_PLACES), at=NOW)
    assert Authenticator.objects.filter(user=officer).exists()


@pytest.mark.parametrize(
    ("permission", "opens", "stays_shut"),
    [
        (Permission.MANAGE_PLACES, "place_list", "person_list"),
        (Permission.MANAGE_ACCOUNTS, "person_list", "place_list"),
    ],
)
def test_each_permission_opens_its_own_page_and_shows_no_way_to_the_other(
    permission: Permission,
    opens: str,
    stays_shut: str,
    give_only: Callable[[Permission], User],
    client_of: ClientOf,
) -> None:
    browser = client_of(give_only(permission))
    page = browser.get(reverse(opens))
    assert page.status_code == 200
    shown = {entry["name"] for entry in page.context["navigation"]}
    assert shown & {opens, stays_shut} == {opens}
    assert f'href="{reverse(stays_shut)}"' not in page.content.decode()
    assert browser.get(reverse(stays_shut)).status_code == 403
