"""``add_person``."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from referrals.models import BcuMembership, TeamMembership
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.factories import TeamFactory, UserFactory

Run = Callable[..., str]


@pytest.fixture
def run(world: World) -> Run:
    def run(*arguments: str, **options: Any) -> str:
        out = io.StringIO()
        call_command("add_person", *arguments, stdout=out, **options)
        return out.getvalue()

    return run


def _refused(run: Run, *arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 2
    assert not User.objects.filter(username="pc1").exists()
    return str(caught.value)


EMAIL = ("--email", "PC1@example.police.uk")
OFFICER = ("pc1", "--name", "PC 1", "--role", "officer", *EMAIL)


def test_it_makes_an_account_in_its_team_and_shows_the_password_once(run: Run, world: World) -> None:
    said = run(*OFFICER, "--team", world.wards[0].code, "--team", "balham TEAM")
    user = User.objects.get(username="pc1")
    assert (user.display_name, user.role, user.is_active) == ("PC 1", "officer", True)
    assert user.email == "pc1@example.police.uk"
    assert user.check_password(said.split("First password, shown once: ")[1].strip())
    teams = TeamMembership.objects.filter(user=user)
    assert {membership.team for membership in teams} == {world.teams[0], world.teams[3]}


def test_it_puts_an_hcop_in_a_bcu(run: Run, world: World) -> None:
    result = json.loads(run("h1", "--name", "HCOP", "--role", "hcop", *EMAIL, "--bcu", "SW", "--json"))
    password = result.pop("password")
    assert result == {"username": "h1", "role": "hcop", "teams": [], "bcus": ["South West"]}
    user = User.objects.get(username="h1")
    assert user.check_password(password)
    assert BcuMembership.objects.get(user=user).bcu == world.south_west


def test_the_password_can_come_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    said = run(*OFFICER, "--password-stdin")
    assert "correct horse" not in said
    assert User.objects.get(username="pc1").check_password("correct horse battery")


def test_it_is_recorded_without_the_password(run: Run, world: World) -> None:
    said = run(*OFFICER, "--team", world.wards[0].code)
    password = said.split(": ")[-1].strip()
    made, joined = AuditEntry.objects.filter(references=["pc1"]).order_by("pk")
    assert (made.action, joined.action) == (Action.ACCOUNT_MADE, Action.MEMBERSHIP_MADE)
    assert made.actor == User.objects.system()
    assert (made.purpose, made.origin) == (Purpose.ADMINISTRATION, "command add_person")
    assert password not in str(list(AuditEntry.objects.values_list()))


def test_a_second_account_of_the_name_is_refused(run: Run) -> None:
    UserFactory.create(username="pc2")
    assert "choose another user name" in _refused(run, "pc2", "--name", "PC 2", "--role", "officer", *EMAIL)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*OFFICER, "--team", "Nowhere"), "No ward has the code and no team the name Nowhere"),
        ((*OFFICER, "--bcu", "XX"), "Known: N, SW"),
        ((*OFFICER, "--bcu", "SW"), "leave it out"),
        (("pc1", "--name", "HCOP", "--role", "hcop", *EMAIL, "--team", "Abbey team"), "leave the team out"),
        ((*OFFICER, "--team", "Abbey team", "--team", "Abbey team"), "already"),
        (("PC One", "--name", "PC 1", "--role", "officer", *EMAIL), "choose another"),
        (("pc1", "--name", " ", "--role", "officer", *EMAIL), "rank and shoulder number"),
        ((*OFFICER, "--email", "pc1@example.org"), "ends in @example.police.uk"),
        ((*OFFICER, "--email", "pc1"), "ends in @example.police.uk"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    run: Run, arguments: tuple[str, ...], says: str
) -> None:
    assert says in _refused(run, *arguments)


def test_two_people_have_no_address_in_common(run: Run) -> None:
    UserFactory.create(email="pc1@example.police.uk")
    assert "Another account has this e-mail address" in _refused(run, *OFFICER)


def test_a_team_name_that_two_boroughs_share_asks_for_a_code(run: Run) -> None:
    TeamFactory.create(name="Abbey team")
    assert "code of one of the team's wards" in _refused(run, *OFFICER, "--team", "Abbey team")


def test_a_weak_password_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert "too short" in _refused(run, *OFFICER, "--password-stdin")


def test_nobody_becomes_the_system(run: Run) -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        run("pc1", "--name", "PC 1", "--role", "system")
