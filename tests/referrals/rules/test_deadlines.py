"""Due times, stops and standing."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from referrals.rules.bank_holidays import list_ends_on, listed_holidays
from referrals.rules.deadlines import (
    LONDON,
    LONGEST_STOP,
    Standing,
    Stop,
    Window,
    due,
    is_quiet,
    is_working_day,
    standing,
    why_not_stop,
)

DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HOLIDAYS = frozenset(listed_holidays())


def london(*parts: int) -> datetime:
    """A moment by the clock in London."""
    return datetime(*parts, tzinfo=LONDON)  # type: ignore[arg-type,misc]


# Both clock changes, ends of months and years, every Easter and Christmas lie in these years.
MOMENTS = st.integers(0, 1000 * 24 * 60).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * MINUTE)
BY_HOURS = st.integers(1, 30 * 24).map(lambda hours: Window(passes=hours * HOUR))
BY_DAYS = st.builds(
    Window, working_days=st.integers(1, 30), day_ends=st.sampled_from([time(9), time(17), time(23, 59)])
)
WINDOWS = BY_HOURS | BY_DAYS


@st.composite
def stopped(draw: st.DrawFn) -> tuple[datetime, Window, list[Stop]]:
    """When it began, its window, and up to three stops that do not overlap, each begun before it was due."""
    begun_at, window = draw(MOMENTS), draw(WINDOWS)
    stops: list[Stop] = []
    for wait, length in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 200)), max_size=3)):
        starts_at = (stops[-1].ends_at if stops else begun_at) + wait * HOUR
        if starts_at <= due(begun_at, window, holidays=HOLIDAYS, stops=stops):
            stops.append(Stop(starts_at, starts_at + length * HOUR))
    return begun_at, window, stops


def stopped_at_the_end_of(day: date, window: Window, stops: list[Stop]) -> bool:
    return any(stop.covers(datetime.combine(day, window.day_ends, LONDON)) for stop in stops)


@pytest.mark.parametrize("zone", [UTC, LONDON])
@pytest.mark.parametrize(
    ("made_at", "due_at"),
    [
        (datetime(2026, 11, 23, 9, 0, tzinfo=UTC), datetime(2026, 11, 26, 9, 0, tzinfo=UTC)),
        # Summer time ends on 25 October: noon in London, then 11am there.
        (datetime(2026, 10, 24, 11, 0, tzinfo=UTC), datetime(2026, 10, 27, 11, 0, tzinfo=UTC)),
        # It begins on 29 March: noon in London, then 1pm there.
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), datetime(2026, 3, 31, 12, 0, tzinfo=UTC)),
        # Christmas is no pause.
        (datetime(2026, 12, 24, 16, 0, tzinfo=UTC), datetime(2026, 12, 27, 16, 0, tzinfo=UTC)),
    ],
)
def test_a_referral_is_due_72_hours_later_whatever_the_clocks_and_the_calendar_do(
    made_at: datetime, due_at: datetime, zone: tzinfo
) -> None:
    assert due(made_at.astimezone(zone), Window(passes=72 * HOUR)).astimezone(UTC) == due_at


@pytest.mark.parametrize(
    ("begun_at", "working_days", "due_at"),
    [
        # Monday to Tuesday; late on Friday, and on Saturday, to Monday.
        (london(2026, 11, 23, 7, 30), 1, london(2026, 11, 24, 17)),
        (london(2026, 11, 27, 18, 0), 1, london(2026, 11, 30, 17)),
        (london(2026, 11, 28, 9, 0), 1, london(2026, 11, 30, 17)),
        # Easter 2027: Good Friday is 26 March, and the clocks change between it and Easter Monday.
        (london(2027, 3, 25, 9, 0), 1, london(2027, 3, 30, 17)),
        # Boxing Day 2026 is a Saturday: Monday 28 December is its substitute. Then the year ends.
        (london(2026, 12, 24, 9, 0), 1, london(2026, 12, 29, 17)),
        (london(2026, 12, 31, 9, 0), 1, london(2027, 1, 4, 17)),
        # A holiday on a Monday, early in May.
        (london(2026, 4, 30, 9, 0), 2, london(2026, 5, 5, 17)),
        # Over the end of summer time.
        (london(2026, 10, 23, 9, 0), 1, london(2026, 10, 26, 17)),
        (london(2026, 11, 23, 9, 0), 30, london(2027, 1, 7, 17)),
    ],
)
def test_by_working_days_it_is_due_at_the_end_of_the_last_of_them(
    begun_at: datetime, working_days: int, due_at: datetime
) -> None:
    assert due(begun_at, Window(working_days=working_days), holidays=HOLIDAYS) == due_at


@given(MOMENTS, BY_DAYS)
def test_as_many_working_days_lie_behind_a_due_time_as_the_window_has(
    begun_at: datetime, window: Window
) -> None:
    due_at = due(begun_at, window, holidays=HOLIDAYS).astimezone(LONDON)
    first = begun_at.astimezone(LONDON).date()
    days = [first + timedelta(days=n) for n in range(1, (due_at.date() - first).days + 1)]
    assert sum(is_working_day(day, HOLIDAYS) for day in days) == window.working_days
    assert is_working_day(due_at.date(), HOLIDAYS)
    assert due_at.time() == window.day_ends


@given(MOMENTS, WINDOWS)
def test_a_due_time_never_comes_before_that_of_what_began_earlier_or_has_a_shorter_window(
    begun_at: datetime, window: Window
) -> None:
    due_at = due(begun_at, window, holidays=HOLIDAYS)
    assert due_at > begun_at
    assert due_at <= due(begun_at + HOUR, window, holidays=HOLIDAYS)
    longer = Window(
        passes=window.passes + HOUR,
        working_days=window.working_days and window.working_days + 1,
        day_ends=window.day_ends,
    )
    assert due_at < due(begun_at, longer, holidays=HOLIDAYS)


@given(stopped(), st.integers(-10, 60))
def test_a_holiday_proclaimed_late_moves_a_due_time_by_working_days_on_and_never_back(
    referral: tuple[datetime, Window, list[Stop]], after: int
) -> None:
    begun_at, window, stops = referral
    holiday = begun_at.astimezone(LONDON).date() + timedelta(days=after)
    before = due(begun_at, window, holidays=HOLIDAYS, stops=stops)
    moved = due(begun_at, window, holidays=HOLIDAYS | {holiday}, stops=stops)
    counts = is_working_day(holiday, HOLIDAYS) and not stopped_at_the_end_of(holiday, window, stops)
    first, last = (moment.astimezone(LONDON).date() for moment in (begun_at, before))
    if window.working_days and counts and first < holiday <= last:
        counted = (
            day
            for day in (last + timedelta(days=n) for n in range(1, 60))
            if is_working_day(day, HOLIDAYS) and not stopped_at_the_end_of(day, window, stops)
        )
        # By a day, but for one that was only waited for after a stop: it is none the fewer.
        assert before < moved <= datetime.combine(next(counted), window.day_ends, LONDON) or moved == before
    else:
        assert moved == before


@given(stopped())
def test_a_stop_adds_its_time_and_nothing_is_due_before_it_ends(
    referral: tuple[datetime, Window, list[Stop]],
) -> None:
    begun_at, window, stops = referral
    due_at = due(begun_at, window, holidays=HOLIDAYS, stops=stops)
    assert all(due_at >= stop.ends_at for stop in stops)
    if window.working_days:
        first, last = (moment.astimezone(LONDON).date() for moment in (begun_at, due_at))
        days = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
        left = [
            day
            for day in days
            if is_working_day(day, HOLIDAYS) and not stopped_at_the_end_of(day, window, stops)
        ]
        assert len(left) >= window.working_days
    else:
        assert due_at == due(begun_at, window) + sum((stop.length for stop in stops), timedelta())


@given(stopped())
def test_a_stop_that_ends_earlier_makes_nothing_due_later(
    referral: tuple[datetime, Window, list[Stop]],
) -> None:
    begun_at, window, stops = referral
    ended = [Stop(stop.starts_at, stop.starts_at + stop.length / 2) for stop in stops]
    shorter = due(begun_at, window, holidays=HOLIDAYS, stops=ended)
    whole = due(begun_at, window, holidays=HOLIDAYS, stops=stops)
    assert due(begun_at, window, holidays=HOLIDAYS) <= shorter <= whole


def test_a_bank_holiday_within_a_stop_is_not_made_up_for_twice() -> None:
    # Made on the Wednesday before Easter 2027, with two working days: due on the Tuesday after it.
    made_at, window = london(2027, 3, 24, 9), Window(working_days=2)
    assert due(made_at, window, holidays=HOLIDAYS) == london(2027, 3, 30, 17)
    # Stopped over the holidays alone, from Friday morning to Tuesday morning, nothing is lost.
    easter = Stop(london(2027, 3, 26, 9), london(2027, 3, 30, 9))
    assert due(made_at, window, holidays=HOLIDAYS, stops=[easter]) == london(2027, 3, 30, 17)
    # With the Thursday before, one working day is.
    longer = Stop(london(2027, 3, 25, 9), london(2027, 3, 30, 9))
    assert due(made_at, window, holidays=HOLIDAYS, stops=[longer]) == london(2027, 3, 31, 17)


@given(MOMENTS, BY_DAYS, st.integers(1, 40), st.integers(0, 5), st.booleans())
def test_a_stop_adds_the_working_days_whose_end_it_spans(
    begun_at: datetime, window: Window, first: int, length: int, from_the_evening: bool
) -> None:
    """From an hour before the end of one day, or an hour after it, until an hour after the end of another."""
    before = due(begun_at, window, holidays=HOLIDAYS)
    begins, ends = (
        datetime.combine(begun_at.astimezone(LONDON).date() + timedelta(days=days), window.day_ends, LONDON)
        for days in (first, first + length)
    )
    stop = Stop(begins + (HOUR if from_the_evening else -HOUR), ends + 2 * HOUR)
    assume(stop.starts_at < before)
    days = [begins.date() + timedelta(days=number) for number in range(from_the_evening, length + 1)]
    spanned = sum(is_working_day(day, HOLIDAYS) for day in days)
    longer = Window(working_days=window.working_days + spanned, day_ends=window.day_ends)
    expected = due(begun_at, longer, holidays=HOLIDAYS)
    stopped = due(begun_at, window, holidays=HOLIDAYS, stops=[stop])
    assert stopped == expected or expected < stop.ends_at <= stopped


def test_a_stop_over_the_hour_at_which_it_was_due_moves_it_to_the_next_working_day() -> None:
    made_at, window = london(2026, 11, 26, 9), Window(working_days=1)
    assert due(made_at, window) == london(2026, 11, 27, 17)
    stop = Stop(london(2026, 11, 27, 16), london(2026, 11, 27, 20))
    assert due(made_at, window, stops=[stop]) == london(2026, 11, 30, 17)


def test_a_stop_across_a_clock_change_adds_the_hours_that_passed() -> None:
    made_at, window = london(2026, 10, 24, 9), Window(passes=72 * HOUR)
    stop = Stop(london(2026, 10, 24, 12), london(2026, 10, 25, 12))
    assert stop.length == 25 * HOUR
    assert due(made_at, window, stops=[stop]) == due(made_at, window) + 25 * HOUR


def test_the_clock_is_stopped_only_while_it_runs_and_not_for_ever() -> None:
    at = DUE - 5 * HOUR
    day = timedelta(days=1)
    assert why_not_stop(due_at=DUE, stops=[], until=at + LONGEST_STOP, at=at) == ""
    assert why_not_stop(due_at=DUE, stops=[], until=at + day, at=DUE) == ""
    for stops, until, moment, why in (
        ([], at + day, DUE + HOUR, "overdue"),
        ([], at, at, "still to come"),
        ([], at + LONGEST_STOP + HOUR, at, "28 days in all"),
        ([Stop(at - 21 * day, at - day)], at + 9 * day, at, "28 days in all"),
        ([Stop(at - day, at + HOUR)], at + 2 * HOUR, at, "already"),
    ):
        assert why in why_not_stop(due_at=DUE, stops=stops, until=until, at=moment)
    assert why_not_stop(due_at=DUE, stops=[Stop(at - 21 * day, at - day)], until=at + day, at=at) == ""


@pytest.mark.parametrize(
    ("clock", "over_night", "by_day"),
    [((21, 59), False, False), ((22, 0), True, False), ((6, 59), True, False), ((7, 0), False, True)],
)
def test_quiet_hours_may_span_midnight(clock: tuple[int, int], over_night: bool, by_day: bool) -> None:
    # In summer time, so that the hour in London is not that of UTC.
    at = london(2026, 7, 1, *clock)
    assert is_quiet(at, time(22), time(7)) is over_night
    assert is_quiet(at, time(7), time(9)) is by_day
    assert not is_quiet(at, None, None)


def test_the_list_of_bank_holidays_is_that_of_england_and_wales() -> None:
    listed = listed_holidays()
    assert listed[date(2027, 3, 29)] == "Easter Monday"
    assert date(2026, 1, 2) not in listed  # a bank holiday of Scotland
    assert date(2023, 5, 8) in listed  # the coronation, proclaimed late
    assert all(a < b for a, b in pairwise(listed))
    assert (list_ends_on().month, list_ends_on().day) == (12, 31)
    assert list_ends_on() >= date(2027, 12, 31)


@pytest.mark.parametrize(
    ("contacted", "closed", "at", "expected"),
    [
        (DUE - HOUR, DUE - HOUR, DUE, Standing.IN_TIME),
        (DUE, DUE + HOUR, DUE + HOUR, Standing.IN_TIME),
        (DUE + HOUR, DUE + HOUR, DUE + 2 * HOUR, Standing.LATE),
        (None, DUE - HOUR, DUE - HOUR, Standing.CLOSED_WITHOUT_CONTACT),
        (None, DUE + HOUR, DUE + 2 * HOUR, Standing.CLOSED_WITHOUT_CONTACT),
        (None, None, DUE, Standing.NOT_YET_DUE),
        (None, None, DUE + timedelta(seconds=1), Standing.OVERDUE),
    ],
)
def test_standing_follows_from_the_events(
    contacted: datetime | None, closed: datetime | None, at: datetime, expected: Standing
) -> None:
    assert standing(due_at=DUE, contacted_at=contacted, closed_at=closed, at=at) == expected


@pytest.mark.parametrize(
    ("contacted", "closed", "at", "expected"),
    [
        (None, None, DUE - 2 * HOUR, Standing.STOPPED),
        (None, None, DUE - HOUR, Standing.NOT_YET_DUE),
        (None, None, DUE + HOUR, Standing.OVERDUE),
        (DUE - 3 * HOUR, DUE - 3 * HOUR, DUE - 2 * HOUR, Standing.IN_TIME),
        (None, DUE - 3 * HOUR, DUE - 2 * HOUR, Standing.CLOSED_WITHOUT_CONTACT),
    ],
)
def test_what_is_open_stands_still_until_its_clock_goes_on(
    contacted: datetime | None, closed: datetime | None, at: datetime, expected: Standing
) -> None:
    found = standing(due_at=DUE, contacted_at=contacted, closed_at=closed, at=at, stopped_until=DUE - HOUR)
    assert found == expected
