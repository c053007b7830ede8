"""Recruitment by week, its latest pace, and when the target would be reached at that pace."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.rules.trial.recruitment import Recruitment, finding

SINCE = date(2026, 9, 7)


def recruitment(*weeks: int, **given: Any) -> Recruitment:
    """So many units in each full week, and today the day after the last."""
    days = [
        SINCE + timedelta(days=7 * number + unit % 7)
        for number, units in enumerate(weeks)
        for unit in range(units)
    ]
    fields = {
        "days": tuple(days),
        "target": 250,
        "since": SINCE,
        "until": SINCE + timedelta(days=7 * len(weeks)),
        "last_day": date(2027, 5, 22),
        **given,
    }
    return Recruitment(**fields)


def test_weeks_are_counted_from_the_first_day_and_the_one_that_runs_is_not_full() -> None:
    found = recruitment(3, 0, 4)
    assert [(week.units, week.total, week.full) for week in found.weeks] == [
        (3, 3, True),
        (0, 3, True),
        (4, 7, True),
        (0, 7, False),
    ]
    assert [week.first for week in found.weeks[:2]] == [SINCE, SINCE + timedelta(days=7)]


def test_a_week_is_full_once_its_last_day_is_over() -> None:
    assert not recruitment(until=SINCE + timedelta(days=6)).weeks[0].full
    assert recruitment(until=SINCE + timedelta(days=7)).weeks[0].full


def test_the_pace_is_that_of_full_weeks_and_of_the_last_eight() -> None:
    found = recruitment(20, 20, *[3] * 7, 4)
    assert found.per_week == 6.5
    assert (found.latest_units, len(found.latest), found.latest_per_week) == (25, 8, 3.1)
    assert found.full_weeks_units == 65


def test_units_of_the_week_that_runs_count_towards_the_target_and_not_towards_the_pace() -> None:
    today = SINCE + timedelta(days=8)
    found = recruitment(days=(SINCE, *[today] * 9), until=today)
    assert (found.units, found.per_week, found.latest_units) == (10, 1.0, 1)


def test_the_target_is_reached_when_what_is_missing_has_come_at_the_latest_pace() -> None:
    found = recruitment(10, 10, target=45)
    # 25 more at 20 in 14 days take 17.5 days, and the 18th is in the fifth week.
    assert found.reached_on == found.until + timedelta(days=18)
    assert found.reached_in_week == SINCE + timedelta(weeks=4)


def test_without_a_full_week_or_a_unit_of_late_no_day_is_guessed() -> None:
    assert recruitment(days=(SINCE,), until=SINCE + timedelta(days=3)).reached_on is None
    assert recruitment(5, *[0] * 8).reached_on is None
    assert recruitment(1, target=10_000).reached_on is None


def test_by_the_last_day_there_would_be_so_many_and_no_more_than_the_target() -> None:
    found = recruitment(10, 10, last_day=SINCE + timedelta(days=14 + 10))
    assert found.by_last_day == 20 + 14
    assert recruitment(10, 10, target=30).by_last_day == 30
    assert recruitment(10, last_day=SINCE).by_last_day == 10
    assert recruitment(days=(SINCE,), until=SINCE).by_last_day == 1


@given(weeks=st.lists(st.integers(0, 9), min_size=1, max_size=30), target=st.integers(1, 400))
def test_on_the_guessed_day_and_not_before_the_target_is_reached(weeks: list[int], target: int) -> None:
    found = recruitment(*weeks, target=max(target, sum(weeks)))
    day = found.reached_on
    if day is None:
        return

    def units_on(day: date) -> float:
        pace = found.latest_units / (7 * len(found.latest))
        return found.units + pace * (day - found.until).days

    assert units_on(day) >= found.target - 1e-9
    assert day == found.until or units_on(day - timedelta(days=1)) < found.target


@pytest.mark.parametrize(
    ("found", "closed", "says"),
    [
        (
            recruitment(10, 10),
            False,
            (
                "20 of 250 units allocated (8%): at the latest pace the target would be reached in the week "
                "from 1 March 2027, before the protocol’s last day, 22 May 2027"
            ),
        ),
        (
            recruitment(5, 5),
            False,
            (
                "10 of 250 units allocated (4%): at the latest pace the target would be reached in the week "
                "from 23 August 2027, after the protocol’s last day, 22 May 2027"
            ),
        ),
        (
            recruitment(5, *[0] * 8),
            False,
            (
                "5 of 250 units allocated (2%): at the latest pace the target would not be reached by the "
                "protocol’s last day, 22 May 2027"
            ),
        ),
        (
            recruitment(),
            False,
            "0 of 250 units allocated (0%): the first week is not over yet",
        ),
        (
            recruitment(100, 150),
            True,
            "250 of 250 units allocated (100%) when recruitment was closed on 21 September 2026",
        ),
    ],
)
def test_the_finding_is_one_sentence(found: Recruitment, closed: bool, says: str) -> None:
    assert finding(found, closed=closed) == says
