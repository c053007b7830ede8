"""What did not go as it was allocated, recorded and taken back, and the check of every control."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from referrals.models import (
    Allocation,
    Arm,
    Case,
    ControlCheck,
    Deviation,
    DeviationKind,
    NotDelivered,
    Trial,
    TrialStatus,
)
from referrals.scope import allocations_visible_to, trials_to_check
from referrals.trial.actions.deviations import check_controls, record_deviation, withdraw_deviation
from referrals.trial.readers.controls import controls_to_check
from referrals.trial.readers.deviations import standing_deviations
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.refused import Refused
from tests.conftest import World
from tests.database import refused_by
from tests.factories import (
    NOW,
    AllocationFactory,
    CaseFactory,
    ControlCheckFactory,
    DeviationFactory,
    ReferralFactory,
    TrialFactory,
    advance,
)

TODAY = NOW.date()
# The trial of the tests follows each case for 30 days.
AFTER = NOW + timedelta(days=30)
LOCKED = [TrialStatus.LOCKED, TrialStatus.REVEALED]

Allocate = Callable[..., Allocation]


@pytest.fixture
def trial(world: World) -> Trial:
    return TrialFactory.create(bcu=world.south_west, name="Pilot")


@pytest.fixture
def allocate(trial: Trial, make_case: Callable[..., Case]) -> Allocate:
    """Allocates a decided case of South West to the control arm, or as it is said."""

    def allocate(**given: Any) -> Allocation:
        fields = {"trial": trial, "arm": Arm.CONTROL, **given}
        if "case" not in fields:
            fields["case"] = make_case(decided_at=NOW)
        return AllocationFactory.create(**fields)

    return allocate


@pytest.fixture
def control(allocate: Allocate) -> Allocation:
    return allocate()


@pytest.fixture
def src(allocate: Allocate) -> Allocation:
    return allocate(arm=Arm.SRC)


def _linked_to(first: Allocation, allocate: Allocate) -> Allocation:
    return allocate(follows=first, position=None, arm=first.arm)


def _record(allocation: Allocation, by: User, **given: Any) -> Deviation:
    what = {"kind": DeviationKind.BY_ACCIDENT, "happened_on": TODAY, "at": NOW, **given}
    return record_deviation(allocation_id=allocation.pk, **what, by=by)


def _check(*controls: Allocation, by: User, at: Any = AFTER) -> int:
    ids = [control.pk for control in controls]
    return check_controls(trial=controls[0].trial, allocation_ids=ids, by=by, at=at)


@pytest.mark.parametrize(
    ("arm", "said"),
    [
        (Arm.CONTROL, {"kind": DeviationKind.BY_ACCIDENT}),
        (Arm.CONTROL, {"kind": DeviationKind.FOR_SAFETY, "ordered_by": "Insp 4021"}),
        (Arm.CONTROL, {"kind": DeviationKind.FLAGGED}),
        (Arm.SRC, {"kind": DeviationKind.NOT_DELIVERED, "why": NotDelivered.NO_OFFICER}),
        (Arm.SRC, {"kind": DeviationKind.IN_ERROR}),
        (Arm.CONTROL, {"kind": DeviationKind.IN_ERROR}),
        (Arm.SRC, {"kind": DeviationKind.WRONG_WARD}),
        (Arm.CONTROL, {"kind": DeviationKind.WRONG_WARD}),
    ],
    ids=lambda value: str(value["kind"]) if isinstance(value, dict) else str(value),
)
def test_a_deviation_is_kept_with_who_and_when_and_the_arm_stays(
    allocate: Allocate, hcop: User, arm: Arm, said: dict[str, Any]
) -> None:
    allocation = allocate(arm=arm)
    kept = Deviation.objects.get(pk=_record(allocation, hcop, **said).pk)
    assert (kept.allocation, kept.happened_on, kept.recorded_at, kept.recorded_by) == (
        allocation,
        TODAY,
        NOW,
        hcop,
    )
    assert {name: getattr(kept, name) for name in said} == said
    allocation.refresh_from_db()
    assert allocation.arm == arm


def test_the_log_names_the_case_and_never_what_happened_to_it(control: Allocation, hcop: User) -> None:
    withdraw_deviation(deviation_id=_record(control, hcop).pk, by=hcop, at=NOW)
    entries = AuditEntry.objects.filter(action__startswith="deviation").order_by("pk")
    assert [entry.action for entry in entries] == [Action.DEVIATION_RECORDED, Action.DEVIATION_WITHDRAWN]
    for entry in entries:
        assert (entry.actor, entry.purpose, entry.subject) == (hcop, Purpose.EVALUATION, "case")
        assert entry.references == [control.case.crime_reference]
        assert entry.fields == ["deviations"]


@pytest.mark.parametrize(
    ("arm", "said", "refusal"),
    [
        (Arm.SRC, {"kind": DeviationKind.BY_ACCIDENT}, "is to get SRC"),
        (Arm.SRC, {"kind": DeviationKind.FLAGGED}, "is to get SRC"),
        (Arm.SRC, {"kind": DeviationKind.FOR_SAFETY, "ordered_by": "PS 51"}, "is to get SRC"),
        (
            Arm.CONTROL,
            {"kind": DeviationKind.NOT_DELIVERED, "why": NotDelivered.DECLINED},
            "is to get usual service",
        ),
        (Arm.CONTROL, {"kind": DeviationKind.FOR_SAFETY}, "who ordered"),
        (Arm.CONTROL, {"kind": DeviationKind.BY_ACCIDENT, "ordered_by": "PS 51"}, "who ordered"),
        (Arm.SRC, {"kind": DeviationKind.NOT_DELIVERED}, "why SRC was not delivered"),
        (Arm.SRC, {"kind": DeviationKind.IN_ERROR, "why": NotDelivered.OTHER}, "why SRC was not delivered"),
    ],
)
def test_what_does_not_fit_the_case_is_refused_in_a_sentence(
    allocate: Allocate, hcop: User, arm: Arm, said: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(Refused, match=refusal) as refused:
        _record(allocate(arm=arm), hcop, **said)
    assert "arm" not in str(refused.value)
    assert not Deviation.objects.exists()


def test_src_that_was_delivered_is_not_recorded_as_not_delivered(src: Allocation, hcop: User) -> None:
    said = {"kind": DeviationKind.NOT_DELIVERED, "why": NotDelivered.OVERLOOKED}
    referral = ReferralFactory.create(case=src.case, allocation=src, completed=True)
    with pytest.raises(Refused, match=f"Contact was made on {referral.number}"):
        _record(src, hcop, **said)
    assert _record(src, hcop, kind=DeviationKind.WRONG_WARD)


def test_src_whose_referral_ended_without_contact_was_not_delivered(src: Allocation, hcop: User) -> None:
    ReferralFactory.create(case=src.case, allocation=src, closed=True)
    assert _record(src, hcop, kind=DeviationKind.NOT_DELIVERED, why=NotDelivered.NOT_REACHED)


@pytest.mark.parametrize("days", [-1, 3], ids=["before the allocation", "after today"])
def test_a_day_before_the_allocation_or_to_come_is_refused(
    control: Allocation, hcop: User, days: int
) -> None:
    with pytest.raises(Refused, match="Give a day from 23 November 2026"):
        _record(control, hcop, happened_on=TODAY + timedelta(days=days), at=NOW + timedelta(days=2))
    assert not Deviation.objects.exists()


@pytest.mark.parametrize("days", [0, 2], ids=["of the allocation", "today"])
def test_the_first_and_the_last_day_are_days(control: Allocation, hcop: User, days: int) -> None:
    assert _record(control, hcop, happened_on=TODAY + timedelta(days=days), at=NOW + timedelta(days=2))


def test_the_same_again_is_one_row(control: Allocation, hcop: User) -> None:
    first = _record(control, hcop)
    assert _record(control, hcop, at=NOW + timedelta(seconds=1)) == first
    assert AuditEntry.objects.filter(action=Action.DEVIATION_RECORDED).count() == 1


def test_another_of_the_kind_is_refused_while_one_stands(control: Allocation, hcop: User) -> None:
    first = _record(control, hcop)
    tomorrow = {"happened_on": TODAY + timedelta(days=1), "at": NOW + timedelta(days=1)}
    with pytest.raises(Refused, match="recorded already"):
        _record(control, hcop, **tomorrow)
    assert _record(control, hcop, kind=DeviationKind.WRONG_WARD)
    withdraw_deviation(deviation_id=first.pk, by=hcop, at=NOW)
    again = _record(control, hcop, **tomorrow)
    assert {again.kind, DeviationKind.WRONG_WARD} == {d.kind for d in standing_deviations([control])}


def test_a_withdrawal_is_a_row_of_its_own_and_twice_is_one(
    control: Allocation, hcop: User, other_hcop: User
) -> None:
    said = {"kind": DeviationKind.FOR_SAFETY, "ordered_by": "Insp 4021"}
    deviation = _record(control, hcop, **said)
    later = NOW + timedelta(hours=1)
    withdrawal = withdraw_deviation(deviation_id=deviation.pk, by=other_hcop, at=later)
    assert (withdrawal.withdraws, withdrawal.recorded_at, withdrawal.recorded_by) == (
        deviation,
        later,
        other_hcop,
    )
    assert {name: getattr(withdrawal, name) for name in said} == said
    assert not standing_deviations([control]).exists()
    again = withdraw_deviation(deviation_id=deviation.pk, by=hcop, at=later + timedelta(hours=1))
    assert again == withdrawal
    assert Deviation.objects.count() == 2


def test_a_withdrawal_cannot_be_withdrawn(control: Allocation, hcop: User) -> None:
    withdrawal = withdraw_deviation(deviation_id=_record(control, hcop).pk, by=hcop, at=NOW)
    with pytest.raises(Deviation.DoesNotExist):
        withdraw_deviation(deviation_id=withdrawal.pk, by=hcop, at=NOW)


@pytest.mark.parametrize("status", LOCKED)
def test_once_outcomes_are_locked_no_control_is_looked_up(
    control: Allocation, hcop: User, trial_lead: User, status: TrialStatus
) -> None:
    advance(control.trial, status, by=trial_lead)
    with pytest.raises(Refused, match="The outcomes of Pilot are locked: no more cases are looked up"):
        _check(control, by=hcop)
    assert not controls_to_check(control.trial, hcop, AFTER).exists()
    with pytest.raises(DatabaseError, match="of_a_control_unit"), transaction.atomic():
        ControlCheckFactory.create(allocation=control, checked_at=AFTER)


@pytest.mark.parametrize("status", LOCKED)
def test_once_outcomes_are_locked_deviations_are_still_recorded_for_a_corrected_data_set(
    control: Allocation, hcop: User, trial_lead: User, status: TrialStatus
) -> None:
    advance(control.trial, status, by=trial_lead)
    deviation = _record(control, hcop)
    assert withdraw_deviation(deviation_id=deviation.pk, by=hcop, at=NOW).withdraws == deviation


def test_a_trial_closed_to_recruitment_is_not_locked(
    control: Allocation, hcop: User, trial_lead: User
) -> None:
    advance(control.trial, TrialStatus.CLOSED, by=trial_lead)
    deviation = _record(control, hcop)
    assert withdraw_deviation(deviation_id=deviation.pk, by=hcop, at=NOW)
    assert _check(control, by=hcop) == 1


def test_another_bcus_cases_are_out_of_scope(control: Allocation, hcop: User, north_hcop: User) -> None:
    deviation = _record(control, hcop)
    with pytest.raises(Allocation.DoesNotExist):
        _record(control, north_hcop, kind=DeviationKind.WRONG_WARD)
    with pytest.raises(Deviation.DoesNotExist):
        withdraw_deviation(deviation_id=deviation.pk, by=north_hcop, at=NOW)
    with pytest.raises(Trial.DoesNotExist):
        _check(control, by=north_hcop)
    assert (Deviation.objects.count(), ControlCheck.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    "role", ["officer", "supervisor", "leader", "trial_lead", "auditor", "administrator"]
)
def test_nobody_but_the_hcop_records_withdraws_checks_or_sees(
    control: Allocation, role: str, request: pytest.FixtureRequest
) -> None:
    user: User = request.getfixturevalue(role)
    deviation = DeviationFactory.create(allocation=control)
    acts: list[Callable[[], object]] = [
        lambda: _record(control, user),
        lambda: withdraw_deviation(deviation_id=deviation.pk, by=user, at=NOW),
        lambda: _check(control, by=user),
    ]
    for act in acts:
        with pytest.raises(NotAllowed):
            act()
    assert not allocations_visible_to(user).exists()
    assert not trials_to_check(user).exists()
    assert not controls_to_check(control.trial, user, AFTER).exists()


def test_a_check_says_by_whom_when_and_whether_a_contact_is_recorded(allocate: Allocate, hcop: User) -> None:
    alone, contacted, mistaken = (allocate() for _ in range(3))
    _record(contacted, hcop)
    withdraw_deviation(deviation_id=_record(mistaken, hcop).pk, by=hcop, at=NOW)
    _record(alone, hcop, kind=DeviationKind.WRONG_WARD)
    assert _check(alone, contacted, mistaken, by=hcop) == 3
    checks = {check.allocation: check for check in ControlCheck.objects.all()}
    assert {allocation: check.contacted for allocation, check in checks.items()} == {
        alone: False,
        contacted: True,
        mistaken: False,
    }
    assert {(check.checked_at, check.checked_by) for check in checks.values()} == {(AFTER, hcop)}
    entry = AuditEntry.objects.get(action=Action.CONTROLS_CHECKED)
    assert entry.references == [each.case.crime_reference for each in (alone, contacted, mistaken)]


def test_a_contact_recorded_of_a_linked_report_counts_for_the_unit(allocate: Allocate, hcop: User) -> None:
    first, other = allocate(), allocate()
    _record(_linked_to(first, allocate), hcop)
    _linked_to(other, allocate)
    _check(first, other, by=hcop)
    assert [check.contacted for check in ControlCheck.objects.order_by("allocation")] == [True, False]


def test_a_unit_is_checked_once(control: Allocation, hcop: User, other_hcop: User) -> None:
    assert _check(control, by=hcop) == 1
    assert _check(control, by=other_hcop, at=AFTER + timedelta(days=1)) == 0
    assert ControlCheck.objects.get().checked_by == hcop
    assert AuditEntry.objects.filter(action=Action.CONTROLS_CHECKED).count() == 1


def test_only_control_units_whose_follow_up_is_over_are_to_check(
    allocate: Allocate, make_case: Callable[..., Case], hcop: User, world: World
) -> None:
    """A linked report belongs to its unit, which is looked up; it is not looked up by itself."""
    control = allocate()
    linked, src = _linked_to(control, allocate), allocate(arm=Arm.SRC)
    young = allocate(allocated_at=NOW + timedelta(seconds=1))
    other_trial = AllocationFactory.create(
        case=make_case(), trial=TrialFactory.create(bcu=world.south_west), arm=Arm.CONTROL
    )
    north = AllocationFactory.create(case=CaseFactory.create(ward=world.north_ward), arm=Arm.CONTROL)
    assert list(controls_to_check(control.trial, hcop, AFTER)) == [control]
    assert _check(control, linked, src, young, other_trial, north, by=hcop) == 1
    assert ControlCheck.objects.get().allocation == control


def test_controls_wait_in_the_order_of_their_allocation(allocate: Allocate, hcop: User) -> None:
    controls = [allocate() for _ in range(3)]
    assert list(controls_to_check(controls[0].trial, hcop, AFTER)) == controls


def test_a_contact_that_a_check_found_can_be_withdrawn_as_a_mistake(control: Allocation, hcop: User) -> None:
    contact = _record(control, hcop)
    _check(control, by=hcop)
    assert withdraw_deviation(deviation_id=contact.pk, by=hcop, at=AFTER).withdraws == contact
    assert ControlCheck.objects.get().contacted, "what the check found stays on record"


def test_a_contact_found_after_the_check_is_recorded_and_can_be_withdrawn(
    control: Allocation, hcop: User
) -> None:
    _check(control, by=hcop)
    later = AFTER + timedelta(hours=1)
    contact = _record(control, hcop, happened_on=TODAY, at=later)
    assert list(standing_deviations([control])) == [contact]
    assert withdraw_deviation(deviation_id=contact.pk, by=hcop, at=later)


def _write(allocation: Allocation, **given: Any) -> Callable[[], object]:
    return lambda: DeviationFactory.create(allocation=allocation, **given)


def test_the_database_refuses_a_deviation_that_does_not_fit_its_arm(
    control: Allocation, src: Allocation
) -> None:
    not_delivered = {"kind": DeviationKind.NOT_DELIVERED, "why": NotDelivered.OTHER}
    for act in (
        _write(src, kind=DeviationKind.BY_ACCIDENT),
        _write(src, kind=DeviationKind.FOR_SAFETY, ordered_by="PS 51"),
        _write(src, kind=DeviationKind.FLAGGED),
        _write(control, **not_delivered),
    ):
        with pytest.raises(DatabaseError, match="of_its_arm"), transaction.atomic():
            act()
    _write(src, **not_delivered)()


def test_the_database_refuses_half_of_what_has_to_be_said(control: Allocation, src: Allocation) -> None:
    for name, act in (
        ("who_ordered", _write(control, kind=DeviationKind.FOR_SAFETY)),
        ("who_ordered", _write(control, ordered_by="PS 51")),
        ("why_src", _write(src, kind=DeviationKind.NOT_DELIVERED)),
        ("why_src", _write(src, kind=DeviationKind.NOT_DELIVERED, why="a reason of its own")),
        ("why_src", _write(control, why=NotDelivered.OTHER)),
        ("kind_is_known", _write(control, kind="lost")),
    ):
        with pytest.raises(DatabaseError, match=name), transaction.atomic():
            act()


def test_the_database_refuses_a_withdrawal_of_another_kind_case_or_withdrawal(allocate: Allocate) -> None:
    contact = DeviationFactory.create(allocation=allocate())
    withdrawal = _write(contact.allocation, withdraws=contact)
    for act in (
        _write(contact.allocation, withdraws=contact, kind=DeviationKind.WRONG_WARD),
        _write(allocate(), withdraws=contact),
    ):
        with pytest.raises(DatabaseError, match="withdraws_its_like"), transaction.atomic():
            act()
    withdrawn = withdrawal()
    for act in (withdrawal, _write(contact.allocation, withdraws=withdrawn)):
        with refused_by("referrals_deviation_withdraws_id_key", "withdraws_its_like"):
            act()


def test_the_database_refuses_a_check_of_src_of_a_linked_report_and_a_second(allocate: Allocate) -> None:
    control, src = allocate(), allocate(arm=Arm.SRC)
    for allocation in (src, _linked_to(control, allocate)):
        with pytest.raises(DatabaseError, match="of_a_control_unit"), transaction.atomic():
            ControlCheckFactory.create(allocation=allocation)
    ControlCheckFactory.create(allocation=control)
    with pytest.raises(DatabaseError, match="unique"), transaction.atomic():
        ControlCheckFactory.create(allocation=control)


def test_a_day_is_one_of_london(control: Allocation, hcop: User) -> None:
    """At half past midnight in London in summer it is still yesterday by universal time."""
    at = NOW.replace(month=7, hour=0, minute=30) + timedelta(days=365)
    assert at.utcoffset() == timedelta(hours=1)
    assert _record(control, hcop, happened_on=date(2027, 7, 23), at=at)
