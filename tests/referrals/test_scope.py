"""Where an account belongs, asked once a request and anew everywhere else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referrals.models import TeamMembership
from referrals.scope import Places, asked_once, places_of, today
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import BcuMembershipFactory, TeamMembershipFactory


def test_it_is_the_teams_and_bcus_of_today(world: World, supervisor: User, officer: User) -> None:
    BcuMembershipFactory.create(user=supervisor, bcu=world.north)
    tomorrow, yesterday = today() + timedelta(days=1), today() - timedelta(days=1)
    TeamMembershipFactory.create(user=supervisor, team=world.teams[1], starts_on=tomorrow)
    TeamMembershipFactory.create(
        user=supervisor, team=world.teams[2], starts_on=yesterday - timedelta(days=9), ends_on=yesterday
    )
    assert places_of(supervisor) == Places(teams=(world.teams[0].pk,), bcus=(world.north.pk,))
    assert places_of(officer) == Places(teams=(world.teams[0].pk,))


def test_outside_a_request_a_membership_that_ends_counts_at_once(world: World, officer: User) -> None:
    assert places_of(officer).teams
    TeamMembership.objects.update(ends_on=today())
    assert not places_of(officer).teams


def test_inside_one_it_is_asked_once_for_each_account(
    world: World, officer: User, other_officer: User
) -> None:
    with asked_once(), CaptureQueriesContext(connection) as queries:
        first = [places_of(officer), places_of(other_officer)]
        assert [places_of(officer), places_of(other_officer)] == first
    assert len(queries) == 2
    assert first[0] != first[1]


@pytest.mark.parametrize("page", ["overnight_review", "case_list", "compliance", "follow_up_list"])
def test_a_page_asks_once(client_of: Callable[[User], Client], hcop: User, page: str) -> None:
    browser = client_of(hcop)
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(reverse(page)).status_code == 200
    assert sum('FROM "referrals_bcumembership"' in query["sql"] for query in queries) == 1


def test_the_next_request_asks_again(client_of: Callable[[User], Client], officer: User) -> None:
    browser = client_of(officer)
    assert browser.get(reverse("my_referrals")).context["summary"].teams == "Abbey team"
    TeamMembership.objects.update(ends_on=today())
    assert browser.get(reverse("my_referrals")).context["summary"].teams == ""
