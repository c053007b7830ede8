"""When a referral is due, and how it stands: computed from its events, never counted by a nightly job.

``due`` sets the due time of every referral. ``standing`` is the definition which the SQL is tested against;
nothing that serves calls it. Pages count in the database: by ``standings``, ``overdue`` and ``counted.sql``
in ``referrals/compliance/readers``, and by ``referrals/models/sql/counted_contacts.sql``. A change of the
rule changes all of them. ``docs/how-to.md`` lists the files.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import count
from types import MappingProxyType
from zoneinfo import ZoneInfo

# What was said to be done by mistake can be undone by the same person for so long.
UNDONE_WITHIN = timedelta(hours=1)
# All stops of one referral together: after four weeks contact is no answer to the report any more.
LONGEST_STOP = timedelta(days=28)
# Somebody says within that time that they deal with a follow-up; its word is the kind's.
ACKNOWLEDGED_WITHIN = MappingProxyType(
    {
        "threat": timedelta(hours=2),
        "new_offence": timedelta(hours=4),
        "ring_again_risk": timedelta(hours=4),
        "ring_again_safety": timedelta(hours=4),
        "not_reached": timedelta(hours=4),
        "safety_changed": timedelta(hours=4),
        "restrictions_changed": timedelta(hours=4),
        "unsafe": timedelta(hours=8),
        "barred_method": timedelta(hours=8),
    }
)
_OTHERS_ACKNOWLEDGED_WITHIN = timedelta(hours=24)
LONDON = ZoneInfo("Europe/London")
_SATURDAY = 5
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """How long a team has: a span of hours that pass, or a number of working days.

    The last working day ends at ``day_ends``, by the clock in London.
    """

    passes: timedelta = timedelta()
    working_days: int = 0
    day_ends: time = time(17)


@dataclass(frozen=True)
class Stop:
    """A span in which the clock of a referral stands."""

    starts_at: datetime
    ends_at: datetime

    @property
    def length(self) -> timedelta:
        """How long it is; between two times of London the hands of the clock would be compared."""
        return self.ends_at.astimezone(UTC) - self.starts_at.astimezone(UTC)

    def covers(self, moment: datetime) -> bool:
        """Whether the clock stood at that moment, and before and after it."""
        return self.starts_at < moment < self.ends_at


class Standing(StrEnum):
    """How a referral stands towards its due time."""

    IN_TIME = "in_time"
    LATE = "late"
    OVERDUE = "overdue"
    NOT_YET_DUE = "not_yet_due"
    STOPPED = "stopped"
    CLOSED_WITHOUT_CONTACT = "closed_without_contact"


def is_working_day(day: date, holidays: Container[date]) -> bool:
    """Monday to Friday, and no bank holiday."""
    return day.weekday() < _SATURDAY and day not in holidays


def due(
    begun_at: datetime, window: Window, *, holidays: Container[date] = frozenset(), stops: Iterable[Stop] = ()
) -> datetime:
    """The due time, in UTC, of what the team has had since ``begun_at``.

    By hours: they pass across weekends, holidays and clock changes, and so does the time stopped, which is
    added. By working days: the end of the last of them, counted from the day after ``begun_at``; a day
    whose working hours end while the clock is stopped is not counted. It is never before the end of a stop.
    """
    stops = list(stops)
    if not window.working_days:
        # A sum in London's time would move the hands of the clock, an hour off where they were changed.
        return begun_at.astimezone(UTC) + window.passes + sum((stop.length for stop in stops), timedelta())
    goes_on_at = max((stop.ends_at for stop in stops), default=begun_at)
    counted = 0
    for number in count(1):
        day = _day_of(begun_at) + number * _ONE_DAY
        ends_at = datetime.combine(day, window.day_ends, LONDON).astimezone(UTC)
        if is_working_day(day, holidays) and not any(stop.covers(ends_at) for stop in stops):
            counted += 1
            if counted >= window.working_days and ends_at >= goes_on_at:
                return ends_at
    raise AssertionError("unreachable")


def _day_of(moment: datetime) -> date:
    return moment.astimezone(LONDON).date()


def why_not_stop(*, due_at: datetime, stops: Sequence[Stop], until: datetime, at: datetime) -> str:
    """Why the clock cannot be stopped from now until then; empty when it can."""
    if at > due_at:
        return "It is overdue already: a stopped clock would hide that. Log each attempt to reach the victim."
    if any(stop.ends_at > at for stop in stops):
        return "The clock is stopped already: let it go on first."
    if until <= at:
        return "The clock goes on later than now: give a time that is still to come."
    if sum((stop.length for stop in stops), Stop(at, until).length) > LONGEST_STOP:
        return (
            f"The clock can stand for {LONGEST_STOP.days} days in all: give an earlier end, "
            "or ask your supervisor whether the referral is to be closed."
        )
    return ""


def acknowledge_by(kind: str, raised_at: datetime) -> datetime:
    """When somebody must have said at the latest that they deal with a follow-up of that kind."""
    return raised_at.astimezone(UTC) + ACKNOWLEDGED_WITHIN.get(kind, _OTHERS_ACKNOWLEDGED_WITHIN)


def is_quiet(at: datetime, begins: time | None, ends: time | None) -> bool:
    """Whether a moment lies in the quiet hours, which may span midnight in London."""
    if begins is None or ends is None:
        return False
    clock = at.astimezone(LONDON).time()
    return begins <= clock < ends if begins < ends else clock >= begins or clock < ends


def standing(
    *,
    due_at: datetime,
    contacted_at: datetime | None,
    closed_at: datetime | None,
    at: datetime,
    stopped_until: datetime | None = None,
) -> Standing:
    """How it stands at a moment. Contact at the due time itself is in time."""
    if contacted_at is not None:
        return Standing.IN_TIME if contacted_at <= due_at else Standing.LATE
    if closed_at is not None:
        return Standing.CLOSED_WITHOUT_CONTACT
    if stopped_until is not None and at < stopped_until:
        return Standing.STOPPED
    return Standing.OVERDUE if at > due_at else Standing.NOT_YET_DUE
