"""Cases as an extract that imports without a change: what is held, under the canonical headings."""

from collections.abc import Iterator
from datetime import datetime

from referrals.intake.reading.columns import (
    FIELD_OF,
    NEVER_SHOWN,
    QUESTION_OF,
    TEXT_OF,
    Column,
)
from referrals.intake.saving.save import check_scope
from referrals.models import Bcu, Case, Strand, VictimType
from src_app.accounts.models import User
from src_app.audit.models import Action, Purpose
from src_app.audit.record import MOST_REFERENCES, record
from src_app.lists.cells import harmless

# Postcode and keys are not held, so they cannot be given.
COLUMNS = [column for column in Column if column not in NEVER_SHOWN]


def export_cases(*, bcu: Bcu, by: User) -> Iterator[list[str]]:
    """The headings, then a row for each case of the BCU; as many in memory as one audit row names.

    Times carry their offset, so that the hour the clocks go back over stays what it was.
    """
    check_scope(by, bcu)
    yield [column.value for column in COLUMNS]
    cases = Case.objects.filter(bcu=bcu).order_by("pk").prefetch_related("texts")
    last = 0
    while found := list(cases.filter(pk__gt=last)[:MOST_REFERENCES]):
        record(
            Action.DOWNLOADED,
            by=by,
            purpose=Purpose.INTAKE,
            subject="case",
            references=[case.crime_reference for case in found],
            fields=[column.value for column in COLUMNS],
        )
        yield from map(_row, found)
        last = found[-1].pk


def _row(case: Case) -> list[str]:
    texts = {text.kind: text.body for text in case.texts.all()}
    cells = []
    for column in COLUMNS:
        if column in TEXT_OF:
            cells.append(texts.get(TEXT_OF[column], ""))
        else:
            cells.append(_cell(case, column))
    return [harmless(cell) for cell in cells]


def _cell(case: Case, column: Column) -> str:
    if column in QUESTION_OF and QUESTION_OF[column] in case.questions:
        return ""  # it is not known
    value = getattr(case, FIELD_OF.get(column, column.value))
    match value:
        case bool():
            return ("Crime" if value else "Incident") if column == Column.CRIME_OR_INCIDENT else "NY"[value]
        case datetime():
            return value.isoformat()
        case list():
            return "; ".join(Strand(strand).label for strand in value)
        case None:
            return ""
    return VictimType(value).label if column == Column.VICTIM_TYPE else str(value)
