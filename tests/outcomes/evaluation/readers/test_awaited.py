"""What the lock waits for, in numbers and in words."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from outcomes.evaluation.readers.awaited import awaited
from referrals.models import Arm, Case, Trial
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import NOW, AllocationFactory, TrialFactory
from tests.outcomes.evaluation.trials import allocate, check, close

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
END = NOW + 30 * DAY
MakeCase = Callable[..., Case]


@pytest.fixture
def trial(world: World) -> Trial:
    return TrialFactory.create(bcu=world.south_west)


@pytest.fixture
def closed(trial: Trial, trial_lead: User) -> Trial:
    close(trial, trial_lead)
    return trial


def test_a_trial_without_a_unit_waits_for_nothing_once_it_is_closed(closed: Trial) -> None:
    assert awaited(closed, NOW).missing == []


def test_a_trial_that_recruits_waits_to_be_closed(trial: Trial) -> None:
    assert awaited(trial, NOW).missing == ["Recruitment is not closed."]


def test_follow_up_is_awaited_to_the_last_unit_s_last_instant(
    trial: Trial, make_case: MakeCase, trial_lead: User
) -> None:
    for days in (0, 4):
        AllocationFactory.create(trial=trial, case=make_case(), allocated_at=NOW + days * DAY)
    close(trial, trial_lead)
    one = awaited(trial, END + 4 * DAY - INSTANT)
    assert (one.units, one.followed, one.over_at) == (2, 1, END + 4 * DAY)
    assert one.missing == [
        "The follow-up of 1 of 2 units is not over: the last one ends on 27 December 2026, 7:30am."
    ]
    assert awaited(trial, END - INSTANT).followed == 0
    assert awaited(trial, END + 4 * DAY).missing == []


def test_a_linked_report_has_no_follow_up_and_no_check_of_its_own(
    trial: Trial, make_case: MakeCase, trial_lead: User
) -> None:
    [control] = allocate(trial, make_case, Arm.CONTROL, [None])
    AllocationFactory.create(
        trial=trial,
        case=make_case(),
        follows=control,
        position=None,
        arm=Arm.CONTROL,
        allocated_at=NOW + 9 * DAY,
    )
    check([control])
    close(trial, trial_lead)
    assert awaited(trial, END).missing == []


def test_every_control_is_to_be_checked(trial: Trial, make_case: MakeCase, trial_lead: User) -> None:
    allocate(trial, make_case, Arm.SRC, [None] * 2)
    controls = allocate(trial, make_case, Arm.CONTROL, [None] * 3)
    close(trial, trial_lead)
    check(controls[:2])
    found = awaited(trial, END)
    assert (found.controls, found.checked) == (3, 2)
    [sentence] = found.missing
    assert sentence.startswith("1 of 3 controls is not checked on the crime record")
    check(controls[2:])
    assert awaited(trial, END).missing == []


def test_how_many_are_controls_is_not_told_while_the_trial_recruits(
    trial: Trial, make_case: MakeCase
) -> None:
    check(allocate(trial, make_case, Arm.CONTROL, [None] * 3))
    found = awaited(trial, END)
    assert (found.units, found.controls, found.checked) == (3, 0, 0)
