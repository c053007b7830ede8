"""How far recruitment has come, week by week, and when its target would be reached. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

WEEK = timedelta(days=7)
# The pace is that of so many full weeks: fewer vary too much, more say little of now.
LATEST_WEEKS = 8
# Beyond it a guess is none.
FURTHEST = timedelta(days=3650)


@dataclass(frozen=True)
class Week:
    """Seven days counted from the first day of recruitment: units allocated in it, and up to its end.

    ``full``: all of its days are over.
    """

    first: date
    units: int
    total: int
    full: bool


@dataclass(frozen=True)
class Recruitment:
    """Units allocated by day, from the day on which the trial opened to today or to the day it closed.

    ``days``: of each unit; ``last_day``: the last one on which the protocol lets the trial recruit.
    """

    days: tuple[date, ...]
    target: int
    since: date
    until: date
    last_day: date

    @property
    def units(self) -> int:
        """Units allocated so far."""
        return len(self.days)

    @cached_property
    def weeks(self) -> list[Week]:
        """Every week begun, the oldest first."""
        counts = Counter((day - self.since) // WEEK for day in self.days)
        found: list[Week] = []
        for number in range((self.until - self.since) // WEEK + 1):
            first = self.since + number * WEEK
            before = found[-1].total if found else 0
            found.append(
                Week(first, counts[number], before + counts[number], full=first + WEEK <= self.until)
            )
        return found

    @property
    def full_weeks(self) -> list[Week]:
        """The weeks that are over."""
        return [week for week in self.weeks if week.full]

    @property
    def full_weeks_units(self) -> int:
        """Units allocated in these."""
        return self.full_weeks[-1].total if self.full_weeks else 0

    @property
    def latest(self) -> list[Week]:
        """The last eight full weeks, or as many as there are."""
        return self.full_weeks[-LATEST_WEEKS:]

    @property
    def latest_units(self) -> int:
        """Units allocated in these."""
        return sum(week.units for week in self.latest)

    @property
    def reached_on(self) -> date | None:
        """The day on which the target would be reached at the latest pace; none without one, or in ten years.

        A guess: it takes the next weeks for like the last.
        """
        if not self.latest_units:
            return None
        missing = max(self.target - self.units, 0)
        # Rounded up, in whole numbers.
        days = -(-missing * 7 * len(self.latest) // self.latest_units)
        return self.until + timedelta(days=days) if days <= FURTHEST.days else None

    @property
    def reached_in_week(self) -> date | None:
        """The first day of the week in which that would be."""
        day = self.reached_on
        return None if day is None else self.since + (day - self.since) // WEEK * WEEK

    @property
    def by_last_day(self) -> int:
        """Units, at most the target, that there would be on the protocol's last day at the latest pace."""
        if not self.latest:
            return self.units
        left = max((self.last_day - self.until).days, 0)
        more = self.latest_units * left // (7 * len(self.latest))
        return min(self.target, self.units + more)

    @property
    def per_week(self) -> float:
        """Units in a full week, of all that are over; 0 without one."""
        return _per_week(self.full_weeks)

    @property
    def latest_per_week(self) -> float:
        """The same of the last eight."""
        return _per_week(self.latest)


def _per_week(weeks: Sequence[Week]) -> float:
    return round(sum(week.units for week in weeks) / len(weeks), 1) if weeks else 0.0


def finding(recruitment: Recruitment, *, closed: bool) -> str:
    """What the chart says, in one sentence without its full stop."""
    units, target = recruitment.units, recruitment.target
    so_far = f"{units} of {target} units allocated ({units * 100 / target:.0f}%)"
    if closed:
        return f"{so_far} when recruitment was closed on {_words(recruitment.until)}"
    if not recruitment.latest:
        return f"{so_far}: the first week is not over yet"
    last_day = f"the protocol’s last day, {_words(recruitment.last_day)}"
    if recruitment.reached_on is None or recruitment.reached_in_week is None:
        return f"{so_far}: at the latest pace the target would not be reached by {last_day}"
    side = "before" if recruitment.reached_on <= recruitment.last_day else "after"
    week = _words(recruitment.reached_in_week)
    return (
        f"{so_far}: at the latest pace the target would be reached in the week from {week}, {side} {last_day}"
    )


def _words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
