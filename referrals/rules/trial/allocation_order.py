"""Whether cases were allocated in their turn: who sees an arm could choose which case comes next. Pure."""

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Report:
    """A report that the trial may get: known here from ``imported_at`` on, undecided until ``decided_at``."""

    stratum: str
    reported_at: datetime
    imported_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True)
class Taken:
    """A unit as it was allocated: when its case was reported, when its arm came and in which submission."""

    stratum: str
    reported_at: datetime
    at: datetime
    day: date
    submission: int


def out_of_turn(taken: Iterable[Taken], reports: Iterable[Report]) -> int:
    """How many units were allocated while an earlier report of their stratum was known and undecided."""
    coming = sorted(reports, key=lambda report: report.imported_at, reverse=True)
    waiting: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    found = 0
    for unit in sorted(taken, key=lambda unit: unit.at):
        while coming and coming[-1].imported_at <= unit.at:
            report = coming.pop()
            heapq.heappush(waiting[report.stratum], (report.reported_at, report.decided_at or _NEVER))
        earliest = waiting[unit.stratum]
        while earliest and earliest[0][1] <= unit.at:
            heapq.heappop(earliest)
        found += bool(earliest) and earliest[0][0] < unit.reported_at
    return found


def days_in_parts(taken: Iterable[Taken]) -> tuple[int, int]:
    """On how many days units came from more than one submission, and on how many days there were any."""
    submissions: dict[date, set[int]] = defaultdict(set)
    for unit in taken:
        submissions[unit.day].add(unit.submission)
    return sum(len(parts) > 1 for parts in submissions.values()), len(submissions)
