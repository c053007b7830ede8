"""Taking in the outcomes of a file."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
    """What became of the rows of a file of outcomes. ``rejected`` counts rows."""

    rows: int
    rejected: int
    new: int = 0
    unchanged: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report that the command prints."""
        return {
            "rows": self.rows,
            "new": self.new,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "rejections": [vars(rejection) for rejection in self.rejections],
        }


def import_outcomes(*, content: bytes, by: User, at: datetime) -> OutcomeReport:
    """Keeps the outcomes of the good rows, in one transaction; the same file again changes nothing.

    An outcome is known by its case, code and time; without a code the case is open again from then on. Raises
    :class:`~referrals.table_files.text.NotATable` for a file that cannot be read.
    """
    check_authority(by, Permission.IMPORT_OUTCOMES)
    reading = read_outcomes(content, at=at)
    report = OutcomeReport(reading.rows, reading.rejected, rejections=list(reading.rejections))
    with transaction.atomic():
        cases = _lock_cases(reading, by)
        fitting = _fitting(reading.good, cases, report)
        known = _known(cases.values())
        found: list[RecordedOutcome] = []
        for row, case in fitting:
            of_case = known[case.pk]
            # That it is open, and no more, says something new of a case that had an outcome.
            is_known = (
                not of_case or of_case[max(of_case)] is None
                if row.recorded_at is None
                else of_case.get((row.recorded_at, row.code or 0), 0) == row.code
            )
            if is_known:
                report.unchanged += 1
                continue
            recorded_at = row.recorded_at or at
            of_case[recorded_at, row.code or 0] = row.code
            found.append(
                RecordedOutcome(
                    case=case,
                    code_id=row.code,
                    written=row.written,
                    recorded_at=recorded_at,
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


def _known(cases: Iterable[Case]) -> dict[int, dict[tuple[datetime, int], int | None]]:
    """What is recorded of each case: the code, or None where it was open again, by moment and code."""
    known: dict[int, dict[tuple[datetime, int], int | None]] = defaultdict(dict)
    for chunk in _chunks([case.pk for case in cases]):
        recorded = RecordedOutcome.objects.filter(case__in=chunk).order_by("pk")
        for case, moment, code in recorded.values_list("case_id", "recorded_at", "code_id"):
            known[case][moment, code or 0] = code
    return known


def _chunks(items: Sequence[Item]) -> Iterator[list[Item]]:
    """The items in lists of at most 1,000: the number of queries does not grow with each row."""
    waiting = iter(items)
    while chunk := list(islice(waiting, 1_000)):
        yield chunk
