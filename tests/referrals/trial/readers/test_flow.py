"""The flow of participants: who left where and why, and what became of each arm."""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest

from referrals.models import (
    Allocation,
    Arm,
    Case,
    CloseReason,
    ContactBy,
    CrimeRecordKind,
    DeviationKind,
    Mode,
    NotDelivered,
    Reason,
    Submission,
    Trial,
    TrialStatus,
)
from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.analysis import OpenCases, Plan
from referrals.rules.trial.protocol import protocol_of
from referrals.trial.readers.deviations import standing_deviations
from referrals.trial.readers.flow import (
    Box,
    Deviated,
    Flow,
    Part,
    flow_of,
    rows_of,
)
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import (
    NOW,
    AllocationFactory,
    ControlCheckFactory,
    CrimeRecordEventFactory,
    DecisionFactory,
    DeviationFactory,
    ReferralFactory,
    TrialFactory,
    WardModeFactory,
    advance,
    conduct,
)

MakeCase = Callable[..., Case]
SubmitAll = Callable[..., Submission]


def flow(trial: Trial) -> Flow:
    deviations = standing_deviations(Allocation.objects.filter(trial=trial))
    deviated = [Deviated(each.allocation_id, each.kind, each.why) for each in deviations]
    return flow_of(trial, rows_of(trial), deviated, NOW)


def small_trial(world: World, target: int, **agreed: Any) -> Trial:
    """A trial of so many units in every ward, all of which get SRC for all after it."""
    protocol = protocol_of(
        name="Small",
        bcu=world.south_west.code,
        design=Design(Scheme.COMPLETE, target=target),
        conduct=conduct([ward.code for ward in world.wards], **agreed),
    )
    trial = TrialFactory.create(bcu=world.south_west, protocol=protocol)
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    return trial


def numbers(parts: tuple[Part, ...]) -> dict[str, int]:
    return {part.label: part.number for part in parts}


@pytest.fixture
def trial(world: World) -> Trial:
    """It recruits; its units are made by :func:`unit`, and its arms seen once it is closed."""
    return TrialFactory.create(bcu=world.south_west)


@pytest.fixture
def unit(world: World, make_case: MakeCase) -> Callable[..., Allocation]:
    def make(trial: Trial, arm: Arm, **fields: Any) -> Allocation:
        return AllocationFactory.create(trial=trial, case=make_case(), arm=arm, **fields)

    return make


def boxes_of(trial: Trial, arm: Arm) -> tuple[Box, ...]:
    """The boxes of the arm: allocated, followed up, analysed. Closes recruitment, where it is not closed."""
    if trial.status == TrialStatus.RECRUITING:
        assert trial.opened_by is not None
        advance(trial, TrialStatus.CLOSED, by=trial.opened_by)
    return flow(trial).arms[list(Arm).index(arm)]


def test_whoever_is_not_randomised_left_for_a_reason_that_is_counted(
    world: World, make_case: MakeCase, submit_all: SubmitAll, hcop: User
) -> None:
    trial = small_trial(world, target=2)
    outside = make_case(victim_hash="a" * 64)
    DecisionFactory.create(
        case=outside, suitable=False, reason=Reason.HIGH_RISK, contact_by=ContactBy.NEIGHBOURHOOD_TEAM
    )
    duplicate = make_case()
    DecisionFactory.create(
        case=duplicate, suitable=False, reason=Reason.DUPLICATE, contact_by=ContactBy.INVESTIGATOR
    )
    submit_all(
        outside,
        duplicate,
        make_case(victim_hash="a" * 64, reported_at=NOW - timedelta(hours=9)),
        make_case(victim_hash="b" * 64, reported_at=NOW - timedelta(hours=8)),
        make_case(victim_hash="b" * 64, reported_at=NOW - timedelta(hours=7)),
        make_case(reported_at=NOW - timedelta(hours=6)),
        make_case(reported_at=NOW - timedelta(hours=5)),
        make_case(reported_at=NOW - timedelta(hours=4)),
    )
    trial.refresh_from_db()
    assert trial.status == TrialStatus.CLOSED
    assessed, suitable, randomised = flow(trial).stages
    assert (assessed.box.number, assessed.box.whole) == (8, 8)
    assert assessed.leaving is not None
    assert (assessed.leaving.number, assessed.leaving.whole) == (2, 8)
    assert numbers(assessed.leaving.parts) == {Reason.HIGH_RISK.label: 1, Reason.DUPLICATE.label: 1}
    assert (suitable.box.number, suitable.box.whole) == (6, 8)
    assert suitable.leaving is not None
    assert (suitable.leaving.number, suitable.leaving.whole) == (4, 6)
    assert numbers(suitable.leaving.parts) == {
        "The victim had SRC already, outside the trial": 1,
        "Linked to an earlier unit, whose group it follows": 1,
        "The target was reached": 2,
    }
    assert (randomised.box.number, randomised.box.whole, randomised.box.parts) == (2, 6, ())
    assert randomised.leaving is None
    assert flow(trial).linked == 1


def test_drafts_and_reports_of_other_wards_are_not_assessed(
    world: World, make_case: MakeCase, submit_all: SubmitAll
) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    WardModeFactory.create(ward=world.wards[0], mode=Mode.TRIAL, trial=trial)
    submit_all(make_case(), make_case(ward=world.wards[1]))
    DecisionFactory.create(case=make_case())
    assert flow(trial).stages[0].box.number == 1


def test_a_unit_that_another_trial_had_assessed_is_said_to_be(
    world: World, unit: Callable[..., Allocation], trial: Trial
) -> None:
    unit(trial, Arm.SRC)
    [part] = flow(trial).stages[2].box.parts
    assert (part.number, part.whole) == (1, 1)
    assert part.label.startswith("Assessed for another trial")


def test_no_number_is_given_by_arm_while_the_trial_recruits(
    trial: Trial, unit: Callable[..., Allocation], trial_lead: User
) -> None:
    unit(trial, Arm.SRC)
    unit(trial, Arm.CONTROL)
    assert flow(trial).arms == ()
    assert {box.label for box in flow(trial).boxes} == {
        "Reports assessed",
        "Excluded: not suitable",
        "Suitable",
        "Suitable, not randomised",
        "Randomised units",
    }
    advance(trial, TrialStatus.CLOSED, by=trial_lead)
    assert [arm[0].label for arm in flow(trial).arms] == [
        "Allocated to SRC",
        "Allocated to usual service (control)",
    ]


def test_src_is_received_or_not_for_a_reason_or_still_open(
    trial: Trial, unit: Callable[..., Allocation]
) -> None:
    for fields in (
        {"completed": True},
        {"completed": True},
        {"closed": True},
        {"closed": True, "close_reason": CloseReason.DECLINED},
        {},
    ):
        allocated = unit(trial, Arm.SRC)
        ReferralFactory.create(case=allocated.case, allocation=allocated, **fields)
    recorded = unit(trial, Arm.SRC)
    ReferralFactory.create(case=recorded.case, allocation=recorded)
    DeviationFactory.create(
        allocation=recorded, kind=DeviationKind.NOT_DELIVERED, why=NotDelivered.OVERLOOKED
    )
    late = unit(trial, Arm.SRC)
    ReferralFactory.create(
        case=late.case, allocation=late, completed=True, contacted_at=NOW + timedelta(days=31)
    )
    unit(trial, Arm.SRC)
    unit(trial, Arm.CONTROL)
    box, *_ = boxes_of(trial, Arm.SRC)
    assert (box.number, box.whole) == (8, 9)
    assert numbers(box.parts) == {
        "Received contact": 2,
        "Did not receive contact": 5,
        "Referral still open": 1,
    }
    assert numbers(box.parts[1].parts) == {
        CloseReason.NO_REPLY.label: 1,
        CloseReason.DECLINED.label: 1,
        NotDelivered.OVERLOOKED.label: 1,
        "Contact came after follow-up": 1,
        "No referral is on record": 1,
    }
    assert {part.whole for part in box.parts} == {8}
    assert {part.whole for part in box.parts[1].parts} == {5}


def test_a_contact_that_was_made_counts_whatever_else_is_recorded(
    trial: Trial, unit: Callable[..., Allocation]
) -> None:
    """As in the data set that is analysed; the deviation stays in the list."""
    allocated = unit(trial, Arm.SRC)
    ReferralFactory.create(case=allocated.case, allocation=allocated, completed=True)
    DeviationFactory.create(
        allocation=allocated, kind=DeviationKind.NOT_DELIVERED, why=NotDelivered.OVERLOOKED
    )
    assert numbers(boxes_of(trial, Arm.SRC)[0].parts)["Received contact"] == 1


def test_controls_are_contacted_all_the_same_or_checked_or_not_checked_yet(
    trial: Trial, unit: Callable[..., Allocation]
) -> None:
    by_accident, for_safety, both, checked, flagged = (unit(trial, Arm.CONTROL) for _ in range(5))
    DeviationFactory.create(allocation=by_accident)
    ControlCheckFactory.create(allocation=by_accident, contacted=True)
    for control in (for_safety, both):
        DeviationFactory.create(allocation=control, kind=DeviationKind.FOR_SAFETY, ordered_by="Insp 4")
    DeviationFactory.create(allocation=both)
    ControlCheckFactory.create(allocation=checked)
    DeviationFactory.create(allocation=flagged, kind=DeviationKind.FLAGGED)
    box, *_ = boxes_of(trial, Arm.CONTROL)
    assert list(numbers(box.parts).values()) == [3, 1, 1]
    assert numbers(box.parts[0].parts) == {"By accident": 1, "Because safety called for it": 2}


def test_what_was_withdrawn_is_no_deviation(trial: Trial, unit: Callable[..., Allocation]) -> None:
    deviation = DeviationFactory.create(allocation=unit(trial, Arm.CONTROL))
    DeviationFactory.create(allocation=deviation.allocation, withdraws=deviation)
    assert boxes_of(trial, Arm.CONTROL)[0].parts[0].number == 0


@pytest.mark.parametrize("arm", Arm)
def test_a_unit_allocated_wrongly_stays_in_its_arm_and_is_analysed_there(
    trial: Trial, unit: Callable[..., Allocation], arm: Arm
) -> None:
    wrong = unit(trial, arm)
    for kind in (DeviationKind.IN_ERROR, DeviationKind.WRONG_WARD):
        DeviationFactory.create(allocation=wrong, kind=kind)
    unit(trial, arm)
    allocated, _, analysed = boxes_of(trial, arm)
    kept = allocated.parts[-1]
    assert (kept.label, kept.number, kept.whole) == ("Wrongly allocated, kept and analysed here", 1, 2)
    assert list(numbers(kept.parts).values()) == [1, 1]
    assert (analysed.number, analysed.whole) == (2, 2)


def test_linked_reports_are_in_no_box_of_an_arm(
    trial: Trial, unit: Callable[..., Allocation], make_case: MakeCase
) -> None:
    first = unit(trial, Arm.CONTROL)
    linked = AllocationFactory.create(
        trial=trial, case=make_case(), follows=first, position=None, arm=Arm.CONTROL
    )
    DeviationFactory.create(allocation=linked)
    box, *_ = boxes_of(trial, Arm.CONTROL)
    assert (box.number, box.parts[0].number) == (1, 0)


def test_follow_up_is_over_after_the_protocols_days_and_lost_where_the_record_went(
    trial: Trial, unit: Callable[..., Allocation]
) -> None:
    month_ago = NOW.astimezone(UTC) - timedelta(days=30)
    unit(trial, Arm.SRC, allocated_at=month_ago)
    unit(trial, Arm.SRC, allocated_at=month_ago + timedelta(seconds=1))
    gone, back, unflagged, later = (unit(trial, Arm.SRC, allocated_at=month_ago) for _ in range(4))
    CrimeRecordEventFactory.create(case=gone.case, kind=CrimeRecordKind.TRANSFERRED)
    after = NOW + timedelta(seconds=1)
    CrimeRecordEventFactory.create(case=later.case, kind=CrimeRecordKind.CANCELLED, noticed_at=after)
    CrimeRecordEventFactory.create(case=back.case, kind=CrimeRecordKind.CANCELLED)
    CrimeRecordEventFactory.create(case=back.case, kind=CrimeRecordKind.REINSTATED)
    CrimeRecordEventFactory.create(case=unflagged.case, kind=CrimeRecordKind.UNFLAGGED)
    box = boxes_of(trial, Arm.SRC)[1]
    assert (box.label, box.number, box.whole) == ("Followed up for 30 days", 4, 6)
    assert numbers(box.parts) == {"Follow-up not over yet": 1, "Lost to follow-up": 1}
    assert numbers(box.parts[1].parts) == {CrimeRecordKind.TRANSFERRED.label: 1}


def test_every_unit_is_analysed_as_allocated_once_outcomes_are_locked(
    trial: Trial, unit: Callable[..., Allocation], trial_lead: User
) -> None:
    unit(trial, Arm.SRC)
    assert boxes_of(trial, Arm.SRC)[2] == Box("To be analysed as allocated", 1, 1)
    advance(trial, TrialStatus.LOCKED, by=trial_lead)
    assert boxes_of(trial, Arm.SRC)[2] == Box("Analysed as allocated", 1, 1)


def test_where_the_plan_leaves_out_open_cases_the_last_box_says_so(world: World) -> None:
    trial = small_trial(world, target=2, plan=Plan(open_cases=OpenCases.LEFT_OUT))
    assert boxes_of(trial, Arm.SRC)[2].label.endswith("but for cases that are open when outcomes are locked")
