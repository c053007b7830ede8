"""The administrator's pages of one person, and of somebody new."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from referrals.mail.messages import message_of
from referrals.models import BcuMembership, MailKind, Notification, TeamMembership
from referrals.places.actions.membership import move
from referrals.scope import bcus_of, teams_of, today
from src_app.accounts.actions import AccountRefused, set_role
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from src_app.templatetags.words import day as date_words
from tests.conftest import World
from tests.factories import NOW, PASSWORD, ReferralFactory, TeamMembershipFactory, UserFactory

ADD, PASSWORDS = reverse("add_person"), reverse("first_passwords")
NEW = {
    "display_name": "PC 2002",
    "username": "PC2002",
    "email": "Pc2002@example.police.uk",
    "role": "officer",
}


def at(name: str, user: User) -> str:
    return reverse(name, args=[user.pk])


def words(browser: Client, address: str) -> str:
    return " ".join(browser.get(address).content.decode().split())


def first_password(browser: Client) -> str:
    """As the page shows it."""
    ((_, _, password),) = browser.get(PASSWORDS).context["rows"]
    return str(password)


def test_somebody_is_added_to_a_team_and_the_first_password_is_shown_once(
    browser: Client, world: World
) -> None:
    assert browser.get(ADD).status_code == 200
    response = browser.post(ADD, {**NEW, "team": world.teams[0].pk})
    assert response["Location"] == PASSWORDS
    stored = Session.objects.get().get_decoded()
    page = browser.get(PASSWORDS)
    ((name, username, password),) = page.context["rows"]
    user = User.objects.get(username="pc2002")
    assert (name, username, user.email) == ("PC 2002", "pc2002", "pc2002@example.police.uk")
    assert user.check_password(password)
    assert list(teams_of(user)) == [world.teams[0]]
    assert password in page.content.decode()
    assert password not in str(stored)
    assert password not in str(list(AuditEntry.objects.values_list()))
    assert browser.get(PASSWORDS)["Location"] == reverse("person_list")
    assert "First passwords are shown once." in words(browser, reverse("person_list"))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"email": "pc2002@example.org"}, "ends in @example.police.uk"),
        ({"email": "Officer@example.police.uk"}, "Another account has this e-mail address"),
        ({"username": "officer"}, "choose another user name"),
        ({"username": "PC One"}, "A user name has"),
        ({"display_name": ""}, "rank and shoulder number"),
        ({"role": "system"}, "Select a valid choice"),
        ({"role": "hcop"}, "leave the team out"),
    ],
)
def test_what_cannot_be_is_said_and_nobody_is_added(
    browser: Client, world: World, officer: User, changed: dict[str, str], says: str
) -> None:
    User.objects.filter(pk=officer.pk).update(email="officer@example.police.uk")
    page = browser.post(ADD, {**NEW, "team": world.teams[0].pk, **changed}).content.decode()
    assert "There is a problem" in page
    assert says in page
    assert not User.objects.filter(username="pc2002").exists()


def test_a_name_and_an_address_are_changed(browser: Client, officer: User) -> None:
    address = at("change_person", officer)
    assert browser.get(address).context["form"].initial["display_name"] == "PC 1001"
    given = {"display_name": "PS 1001", "email": "ps1001@EXAMPLE.police.uk"}
    assert browser.post(address, given)["Location"] == at("person", officer)
    officer.refresh_from_db()
    assert (officer.display_name, officer.email) == ("PS 1001", "ps1001@example.police.uk")
    assert AuditEntry.objects.filter(action=Action.ACCOUNT_CHANGED).get().fields == ["display_name", "email"]
    browser.post(address, given)
    assert "Nothing changed: it was so already." in words(browser, at("person", officer))


def test_who_changes_role_leaves_what_the_new_one_cannot_belong_to(
    browser: Client, world: World, officer: User, client_of: Callable[[User], Client]
) -> None:
    own = client_of(officer)
    browser.post(at("change_person_role", officer), {"role": "supervisor"})
    assert list(teams_of(officer)) == [world.teams[0]]
    assert own.get(reverse("compliance")).status_code == 200
    browser.post(at("change_person_role", officer), {"role": "auditor"})
    assert not teams_of(officer)
    assert own.get(reverse("compliance")).status_code == 403
    page = words(browser, at("person", officer))
    assert "Account changed: Auditor" in page
    assert "Account changed: Neighbourhood supervisor" in page


def test_a_move_counts_from_its_day_and_the_history_stays(
    browser: Client, world: World, officer: User
) -> None:
    address, day = at("move_person", officer), timezone.localdate() + timedelta(days=3)
    assert browser.get(address).context["form"].initial["teams"] == [world.teams[0].pk]
    browser.post(address, {"teams": [world.teams[1].pk], "on": day})
    old, new = TeamMembership.objects.filter(user=officer).order_by("starts_on")
    assert (old.team, old.ends_on) == (world.teams[0], day)
    assert (new.team, new.starts_on, new.ends_on) == (world.teams[1], day, None)
    assert list(teams_of(officer)) == [world.teams[0]]
    page = words(browser, at("person", officer))
    assert "Abbey team, Merton" in page
    assert "Colliers Wood team, Merton" in page
    assert f"Belongs to Abbey team: until {date_words(day)}" in page
    assert f"Belongs to Colliers Wood team: from {date_words(day)}" in page


def test_another_plan_takes_the_place_of_the_one_before(browser: Client, world: World, officer: User) -> None:
    address, today = at("move_person", officer), timezone.localdate()
    in_a_week, tomorrow = today + timedelta(days=7), today + timedelta(days=1)
    browser.post(address, {"teams": [world.teams[1].pk], "on": in_a_week})
    browser.post(address, {"teams": [world.teams[0].pk, world.teams[2].pk], "on": tomorrow})
    lasting = TeamMembership.objects.filter(user=officer, ends_on=None).order_by("team")
    assert [(each.team, each.starts_on > today) for each in lasting] == [
        (world.teams[0], False),
        (world.teams[2], True),
    ]
    page = words(browser, at("person", officer))
    assert "Colliers Wood" not in page.split("What was changed")[0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"on": "2026-11-01"}, "Choose today or a later day"),
        ({"on": ""}, "Give the day from which it counts."),
        ({"teams": ["999999"]}, "not one of the available choices"),
    ],
)
def test_a_move_that_cannot_be_is_refused(
    browser: Client, world: World, officer: User, given: dict[str, Any], says: str
) -> None:
    page = browser.post(
        at("move_person", officer), {"teams": [world.teams[1].pk], "on": timezone.localdate(), **given}
    )
    assert says in page.content.decode()
    assert list(teams_of(officer)) == [world.teams[0]]


def test_an_hcop_is_offered_bcus_alone_and_an_auditor_nothing(
    browser: Client, world: World, hcop: User, auditor: User
) -> None:
    form = browser.get(at("move_person", hcop)).context["form"]
    assert "teams" not in form.fields
    browser.post(at("move_person", hcop), {"bcus": [world.north.pk], "on": timezone.localdate()})
    assert list(bcus_of(hcop)) == [world.north]
    assert BcuMembership.objects.filter(user=hcop).count() == 2
    assert "belongs to no team and to no BCU" in words(browser, at("move_person", auditor))


def test_who_leaves_is_out_at_once_and_comes_back_with_another_password(
    browser: Client, officer: User, client_of: Callable[[User], Client]
) -> None:
    own = client_of(officer)
    assert "Choose why" in browser.post(at("close_account", officer), {}).content.decode()
    browser.post(at("close_account", officer), {"because": "left"})
    assert own.get(reverse("my_referrals")).status_code == 302
    page = words(browser, at("person", officer))
    assert "This account is closed: Left the force." in page
    assert "Account closed: Left the force" in page
    assert not teams_of(officer)
    assert (
        "closed already" in browser.post(at("close_account", officer), {"because": "left"}).content.decode()
    )
    assert "open the account again first" in browser.post(at("reset_person", officer)).content.decode()
    User.objects.filter(pk=officer.pk).update(email="pc1001@example.police.uk")
    assert browser.post(at("reopen_person", officer))["Location"] == PASSWORDS
    assert Notification.objects.get(kind=MailKind.SIGN_IN_RESET).recipient == "pc1001@example.police.uk"
    officer.refresh_from_db()
    assert officer.is_active
    assert officer.check_password(first_password(browser))
    assert "is open already" in browser.post(at("reopen_person", officer)).content.decode()


def test_a_lost_second_factor_is_set_up_anew_at_the_next_sign_in(
    browser: Client, officer: User, client_of: Callable[[User], Client], settings: Any
) -> None:
    own = client_of(officer)
    User.objects.filter(pk=officer.pk).update(email="pc1001@example.police.uk")
    Authenticator.objects.create(user=officer, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert "Make sure first who asks for it" in words(browser, at("reset_person", officer))
    browser.post(at("reset_person", officer))
    password = first_password(browser)
    told = Notification.objects.get(kind=MailKind.SIGN_IN_RESET)
    assert told.recipient == "pc1001@example.police.uk"
    assert "If you did not ask for this" in str(message_of(told).body)
    assert own.get(reverse("my_referrals"))["Location"].startswith(reverse("account_login"))
    settings.SECOND_FACTOR_REQUIRED = True
    own.post(reverse("account_login"), {"login": "officer", "password": PASSWORD})
    assert own.get(reverse("my_referrals"))["Location"].startswith(reverse("account_login"))
    own.post(reverse("account_login"), {"login": "officer", "password": password})
    assert own.get(reverse("my_referrals"))["Location"] == reverse("mfa_activate_totp")


def test_a_changed_address_is_told_at_the_one_that_was_changed(browser: Client, officer: User) -> None:
    named = {"display_name": officer.display_name}
    first, second = "pc1001@example.police.uk", "pc.other@example.police.uk"
    browser.post(at("change_person", officer), {**named, "email": first})
    assert not Notification.objects.exists()
    browser.post(at("change_person", officer), {**named, "email": second})
    told = Notification.objects.get()
    assert (told.kind, told.recipient) == (MailKind.ADDRESS_CHANGED, first)
    assert second not in str(message_of(told).body)
    browser.post(at("change_person", officer), {"display_name": "PC Other", "email": second})
    assert Notification.objects.count() == 1


def test_nobody_closes_or_resets_their_own_account(browser: Client, administrator: User) -> None:
    UserFactory.create(role="administrator")
    page = browser.post(at("close_account", administrator), {"because": "left"}).content.decode()
    assert "Nobody closes their own account" in page
    assert "Nobody resets their own" in browser.post(at("reset_person", administrator)).content.decode()
    administrator.refresh_from_db()
    assert administrator.is_active
    assert "another administrator changes its role and places" in words(browser, at("person", administrator))


def test_nobody_changes_their_own_role_or_places(browser: Client, administrator: User, world: World) -> None:
    UserFactory.create(role="administrator")
    page = browser.post(at("change_person_role", administrator), {"role": "hcop"}).content.decode()
    assert "Nobody changes their own role: ask another administrator." in page
    with pytest.raises(Refused, match="Nobody moves themselves"):
        move(user=administrator, teams=[], bcus=[world.south_west], on=today(), by=administrator)
    administrator.refresh_from_db()
    assert administrator.role == "administrator"
    own_page = words(browser, at("person", administrator))
    assert reverse("change_person_role", args=[administrator.pk]) not in own_page


def test_the_last_administrator_stays_one(administrator: User, system: User) -> None:
    closed = UserFactory.create(role="administrator", is_active=False)
    with pytest.raises(AccountRefused, match="is the last administrator"):
        set_role(user=administrator, role=Role.AUDITOR, by=system)
    User.objects.filter(pk=closed.pk).update(is_active=True)
    assert set_role(user=administrator, role=Role.AUDITOR, by=system)


def test_what_a_leaver_had_taken_is_counted_and_no_case_is_named(
    browser: Client, world: World, officer: User
) -> None:
    referral = ReferralFactory.create(case__ward=world.wards[0], taken_by=officer, taken_at=NOW)
    assert "back to the team" not in words(browser, at("person", officer))
    browser.post(at("close_account", officer), {"because": "moved"})
    page = words(browser, at("person", officer))
    assert "1 referral of Abbey team goes back to the team within a minute" in page
    assert referral.number not in page


def test_the_system_has_no_page(browser: Client, system: User) -> None:
    assert browser.get(at("person", system)).status_code == 404


def test_as_many_queries_for_a_long_history_as_for_a_short_one(
    browser: Client, world: World, officer: User
) -> None:
    counts = []
    for teams in (world.teams[1:2], world.teams[2:]):
        for team in teams:
            TeamMembershipFactory.create(user=officer, team=team)
        for number in range(len(teams)):
            given = {"display_name": f"PC {number}{len(teams)}", "email": "pc@example.police.uk"}
            browser.post(at("change_person", officer), given)
        browser.get(at("person", officer))
        with CaptureQueriesContext(connection) as queries:
            browser.get(at("person", officer))
        counts.append(len(queries))
    assert counts[0] == counts[1]
