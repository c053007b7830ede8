"""Counts of contact, against counts worked out by hand."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from referrals.compliance.readers.contact import (
    Chosen,
    Contact,
    Span,
    by_month,
    by_week,
    compliance_of,
    contact_by_ward,
    counted_by_week,
    this_and_last_month,
    weeks,
)
from referrals.compliance.readers.overdue import chased_officers, overdue
from referrals.compliance.readers.periods import Period, default_period, periods
from referrals.models import Borough, Case, Referral
from referrals.rules.deadlines import standing
from src_app.accounts.models import User
from tests import factories
from tests.conftest import World
from tests.factories import (
    AllocationFactory,
    ClockStopFactory,
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
    for hours, stopped in product((second, 2), (-1, 0, second)):
        until = {"stopped_until": now + stopped * HOUR}
        due(hours, **until)
        due(hours, contacted=-3, **until)
        due(hours, closed=-3, **until)
    expected = Counter(
        standing(
            due_at=referral.due_at,
            contacted_at=referral.contacted_at,
            closed_at=referral.closed_at,
            at=now,
            stopped_until=referral.stopped_until,
        ).value
        for referral in Referral.objects.all()
    )
    assert len(expected) == 6
    assert contact_by_ward(now) == {world.wards[0].pk: Contact(**expected)}
    # Of those that ended, the triggers kept count.
    assert compliance_of(hcop, period=default_period(now), at=now).total == Contact(**expected)


def test_what_is_stopped_is_counted_apart_and_so_is_how_long(
    due: MakeReferral, hcop: User, now: datetime
) -> None:
    stopped = due(30, stopped_until=now + 20 * HOUR)
    ClockStopFactory.create(referral=stopped, starts_at=now - 5 * HOUR, ends_at=now + 20 * HOUR)
    ended = due(30, contacted=-33, stopped_until=now + 9 * HOUR)
    ClockStopFactory.create(referral=ended, starts_at=now - 10 * HOUR, ends_at=now + 9 * HOUR)
    due(30)
    due(-30)
    counted = compliance_of(hcop, period=default_period(now), at=now)
    total = counted.total
    assert (total.stopped, total.open, total.due) == (1, 3, 2)
    # Five hours until now, and seven until contact was made.
    assert counted.stopped_for == 12 * HOUR
    assert [span.contact.stopped for span in by_week(hcop, at=now, chosen=Chosen())][-1] == 1


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


@pytest.mark.parametrize("first", [9, 10, 16])
@pytest.mark.parametrize("last", [15, 21, 22, 23])
def test_whole_weeks_and_cut_ones_count_the_same(
    due: MakeReferral, hcop: User, now: datetime, first: int, last: int
) -> None:
    # At 7:30am on each of the days from 2 to 24 November; Mondays are 2, 9, 16 and 23.
    for day in range(2, 25):
        due(24 * (day - 23), contacted=-1)
    period = Period(date(2026, 11, first), date(2026, 11, last))
    # A period that reaches today has what is due later in it.
    days = last - first + 1 if last < 23 else 24 - first + 1
    assert compliance_of(hcop, period=period, at=now).total == Contact(in_time=days)
    series = counted_by_week(hcop, period=period, at=now, chosen=Chosen())
    assert sum(span.contact.in_time for span in series) == days


def test_the_days_of_a_period_are_londons_across_the_clock_change() -> None:
    period = Period(date(2026, 10, 24), date(2026, 10, 25))
    assert period.begins.isoformat() == "2026-10-24T00:00:00+01:00"
    assert period.ends.isoformat() == "2026-10-26T00:00:00+00:00"


def test_the_usual_period_is_twelve_whole_weeks_and_the_present_one(now: datetime) -> None:
    assert default_period(now) == Period(date(2026, 8, 31), date(2026, 11, 23))


def test_a_period_that_has_a_word_moves_on_with_the_day(now: datetime) -> None:
    assert periods(now) == {
        "last-4-weeks": Period(date(2026, 10, 26), date(2026, 11, 23)),
        "last-12-weeks": Period(date(2026, 8, 31), date(2026, 11, 23)),
        "this-month": Period(date(2026, 11, 1), date(2026, 11, 23)),
        "last-month": Period(date(2026, 10, 1), date(2026, 10, 31)),
    }
    new_year = now.replace(year=2027, month=1, day=1)
    assert periods(new_year)["last-month"] == Period(date(2026, 12, 1), date(2026, 12, 31))


def test_a_team_narrows_the_counts_to_its_wards(
    due: MakeReferral, hcop: User, supervisor: User, world: World, now: datetime
) -> None:
    for ward in world.wards[:3]:
        due(-2, ward=ward)
        due(-24 * 9, contacted=-1, ward=ward)
    second = Chosen(team=world.wards[1].team)
    counted = compliance_of(hcop, period=default_period(now), at=now, chosen=second)
    assert [row.ward for row in counted.wards] == [world.wards[1]]
    assert [referral.ward for referral in overdue(hcop, at=now, chosen=second)] == [world.wards[1]]
    assert [week.due for week in weeks(hcop, period=default_period(now), at=now, chosen=second)] == [1]
    # Another's team opens nothing.
    assert compliance_of(supervisor, period=default_period(now), at=now, chosen=second).wards == []
    assert not overdue(supervisor, at=now, chosen=second)


def test_an_officer_narrows_the_counts_to_what_that_officer_has_taken(
    due: MakeReferral, hcop: User, officer: User, colleague: User, now: datetime
) -> None:
    for ends in ({"contacted": -1}, {"contacted": 1}, {"closed": 1}, {}):
        for taken_by in (officer, colleague, None):
            taken_at = now - 9 * 24 * HOUR if taken_by else None
            due(-24 * 8, taken_by=taken_by, taken_at=taken_at, **ends)
    mine = due(-1, taken_by=officer, taken_at=now - HOUR)
    due(30, taken_by=officer, taken_at=now - HOUR)
    due(30, contacted=-31, taken_by=officer, taken_at=now - HOUR)
    chosen = Chosen(officer=officer)
    counted = compliance_of(hcop, period=default_period(now), at=now, chosen=chosen)
    assert counted.total == Contact(in_time=2, late=1, overdue=2, not_yet_due=1, closed_without_contact=1)
    assert (counted.overdue_now, counted.ended_early) == (2, 1)
    assert {late.taken_by for late in overdue(hcop, at=now, chosen=chosen)} == {officer}
    assert mine in overdue(hcop, at=now, chosen=chosen)
    series = weeks(hcop, period=default_period(now), at=now, chosen=chosen)
    assert [(week.in_time, week.due) for week in series] == [(1, 4)]


def test_an_officer_who_closed_all_without_contact_has_counts_too(
    due: MakeReferral, hcop: User, officer: User, now: datetime
) -> None:
    due(-24 * 8, closed=1, taken_by=officer, taken_at=now - 9 * 24 * HOUR)
    chosen = Chosen(officer=officer)
    total = compliance_of(hcop, period=default_period(now), at=now, chosen=chosen).total
    assert (total.closed_without_contact, total.in_time, total.late, total.due) == (1, 0, 0, 1)


def test_officers_to_choose_are_members_and_whoever_has_taken_one(
    due: MakeReferral, supervisor: User, hcop: User, officer: User, other_officer: User, leader: User
) -> None:
    assert set(chased_officers(supervisor)) == {officer, supervisor}
    assert set(chased_officers(hcop)) == {officer, supervisor, other_officer}
    assert not chased_officers(leader)
    referral = due(-2, taken_by=other_officer, taken_at=factories.NOW)
    assert set(chased_officers(supervisor)) == {officer, supervisor, other_officer}
    Referral.objects.filter(pk=referral.pk).update(taken_by=None, taken_at=None)
    assert set(chased_officers(supervisor)) == {officer, supervisor}


def test_a_ward_week_by_week_and_month_by_month(
    due: MakeReferral, hcop: User, world: World, now: datetime
) -> None:
    # Now is Monday 23 November at 7:30am.
    due(-1)
    due(30)
    due(-24 * 8, contacted=-1)
    due(-24 * 8, contacted=1)
    due(-24 * 40, closed=1)
    due(-24 * 40, ward=world.wards[1])
    due(-24 * 400, contacted=-1)
    chosen = Chosen(ward=world.wards[0])
    assert by_week(hcop, at=now, chosen=chosen) == [
        Span(date(2026, 10, 12), Contact(closed_without_contact=1)),
        Span(date(2026, 11, 9), Contact(in_time=1, late=1)),
        Span(date(2026, 11, 23), Contact(overdue=1, not_yet_due=1)),
    ]
    assert by_month(hcop, at=now, chosen=chosen) == [
        Span(date(2026, 10, 1), Contact(closed_without_contact=1)),
        Span(date(2026, 11, 1), Contact(in_time=1, late=1, overdue=1, not_yet_due=1)),
    ]


def test_months_are_whole_where_one_begins_on_a_monday(due: MakeReferral, hcop: User, now: datetime) -> None:
    """Of that kind of period the weeks are kept too, and 30 June is in a week that ends in July."""
    july = now.replace(month=7, day=3)
    for due_on in (1, 30):
        due((now.replace(month=6, day=due_on) - now) / HOUR, contacted=-1)
    due((july - now) / HOUR, contacted=-1)
    this, last = this_and_last_month(hcop, at=july, chosen=Chosen())
    assert (this.contact.in_time, last.contact.in_time) == (1, 2)
    june = Period(date(2026, 6, 1), date(2026, 6, 30))
    assert compliance_of(hcop, period=june, at=july).total.in_time == 2


def test_twelve_months_end_with_the_present_one(due: MakeReferral, hcop: User, now: datetime) -> None:
    january = now.replace(month=1, day=15)
    first = datetime.fromisoformat("2025-02-01T00:00+00:00")
    for due_at in (first, first - timedelta(seconds=1)):
        due((due_at - now) / HOUR, contacted=-1)
    spans = by_month(hcop, at=january, chosen=Chosen())
    assert [(span.first, span.contact.due) for span in spans] == [(date(2025, 2, 1), 1)]


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

    def of(borough: Borough) -> list[str]:
        chosen = Chosen(borough=borough)
        counted = compliance_of(hcop, period=default_period(now), at=now, chosen=chosen)
        return [row.ward.name for row in counted.wards]

    assert of(world.wards[3].borough) == ["Balham"]
    assert of(world.north_ward.borough) == []


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
