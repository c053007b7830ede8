"""Taking in the outcomes of a file."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from outcomes.models import RecordedOutcome
from outcomes.recording.reading import (
    Column,
    OutcomeRow,
    Reading,
    read_outcomes,
)
from referrals.intake.reading.rows import Rejection, shown
from referrals.models import Case
from referrals.scope import bcus_of
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

Item = TypeVar("Item")


@dataclass
class OutcomeReport:
    """What became of the rows of a file of outcomes. ``rejected`` counts rows.

    ``opened``: of the new ones, how many say that a case is open again.
    """

    rows: int
    rejected: int
    new: int = 0
    unchanged: int = 0
    opened: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report that the command prints."""
        return {
            "rows": self.rows,
            "new": self.new,
            "unchanged": self.unchanged,
            "opened": self.opened,
            "rejected": self.rejected,
            "rejections": [vars(rejection) for rejection in self.rejections],
        }


def import_outcomes(*, content: bytes, by: User, at: datetime) -> OutcomeReport:
    """Keeps the outcomes of the good rows, in one transaction; the same file once more changes nothing.

    What the last file says of a case counts; without a code the case is open again. Raises
    :class:`~referrals.table_files.text.NotATable` for a file that cannot be read.
    """
    check_authority(by, Permission.IMPORT_OUTCOMES)
    reading = read_outcomes(content, at=at)
    report = OutcomeReport(reading.rows, reading.rejected, rejections=list(reading.rejections))
    with transaction.atomic():
        cases = _lock_cases(reading, by)
        fitting = _fitting(reading.good, cases, report)
        recorded = _recorded(cases.values())
        found: list[RecordedOutcome] = []
        for row, case in fitting:
            moment = recorded[case.pk].news(row, at)
            if moment is None:
                report.unchanged += 1
                continue
            report.opened += row.code is None
            found.append(
                RecordedOutcome(
                    case=case,
                    code_id=row.code,
                    written=row.written,
                    recorded_at=moment,
                    is_day=row.is_day,
                    imported_at=at,
                    imported_by=by,
                )
            )
        report.new = len(found)
        RecordedOutcome.objects.bulk_create(found, batch_size=1_000)
        record(
            Action.OUTCOMES_IMPORTED,
            by=by,
            purpose=Purpose.INTAKE,
            subject="case",
            references=dict.fromkeys(outcome.case.crime_reference for outcome in found),
            fields=["outcome"] if found else [],
        )
    return report


def _in_scope(by: User) -> QuerySet[Case]:
    """The cases of the account's BCUs; commands and tasks work for all."""
    return Case.objects.all() if by.role == Role.SYSTEM else Case.objects.filter(bcu__in=bcus_of(by))


def _lock_cases(reading: Reading, by: User) -> dict[str, Case]:
    """The cases named, by reference; locked, so that the same file twice at once makes no twins."""
    references = sorted({row.crime_reference for row in reading.good})
    numbers: list[int] = []
    for chunk in _chunks(references):
        numbers += _in_scope(by).filter(crime_reference__in=chunk).values_list("pk", flat=True)
    cases: dict[str, Case] = {}
    for ordered in _chunks(sorted(numbers)):
        locked = Case.objects.filter(pk__in=ordered).order_by("pk").select_for_update(no_key=True)
        cases |= {case.crime_reference: case for case in locked.only("pk", "crime_reference", "reported_at")}
    return cases


def _fitting(
    rows: list[OutcomeRow], cases: dict[str, Case], report: OutcomeReport
) -> list[tuple[OutcomeRow, Case]]:
    """The rows whose case is here and was reported by then; the others are rejected."""
    fitting = []
    for row in rows:
        case = cases.get(row.crime_reference)
        if case is None:
            reason = "No case here has this reference: check it on the crime record."
            report.rejections.append(
                Rejection(row.line, Column.CRIME_REFERENCE.value, shown(row.crime_reference), reason)
            )
        elif row.recorded_at and timezone.localdate(row.recorded_at) < timezone.localdate(case.reported_at):
            reason = "The outcome is earlier than the report."
            report.rejections.append(
                Rejection(
                    row.line,
                    Column.RECORDED_AT.value,
                    f"{timezone.localtime(row.recorded_at):%d/%m/%Y}",
                    reason,
                )
            )
        else:
            fitting.append((row, case))
            continue
        report.rejected += 1
    report.rejections.sort(key=lambda rejection: rejection.line)
    return fitting


# What a file says of a case is kept so much after what it overtakes, where its own time is not later.
_JUST_AFTER = timedelta(microseconds=1)


@dataclass
class _Recorded:
    """What is recorded of a case: every moment and code, and the latest of them. None: open again."""

    known: set[tuple[datetime, int | None]] = field(default_factory=set)
    latest: tuple[datetime, int | None] | None = None

    def add(self, moment: datetime, code: int | None) -> None:
        """Adds what was recorded, in the order in which it came."""
        self.known.add((moment, code))
        if self.latest is None or moment >= self.latest[0]:
            self.latest = moment, code

    def news(self, row: OutcomeRow, at: datetime) -> datetime | None:
        """From when on the row holds, where it says something new; it is added then.

        What the last file says of a case counts. An extract stamps an open case with its own time, so that it
        says something of a case alone that had an outcome by then.
        """
        moment = self._opened(row, at) if row.code is None else self._closed(row)
        if moment is not None:
            self.add(moment, row.code)
        return moment

    def _opened(self, row: OutcomeRow, at: datetime) -> datetime | None:
        if self.latest is None or self.latest[1] is None:
            return None
        last = self.latest[0]
        said = row.recorded_at or at
        if said > last:
            return said
        is_same_day = row.is_day and timezone.localdate(said) == timezone.localdate(last)
        return last + _JUST_AFTER if is_same_day or said == last else None

    def _closed(self, row: OutcomeRow) -> datetime | None:
        assert row.recorded_at is not None
        if self.latest is None or row.recorded_at > self.latest[0]:
            return row.recorded_at
        last, code = self.latest
        # Said again with its own time, of what was kept just after an opening or another code.
        if code == row.code and (row.recorded_at, code) not in self.known and _is_moved(last):
            return None
        is_overtaken = code is None or (code != row.code and last - row.recorded_at < 1_000 * _JUST_AFTER)
        if is_overtaken:
            return last + _JUST_AFTER
        return None if (row.recorded_at, row.code) in self.known else row.recorded_at


def _is_moved(moment: datetime) -> bool:
    """Whether that is no time that a file could have: they have whole milliseconds at most."""
    return moment.microsecond % 1_000 != 0


def _recorded(cases: Iterable[Case]) -> dict[int, _Recorded]:
    recorded: dict[int, _Recorded] = defaultdict(_Recorded)
    for chunk in _chunks([case.pk for case in cases]):
        rows = RecordedOutcome.objects.filter(case__in=chunk).order_by("pk")
        for case, moment, code in rows.values_list("case_id", "recorded_at", "code_id"):
            recorded[case].add(moment, code)
    return recorded


def _chunks(items: Sequence[Item]) -> Iterator[list[Item]]:
    """The items in lists of at most 1,000: the number of queries does not grow with each row."""
    waiting = iter(items)
    while chunk := list(islice(waiting, 1_000)):
        yield chunk
