"""Looks of the protocol, and those it did not plan."""

from datetime import date, timedelta

import pytest

from outcomes.evaluation.readers.looks import (
    LookRow,
    planned_look,
    planned_looks,
    unadjusted,
)
from referrals.models import Trial
from referrals.rules.trial.analysis import Plan, PlannedLook
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import NOW
from tests.outcomes.evaluation.trials import look_of, planned_trial

TODAY = NOW.date()
LATER = TODAY + timedelta(days=7)


@pytest.fixture
def trial(world: World) -> Trial:
    looks = (PlannedLook(TODAY, "leader"), PlannedLook(LATER, "statistician"))
    return planned_trial(world.south_west, Plan(looks=looks))


def test_a_look_is_found_by_its_day(trial: Trial) -> None:
    assert planned_look(trial, TODAY) == PlannedLook(TODAY, "leader")
    assert planned_look(trial, date(2026, 1, 1)) is None


def test_each_planned_look_is_told_with_its_reader_s_name(trial: Trial, leader: User) -> None:
    assert planned_looks(trial, leader, NOW) == [
        LookRow(on=TODAY, reader="Supt 5", is_reader=True, due=True, opened=False),
        LookRow(on=LATER, reader="statistician", is_reader=False, due=False, opened=False),
    ]


def test_only_its_reader_can_open_it_from_its_day_on_and_once(
    trial: Trial, leader: User, trial_lead: User
) -> None:
    def can_open(user: User, days: int) -> bool:
        return planned_looks(trial, user, NOW + timedelta(days=days))[0].can_be_opened

    assert [can_open(leader, days) for days in (-1, 0, 9)] == [False, True, True]
    assert not can_open(trial_lead, 0)
    look_of(trial, leader, planned_on=TODAY, reason="")
    assert not can_open(leader, 0)


@pytest.mark.parametrize(
    ("looks", "sentence"),
    [
        (0, ""),
        (1, "p-values are unadjusted for 1 look by group before the lock"),
        (2, "p-values are unadjusted for 2 looks by group before the lock"),
    ],
)
def test_what_goes_with_results_counts_looks_that_were_not_planned(
    trial: Trial, leader: User, looks: int, sentence: str
) -> None:
    look_of(trial, leader, planned_on=TODAY, reason="")
    for number in range(looks):
        look_of(trial, leader, reason=f"Reason {number}")
    found = unadjusted(trial)
    assert (found.looks, found.sentence) == (looks, sentence)
