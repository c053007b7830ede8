"""The trial lead's list."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from referrals.models import Arm, Case, Mode, TrialStatus
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.factories import AllocationFactory, TrialFactory, WardModeFactory

LIST = reverse("trial_list")


@pytest.fixture
def browser(client_of: Callable[[User], Client], trial_lead: User) -> Client:
    return client_of(trial_lead)


def test_it_counts_units_and_linked_reports_over_both_arms(
    browser: Client, world: World, make_case: Callable[..., Case]
) -> None:
    trial = TrialFactory.create(bcu=world.south_west, name="Pilot")
    first = AllocationFactory.create(trial=trial, case=make_case(), arm=Arm.SRC)
    AllocationFactory.create(trial=trial, case=make_case(), arm=Arm.CONTROL)
    AllocationFactory.create(trial=trial, case=make_case(), follows=first, position=None)
    [row] = browser.get(LIST).context["trials"]
    assert (row.trial, row.units, row.linked) == (trial, 2, 1)


def test_it_shows_the_commitment_to_compare_with_what_was_noted(browser: Client, world: World) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    assert trial.commitment in browser.get(LIST).content.decode()


def test_nothing_is_shown_by_arm(browser: Client, world: World, make_case: Callable[..., Case]) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    sizes = {"SRC": 5, "control": 3}
    for arm, number in ((Arm.SRC, sizes["SRC"]), (Arm.CONTROL, sizes["control"])):
        for _ in range(number):
            AllocationFactory.create(trial=trial, case=make_case(), arm=arm)
    response = browser.get(LIST)
    [row] = response.context["trials"]
    assert set(vars(row)) == {"trial", "wards", "units", "linked"}
    assert row.units == 8
    table = response.content.decode().split("<tbody")[1].split("</tbody>")[0]
    assert 'data-label="Units allocated" class="app-numeric">8 of 250</td>' in table
    assert "ontrol" not in table
    assert ">5<" not in table
    assert ">3<" not in table


def test_only_wards_that_are_in_it_today_are_named(browser: Client, world: World) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    today = timezone.localdate()
    joined, left, later, _ = world.wards[:4]
    for ward in (joined, left):
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial, starts_on=today - timedelta(days=9))
    WardModeFactory.create(ward=left, mode=Mode.SRC_FOR_ALL, starts_on=today)
    WardModeFactory.create(ward=later, mode=Mode.TRIAL, trial=trial, starts_on=today + timedelta(days=1))
    [row] = browser.get(LIST).context["trials"]
    assert row.wards == [joined.name]


def test_a_draft_comes_after_what_recruits(browser: Client, world: World) -> None:
    TrialFactory.create(bcu=world.south_west, name="A draft", status=TrialStatus.DRAFT)
    TrialFactory.create(bcu=world.south_west, name="B")
    assert [row.trial.name for row in browser.get(LIST).context["trials"]] == ["B", "A draft"]


def test_a_trial_of_another_bcu_is_not_shown(browser: Client, world: World) -> None:
    TrialFactory.create(bcu=world.north)
    assert "No trial" in browser.get(LIST).content.decode()


def test_looking_is_recorded(browser: Client, trial_lead: User) -> None:
    browser.get(LIST)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.purpose) == (trial_lead, Action.LIST_SHOWN, Purpose.EVALUATION)


def test_as_many_queries_for_thirty_trials_as_for_three(browser: Client, world: World) -> None:
    counts = []
    for more in (3, 27):
        for trial in TrialFactory.create_batch(more, bcu=world.south_west):
            WardModeFactory.create(
                ward=world.wards[0],
                mode=Mode.TRIAL,
                trial=trial,
                starts_on=timezone.localdate() - timedelta(days=trial.pk),
            )
        with CaptureQueriesContext(connection) as queries:
            browser.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]
