"""The rows that are analysed, each fact as it stood at the end of its unit's follow-up."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outcomes.evaluation.by_arm import Counts
from outcomes.evaluation.readers.data_set import (
    COLUMNS,
    as_cells,
    rows_of,
    totals_of,
)
from referrals.models import Allocation, Arm, Case, CloseReason, CrimeRecordKind, DeviationKind, Trial
from referrals.rules.trial.draws import canonical
from tests.conftest import World
from tests.factories import (
    NOW,
    AllocationFactory,
    ControlCheckFactory,
    CrimeRecordEventFactory,
    DeviationFactory,
    OutcomeCodeFactory,
    RecordedOutcomeFactory,
    ReferralFactory,
    TrialFactory,
    UserFactory,
)

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
# Follow-up lasts 30 days.
END = NOW + 30 * DAY
LATER = NOW + 90 * DAY

Unit = Callable[..., Allocation]


@pytest.fixture
def trial(world: World) -> Trial:
    return TrialFactory.create(bcu=world.south_west)


@pytest.fixture
def unit(trial: Trial, make_case: Callable[..., Case]) -> Unit:
    """Allocates a unit at ``NOW``: SRC, or another arm."""

    def make(arm: Arm = Arm.SRC, **fields: Any) -> Allocation:
        return AllocationFactory.create(**{"trial": trial, "case": make_case(), "arm": arm, **fields})

    return make


def _row(trial: Trial, at: datetime = LATER) -> dict[str, Any]:
    [row] = rows_of(trial, at)
    return row


def _record(allocation: Allocation, code: int, recorded_at: datetime, **fields: Any) -> None:
    outcome = OutcomeCodeFactory.create(code=code)
    RecordedOutcomeFactory.create(case=allocation.case, code=outcome, recorded_at=recorded_at, **fields)


def _refer(allocation: Allocation, **fields: Any) -> None:
    ReferralFactory.create(case=allocation.case, allocation=allocation, made_at=NOW, **fields)


def test_a_row_says_how_the_unit_was_allocated(trial: Trial, unit: Unit) -> None:
    allocation = unit(Arm.CONTROL, levels={"repeat_victim": "yes"})
    row = _row(trial)
    assert set(row) == set(COLUMNS)
    assert row["unit"] == allocation.unit
    assert row["stratum"] == allocation.case.ward.borough.code  # type: ignore[union-attr]
    assert row["levels"] == {"repeat_victim": "yes"}
    assert (row["number"], row["position"], row["arm"]) == (1, 1, "control")


def test_units_come_in_order_of_number_and_linked_reports_are_counted_with_theirs(
    trial: Trial, unit: Unit
) -> None:
    first, second = unit(Arm.CONTROL), unit()
    for _ in range(2):
        unit(follows=second, position=None)
    assert [(row["unit"], row["linked_reports"]) for row in rows_of(trial, LATER)] == [
        (first.unit, 0),
        (second.unit, 2),
    ]


def test_another_trial_s_units_are_not_among_them(trial: Trial, unit: Unit, world: World) -> None:
    unit(trial=TrialFactory.create(bcu=world.south_west))
    assert rows_of(trial, LATER) == []
    assert totals_of(trial, LATER) == Counts()


@pytest.mark.parametrize(
    ("recorded", "code"),
    [
        ([], None),
        ([(18, NOW + DAY)], 18),
        ([(18, END)], 18),
        ([(18, END + INSTANT)], None),
        ([(18, NOW - DAY)], 18),
        ([(16, NOW + 9 * DAY), (18, NOW + 3 * DAY)], 16),
        ([(16, NOW + 3 * DAY), (18, NOW + 3 * DAY)], 18),
        ([(16, NOW + 3 * DAY), (1, END + INSTANT)], 16),
    ],
    ids=[
        "none",
        "within",
        "last instant",
        "too late",
        "before the allocation",
        "latest",
        "at once",
        "changed too late",
    ],
)
def test_the_outcome_is_the_latest_that_was_recorded_by_the_end_of_follow_up(
    trial: Trial, unit: Unit, recorded: list[tuple[int, datetime]], code: int | None
) -> None:
    allocation = unit()
    for each, recorded_at in recorded:
        _record(allocation, each, recorded_at)
    assert _row(trial)["outcome"] == code
    assert totals_of(trial, LATER).closed == (code is not None)


def test_an_outcome_counts_by_when_it_was_recorded_and_not_by_when_it_came_here(
    trial: Trial, unit: Unit
) -> None:
    _record(unit(), 16, END - DAY, imported_at=LATER)
    assert _row(trial)["outcome"] == 16


def test_before_the_end_it_is_the_latest_by_then(trial: Trial, unit: Unit) -> None:
    allocation = unit()
    _record(allocation, 16, NOW + 2 * DAY)
    _record(allocation, 1, NOW + 9 * DAY)
    row = _row(trial, NOW + 5 * DAY + timedelta(hours=23))
    assert (row["outcome"], row["followed_days"]) == (16, 5)
    assert _row(trial)["followed_days"] == 30


def test_a_linked_report_s_outcome_is_not_its_unit_s(trial: Trial, unit: Unit) -> None:
    _record(unit(follows=unit(), position=None), 16, NOW + DAY)
    assert _row(trial)["outcome"] is None


@pytest.mark.parametrize(
    ("referral", "contact"),
    [
        ({"completed": True, "contacted_at": NOW + 47 * DAY / 24}, (True, 1, None)),
        ({"completed": True, "contacted_at": END}, (True, 30, None)),
        ({"completed": True, "contacted_at": END + INSTANT}, (False, None, "after_follow_up")),
        ({"closed": True, "close_reason": CloseReason.DECLINED}, (False, None, "declined")),
        ({}, (False, None, "still_open")),
        (None, (False, None, "not_referred")),
    ],
    ids=["made", "last instant", "too late", "closed", "open", "none"],
)
def test_a_row_of_src_says_whether_contact_was_made_and_if_not_why(
    trial: Trial, unit: Unit, referral: dict[str, Any] | None, contact: tuple[bool, int | None, str | None]
) -> None:
    allocation = unit()
    if referral is not None:
        _refer(allocation, **referral)
    row = _row(trial)
    assert (row["contact_made"], row["days_to_contact"], row["no_contact_because"]) == contact
    assert row["control_contacted"] is None


@pytest.mark.parametrize("found", [True, False, None])
def test_a_row_of_control_says_once_it_is_checked_whether_a_contact_is_recorded(
    trial: Trial, unit: Unit, found: bool | None
) -> None:
    allocation = unit(Arm.CONTROL)
    if found is not None:
        ControlCheckFactory.create(allocation=allocation)
    if found:
        DeviationFactory.create(allocation=allocation)
    row = _row(trial)
    assert row["control_contacted"] is found
    assert (row["contact_made"], row["days_to_contact"], row["no_contact_because"]) == (None, None, None)


def test_deviations_that_stand_are_named_once_each(trial: Trial, unit: Unit) -> None:
    allocation = unit(Arm.CONTROL)
    for kind in (DeviationKind.WRONG_WARD, DeviationKind.BY_ACCIDENT, DeviationKind.BY_ACCIDENT):
        DeviationFactory.create(allocation=allocation, kind=kind)
    withdrawn = DeviationFactory.create(allocation=allocation, kind=DeviationKind.IN_ERROR)
    DeviationFactory.create(allocation=allocation, kind=DeviationKind.IN_ERROR, withdraws=withdrawn)
    assert _row(trial)["deviations"] == ["by_accident", "wrong_ward"]


def test_what_became_of_the_crime_is_told_in_order_from_allocation_to_the_end_of_follow_up(
    trial: Trial, unit: Unit
) -> None:
    allocation = unit()
    for kind, at in (
        (CrimeRecordKind.UNFLAGGED, NOW - INSTANT),
        (CrimeRecordKind.CANCELLED, NOW),
        (CrimeRecordKind.REINSTATED, END),
        (CrimeRecordKind.TRANSFERRED, END + INSTANT),
    ):
        CrimeRecordEventFactory.create(case=allocation.case, kind=kind, noticed_at=at)
    assert _row(trial)["crime_record"] == ["cancelled", "reinstated"]
    assert _row(trial, NOW + DAY)["crime_record"] == ["cancelled"]


def test_no_row_tells_whose_it_is_or_when(trial: Trial, unit: Unit) -> None:
    """Every value of every field of the case, but for what the stratum says."""
    allocation = unit(unit="ab" * 16)
    _record(allocation, 16, NOW + DAY)
    _refer(allocation, completed=True)
    text = canonical(rows_of(trial, LATER)).decode()
    case, ward = allocation.case, allocation.case.ward
    assert ward is not None
    finders = (case.crime_reference, ward.name, ward.code, case.offence, "race", "PC 9001", "SRC-", "2026")
    assert [each for each in finders if each in text] == []
    assert not re.search(r"\d{2}:\d{2}", text)


def test_a_row_is_written_as_cells(trial: Trial, unit: Unit) -> None:
    unit(levels={"repeat_victim": "no", "borough": "E09"}, number=1, position=1)
    row = {**_row(trial), "contact_made": True, "deviations": ["a", "b"], "outcome": 16}
    cells = dict(zip(COLUMNS, as_cells(row), strict=True))
    assert cells["levels"] == "borough=E09; repeat_victim=no"
    assert (cells["contact_made"], cells["deviations"], cells["outcome"]) == ("yes", "a; b", "16")
    assert (cells["control_contacted"], cells["crime_record"]) == ("", "")


def test_totals_are_over_both_arms(trial: Trial, unit: Unit) -> None:
    for arm, code in ((Arm.SRC, 16), (Arm.CONTROL, 16), (Arm.CONTROL, 1)):
        _record(unit(arm), code, NOW + DAY)
    unit()
    assert totals_of(trial, LATER) == Counts(units=4, closed=3, attrition=2, charge=1, positive=1)


def test_totals_read_no_arm(trial: Trial, unit: Unit) -> None:
    unit()
    with CaptureQueriesContext(connection) as queries:
        totals_of(trial, LATER)
    [query] = queries.captured_queries
    assert '"arm"' not in query["sql"]


def test_as_many_queries_for_thirty_units_as_for_three(trial: Trial, unit: Unit) -> None:
    counts = []
    for more in (3, 27):
        for _ in range(more):
            allocation = unit()
            _record(allocation, 16, NOW + DAY)
            _refer(allocation, completed=True)
            ControlCheckFactory.create(allocation=unit(Arm.CONTROL))
        with CaptureQueriesContext(connection) as queries:
            rows_of(trial, LATER)
        counts.append(len(queries))
    assert counts == [5, 5]


def test_contact_of_either_arm_is_that_of_any_report_of_the_unit_within_follow_up(world: World) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    src, control, late = (
        AllocationFactory.create(trial=trial, arm=arm, case__ward=world.wards[0])
        for arm in (Arm.SRC, Arm.CONTROL, Arm.CONTROL)
    )
    ReferralFactory.create(
        case=src.case,
        allocation=src,
        made_at=NOW,
        status="closed",
        close_reason="no_reply",
        closed_at=NOW + timedelta(days=60),
        closed_by=UserFactory.create(),
    )
    follower = AllocationFactory.create(
        trial=trial, arm=Arm.SRC, follows=src, position=None, case__ward=world.wards[0]
    )
    for unit in (control, late):
        ControlCheckFactory.create(allocation=unit)
    DeviationFactory.create(allocation=control, happened_on=NOW.date() + timedelta(days=30))
    DeviationFactory.create(allocation=late, happened_on=NOW.date() + timedelta(days=31))
    at = NOW + timedelta(days=90)
    rows = {row["number"]: row for row in rows_of(trial, at)}
    assert rows[src.number]["no_contact_because"] == "still_open"
    assert [rows[unit.number]["control_contacted"] for unit in (control, late)] == [True, False]
    ReferralFactory.create(case=follower.case, allocation=follower, made_at=NOW, completed=True)
    row = next(row for row in rows_of(trial, at) if row["number"] == src.number)
    assert (row["contact_made"], row["days_to_contact"], row["no_contact_because"]) == (True, 0, None)
