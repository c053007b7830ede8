"""Where the chart of recruitment has its lines."""

from datetime import date, timedelta

import pytest

from referrals.rules.trial.recruitment import Recruitment
from referrals.trial.readers.recruitment_chart import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    chart_of,
)

SINCE = date(2026, 9, 7)


def _of(days: int, target: int, units: int = 0, last: int = 100) -> Recruitment:
    return Recruitment(
        days=(SINCE,) * units,
        target=target,
        since=SINCE,
        until=SINCE + timedelta(days=days),
        last_day=SINCE + timedelta(days=last),
    )


def test_the_line_goes_from_nothing_on_the_first_day_by_the_end_of_each_week() -> None:
    chart = chart_of(_of(days=10, target=10, units=5))
    middle = (BOTTOM + TOP) / 2
    across = RIGHT - LEFT
    assert chart.line.split()[0] == f"{LEFT}.0,{BOTTOM}.0"
    assert chart.dots == [(round(LEFT + across * share, 1), middle) for share in (0.07, 0.1)]
    assert chart.target_y == TOP
    assert (chart.first, chart.last) == (SINCE, SINCE + timedelta(days=100))


def test_more_units_than_the_target_lie_above_its_line() -> None:
    chart = chart_of(_of(days=7, target=4, units=8))
    assert chart.dots[0][1] == TOP < chart.target_y


def test_days_after_the_protocols_last_still_lie_in_the_picture() -> None:
    assert chart_of(_of(days=30, target=4, last=10)).last == SINCE + timedelta(days=30)
    assert chart_of(_of(days=0, target=4, last=0)).dots == [(LEFT, BOTTOM)]


@pytest.mark.parametrize(
    ("target", "ticks"),
    [
        (2, [0, 1, 2]),
        (10, [0, 2, 4, 6, 8, 10]),
        (48, [0, 10, 20, 30, 40]),
        (250, [0, 50, 100, 150, 200, 250]),
    ],
)
def test_the_heights_that_are_named_are_round(target: int, ticks: list[int]) -> None:
    assert [tick.units for tick in chart_of(_of(days=7, target=target)).ticks] == ticks
