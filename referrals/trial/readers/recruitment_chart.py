"""Where the chart of recruitment has its lines; the template draws them."""

from dataclasses import dataclass
from datetime import date

from referrals.rules.trial.recruitment import WEEK, Recruitment

WIDTH, HEIGHT = 440, 250
LEFT, RIGHT, TOP, BOTTOM = 42, 428, 22, 216
MOST_TICKS = 5


@dataclass(frozen=True)
class Tick:
    """A number of units and its height, in the units of the picture."""

    units: int
    y: float


@dataclass(frozen=True)
class Chart:
    """Units cumulated by week against the target, from the first day to the protocol's last."""

    line: str
    dots: list[tuple[float, float]]
    ticks: list[Tick]
    target_y: float
    first: date
    last: date
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    bottom: int = BOTTOM


def chart_of(recruitment: Recruitment) -> Chart:
    """The chart of a trial that has opened."""
    first, last = recruitment.since, max(recruitment.last_day, recruitment.until)
    top = max(recruitment.target, recruitment.units)

    def x(day: date) -> float:
        return round(LEFT + (RIGHT - LEFT) * (day - first).days / max((last - first).days, 1), 1)

    def y(units: int) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * units / top, 1)

    ends = [(min(week.first + WEEK, recruitment.until), week.total) for week in recruitment.weeks]
    dots = [(x(day), y(total)) for day, total in ends]
    step = _step(top)
    return Chart(
        line=" ".join(f"{across},{up}" for across, up in [(x(first), y(0)), *dots]),
        dots=dots,
        ticks=[Tick(units, y(units)) for units in range(0, top + 1, step)],
        target_y=y(recruitment.target),
        first=first,
        last=last,
    )


def _step(top: int) -> int:
    """A round number of which at most five go into ``top``."""
    step = 1
    while True:
        for each in (step, 2 * step, 5 * step):
            if top // each <= MOST_TICKS:
                return each
        step *= 10
