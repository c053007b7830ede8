"""Counts of outcomes, against counts worked out by hand."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outcomes.rates.actions import compute_rates
from outcomes.rates.readers import Night, Outcomes, night_of, outcomes_so_far, weekly_nights
from referrals.models import Case
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import (
    AllocationFactory,
    DecisionFactory,
    OutcomeCodeFactory,
    RecordedOutcomeFactory,
    SubmissionFactory,
)

MakeCase = Callable[..., Case]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def decided(make_case: MakeCase, now: datetime) -> MakeCase:
    """Makes a submitted case with outcomes by code, the last of them recorded last."""

    def decided(*codes: int, suitable: bool = True, **fields: object) -> Case:
        case = make_case(decided_at=now, **fields)
        why = {} if suitable else {"reason": "outside_bcu", "contact_by": "home_bcu"}
        DecisionFactory.create(
            case=case, suitable=suitable, submission=SubmissionFactory.create(bcu=case.bcu), **why
        )
        for number, code in enumerate(codes):
            RecordedOutcomeFactory.create(
                case=case,
                code=OutcomeCodeFactory.create(code=code),
                recorded_at=now - timedelta(hours=len(codes) - number),
            )
        return case

    return decided


def test_outcomes_count_the_latest_of_every_suitable_case_over_both_denominators(
    decided: MakeCase, make_case: MakeCase, leader: User, world: World
) -> None:
    decided()
    decided(18)
    decided(18, 16)
    decided(16, 1)
    decided(14)
    decided(8)
    decided(7)
    decided(16, ward=None)
    # Neither of these is suitable and decided here.
    decided(16, suitable=False)
    decided(16, ward=world.north_ward)
    RecordedOutcomeFactory.create(case=make_case(), code=OutcomeCodeFactory.create(code=16))
    assert outcomes_so_far(leader) == Outcomes(cases=8, closed=7, attrition=3, charge=1, positive=2)


def test_of_two_outcomes_of_one_moment_the_one_imported_last_counts(
    decided: MakeCase, leader: User, now: datetime
) -> None:
    case = decided(16)
    RecordedOutcomeFactory.create(
        case=case, code=OutcomeCodeFactory.create(code=1), recorded_at=now - timedelta(hours=1)
    )
    assert outcomes_so_far(leader) == Outcomes(cases=1, closed=1, charge=1, positive=1)


def test_supervisors_and_officers_are_told_no_outcomes(
    decided: MakeCase, supervisor: User, officer: User
) -> None:
    decided(16)
    assert outcomes_so_far(supervisor) == outcomes_so_far(officer) == Outcomes()


def test_no_query_of_the_outcomes_reads_an_allocation(decided: MakeCase, hcop: User) -> None:
    AllocationFactory.create(case=decided(16))
    with CaptureQueriesContext(connection) as queries:
        outcomes_so_far(hcop)
    assert len(queries) >= 2
    read = " ".join(query["sql"] for query in queries)
    assert "referrals_allocation" not in read
    assert '"arm"' not in read


def test_a_past_night_is_told_as_it_was_computed_whatever_came_after(
    decided: MakeCase, leader: User, system: User, now: datetime
) -> None:
    case = decided(18)
    compute_rates(by=system, at=now)
    RecordedOutcomeFactory.create(case=case, code=OutcomeCodeFactory.create(code=16), recorded_at=now)
    decided(1)
    assert night_of(leader, now.date()) == Night(now.date(), now, Outcomes(cases=1, closed=1))
    assert outcomes_so_far(leader) == Outcomes(cases=2, closed=2, attrition=1, charge=1, positive=1)
    assert night_of(leader, now.date() - timedelta(days=1)) is None


def test_of_each_week_the_last_night_counted_is_told(
    decided: MakeCase, leader: User, system: User, now: datetime
) -> None:
    decided(16)
    # The clock stands on Monday 23 November 2026.
    counted = [now - timedelta(days=days) for days in (7 * 12 + 1, 7 * 12, 8, 7, 2, 0)]
    for at in counted:
        compute_rates(by=system, at=at)
    assert [night.day for night in weekly_nights(leader, at=now)] == [
        date(2026, 8, 31),
        date(2026, 11, 15),
        date(2026, 11, 21),
        date(2026, 11, 23),
    ]


def test_nights_are_told_of_the_own_bcu_and_to_nobody_without_the_permission(
    decided: MakeCase, leader: User, supervisor: User, system: User, world: World, now: datetime
) -> None:
    decided(16)
    decided(16, ward=world.north_ward)
    compute_rates(by=system, at=now)
    (night,) = weekly_nights(leader, at=now)
    assert night.outcomes == Outcomes(cases=1, closed=1, attrition=1)
    assert weekly_nights(supervisor, at=now) == []
    assert night_of(supervisor, now.date()) is None
