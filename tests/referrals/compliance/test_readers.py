"""Counts of contact, against counts worked out by hand."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from referrals.compliance.readers import (
    Contact,
    Period,
    compliance_of,
    contact_by_ward,
    default_period,
    overdue,
    weeks,
)
from referrals.models import Case, Referral
from referrals.rules.deadlines import standing
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import (
    AllocationFactory,
    ContactAttemptFactory,
)
from tests.referrals.compliance.conftest import HOUR

MakeCase = Callable[..., Case]
MakeReferral = Callable[..., Referral]
pytestmark = pytest.mark.usefixtures("clock")


def test_the_database_and_the_rule_agree_over_a_grid(
    due: MakeReferral, hcop: User, now: datetime, world: World
) -> None:
    second = 1 / 3600
    for hours, ended in product((-2, -second, 0, second, 2), (-1, -second, 0, second, 1)):
        due(hours, contacted=ended)
        due(hours, closed=ended)
    for hours in (-2, -second, 0, second, 2):
        due(hours)
    expected = Counter(
        standing(
            due_at=referral.due_at,
            contacted_at=referral.contacted_at,
            closed_at=referral.closed_at,
            at=now,
        ).value
        for referral in Referral.objects.all()
    )
    assert len(expected) == 5
    assert contact_by_ward(now) == {world.wards[0].pk: Contact(**expected)}
    # Of those that ended, the triggers kept count.
    assert compliance_of(hcop, period=default_period(now), at=now).total == Contact(**expected)


def test_counts_by_ward_worked_out_by_hand(
    due: MakeReferral, hcop: User, world: World, now: datetime
) -> None:
    abbey, colliers_wood, *_ = world.wards
    due(-200, contacted=-5, ward=abbey)
    due(-200, contacted=0, ward=abbey)
    due(-200, contacted=3, ward=abbey)
    due(-100, closed=-10, ward=abbey)
    due(-90, ward=colliers_wood)
    due(-1, ward=colliers_wood)
    due(30, ward=colliers_wood)
    due(40, contacted=-41, ward=colliers_wood)
    # Due before the period: counts only while it is overdue, and then only as overdue now.
    due(-24 * 120, ward=abbey)
    due(-24 * 120, contacted=-1, ward=abbey)
    counted = compliance_of(hcop, period=default_period(now), at=now)
    assert [(row.ward.name, row.contact, row.overdue_now) for row in counted.wards] == [
        ("Abbey", Contact(in_time=2, late=1, closed_without_contact=1), 1),
        ("Colliers Wood", Contact(in_time=1, overdue=2, not_yet_due=1), 2),
    ]
    assert counted.total == Contact(in_time=3, late=1, overdue=2, not_yet_due=1, closed_without_contact=1)
    assert (counted.total.due, counted.overdue_now, counted.ended_early) == (7, 3, 1)
    assert counted.total.share == pytest.approx(3 / 7)


def test_a_period_that_has_ended_counts_only_what_was_due_in_it(
    due: MakeReferral, hcop: User, now: datetime
) -> None:
    # Due at 7:30am on 20, 21 and 22 November, and tomorrow.
    for hours in (-72, -48, -24, 24):
        due(hours)
    counted = compliance_of(hcop, period=Period(date(2026, 11, 21), date(2026, 11, 21)), at=now)
    assert counted.total == Contact(overdue=1)
    assert counted.overdue_now == 3


def test_the_days_of_a_period_are_londons_across_the_clock_change() -> None:
    period = Period(date(2026, 10, 24), date(2026, 10, 25))
    assert period.begins.isoformat() == "2026-10-24T00:00:00+01:00"
    assert period.ends.isoformat() == "2026-10-26T00:00:00+00:00"


def test_the_usual_period_is_twelve_whole_weeks_and_the_present_one(now: datetime) -> None:
    assert default_period(now) == Period(date(2026, 8, 31), date(2026, 11, 23))


def test_wards_sort_by_name_by_overdue_and_by_share(
    due: MakeReferral, hcop: User, world: World, now: datetime
) -> None:
    abbey, colliers_wood, graveney, *_ = world.wards
    due(-50, contacted=-1, ward=abbey)
    due(-50, contacted=-1, ward=colliers_wood)
    due(-50, ward=colliers_wood)
    due(50, ward=graveney)

    def names(order: str) -> list[str]:
        counted = compliance_of(hcop, period=default_period(now), at=now, order=order)
        return [row.ward.name for row in counted.wards]

    assert names("name") == ["Abbey", "Colliers Wood", "Graveney"]
    assert names("overdue") == ["Colliers Wood", "Abbey", "Graveney"]
    assert names("share") == ["Colliers Wood", "Abbey", "Graveney"]


def test_everybody_counts_only_what_is_theirs(
    due: MakeReferral,
    hcop: User,
    north_hcop: User,
    supervisor: User,
    leader: User,
    officer: User,
    auditor: User,
    world: World,
    now: datetime,
) -> None:
    for ward in (*world.wards[:2], world.north_ward):
        due(-2, ward=ward)

    def seen(user: User) -> list[str]:
        counted = compliance_of(user, period=default_period(now), at=now)
        return [row.ward.name for row in counted.wards]

    assert seen(hcop) == seen(leader) == ["Abbey", "Colliers Wood"]
    assert seen(north_hcop) == ["Hendon"]
    assert seen(supervisor) == ["Abbey"]
    assert seen(officer) == seen(auditor) == []
    assert len(weeks(hcop, period=Period(date(2026, 11, 1), date(2026, 11, 30)), at=now + 9 * 24 * HOUR)) == 1
    assert [referral.ward.name for referral in overdue(supervisor, at=now)] == ["Abbey"]
    assert [referral.ward.name for referral in overdue(hcop, at=now)] == ["Abbey", "Colliers Wood"]
    assert not overdue(leader, at=now)
    assert not overdue(officer, at=now)


def test_a_borough_narrows_the_counts_and_opens_no_other_bcu(
    due: MakeReferral, hcop: User, world: World, now: datetime
) -> None:
    due(-2, ward=world.wards[0])
    due(-2, ward=world.wards[3])
    due(-2, ward=world.north_ward)

    def of(borough: str) -> list[str]:
        counted = compliance_of(hcop, period=default_period(now), at=now, borough=borough)
        return [row.ward.name for row in counted.wards]

    assert of(world.wards[3].borough.code) == ["Balham"]
    assert of(world.north_ward.borough.code) == []


def test_weeks_are_those_that_are_over_from_monday_in_london(
    due: MakeReferral, hcop: User, now: datetime
) -> None:
    # Monday 16 November at 0:00 and Sunday 22 at 23:59:59 are one week; Sunday 15 at 23:59:59 the one before.
    monday = now.replace(day=16, hour=0, minute=0)
    for due_at, contacted in (
        (monday, -1.0),
        (monday + 7 * 24 * HOUR - timedelta(seconds=1), 1.0),
        (monday + 30 * HOUR, None),
        (monday - timedelta(seconds=1), 0.0),
        (monday + 7 * 24 * HOUR, None),
    ):
        due((due_at - now) / HOUR, contacted=contacted)
    series = weeks(hcop, period=default_period(now), at=now)
    assert [(week.monday, week.in_time, week.due) for week in series] == [
        (date(2026, 11, 9), 1, 1),
        (date(2026, 11, 16), 1, 3),
    ]
    assert series[1].share == pytest.approx(1 / 3)


def test_a_week_that_the_period_cuts_is_left_out(due: MakeReferral, hcop: User, now: datetime) -> None:
    due(-24 * 6)
    due(-24 * 13)
    period = Period(date(2026, 11, 11), date(2026, 11, 21))
    assert weeks(hcop, period=period, at=now) == []
    period = Period(date(2026, 11, 9), date(2026, 11, 15))
    assert [week.monday for week in weeks(hcop, period=period, at=now)] == [date(2026, 11, 9)]


def test_overdue_referrals_come_longest_first_with_the_attempts_that_stand(
    due: MakeReferral, supervisor: User, now: datetime
) -> None:
    one, two = due(-2), due(-50)
    due(2)
    due(-50, contacted=1)
    due(-50, closed=1)
    stands = ContactAttemptFactory.create(referral=one)
    withdrawn = ContactAttemptFactory.create(referral=one)
    ContactAttemptFactory.create(referral=one, withdraws=withdrawn)
    assert stands.withdraws is None
    listed = [vars(referral) for referral in overdue(supervisor, at=now)]
    assert [(row["number"], row["tries"]) for row in listed] == [(two.number, 0), (one.number, 1)]


def test_no_query_of_compliance_reads_an_allocation(due: MakeReferral, hcop: User, now: datetime) -> None:
    AllocationFactory.create(case=due(-2).case)
    period = default_period(now)
    with CaptureQueriesContext(connection) as queries:
        compliance_of(hcop, period=period, at=now)
        weeks(hcop, period=period, at=now)
        list(overdue(hcop, at=now))
        contact_by_ward(now)
    assert len(queries) >= 5
    read = " ".join(query["sql"] for query in queries)
    assert "referrals_allocation" not in read
    assert '"arm"' not in read
