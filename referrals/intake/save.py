"""Saving an extract: the good rows in one transaction, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg2.errors
from django.db import OperationalError, transaction

from referrals.actions import Refused
from referrals.intake.columns import FIELD_OF, TEXT_OF, Column, field_name
from referrals.intake.fates import ChangedCase, Fates, NewCase, chunks, foresee
from referrals.intake.rows import Reading, read_extract
from referrals.models import Bcu, Case, PersonalText, VictimType
from referrals.queries import bcus_to_import_for
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

# What a new case is taken for where the file has no such column.
_ASSUMED = {"is_crime": True, "victim_type": VictimType.INDIVIDUAL.value}


def preview_cases(*, content: bytes, bcu: Bcu, by: User, at: datetime) -> Fates:
    """Every row's fate, nothing saved; recorded as a consultation, as it tells which reports are here.

    Raises :class:`~referrals.intake.text.NotATable`.
    """
    check_scope(by, bcu)
    fates = foresee(read_extract(content, at=at), bcu=bcu)
    record(
        Action.LIST_SHOWN,
        by=by,
        purpose=Purpose.INTAKE,
        subject="extract",
        references=references_of(fates),
    )
    return fates


def import_cases(*, content: bytes, bcu: Bcu, by: User, at: datetime) -> Fates:
    """Saves the good rows and returns every row's fate; the same file again changes nothing.

    Raises :class:`~referrals.intake.text.NotATable`, and :class:`Refused` when another import is in the way.
    """
    check_scope(by, bcu)
    reading = read_extract(content, at=at)
    with imports_in_turn(), transaction.atomic():
        return save_reading(reading, bcu=bcu, by=by, at=at)


def check_scope(by: User, bcu: Bcu) -> None:
    """Raises :class:`NotAllowed` unless the account may import for this BCU."""
    check_authority(by, Permission.IMPORT_CASES)
    if not bcus_to_import_for(by).filter(pk=bcu.pk).exists():
        raise NotAllowed


def references_of(fates: Fates) -> list[str]:
    """The crime references of the rows that can be saved or are here already, in the order of the file."""
    rows = [*(new.row for new in fates.new), *(changed.row for changed in fates.changed), *fates.unchanged]
    return [row.crime_reference for row in sorted(rows, key=lambda row: row.line)]


@contextmanager
def imports_in_turn() -> Iterator[None]:
    """Says in words that another import took too long; open it around the transaction."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg2.errors.LockNotAvailable | psycopg2.errors.DeadlockDetected):
            # The cause is left out: its message quotes the statement, and so the rows.
            raise Refused(
                "Somebody else is saving these cases at this moment. Nothing was saved: try again."
            ) from None
        raise


def save_reading(reading: Reading, *, bcu: Bcu, by: User, at: datetime) -> Fates:
    """Saves what was read, inside the caller's transaction.

    Imports of one BCU take turns on its row, so that the second of two sees what the first saved. The lock
    leaves foreign keys to that row free: nobody else waits for it.
    """
    Bcu.objects.select_for_update(no_key=True).get(pk=bcu.pk)
    fates = foresee(reading, bcu=bcu, lock=True)
    _make(fates.new, bcu, at)
    _change(fates.changed, at)
    _record(fates, by)
    return fates


def _make(found: list[NewCase], bcu: Bcu, at: datetime) -> None:
    for chunk in chunks(found):
        # A reference that another BCU's import makes meanwhile is a conflict, not an error: the database
        # would log a failed statement with the texts in it.
        Case.objects.bulk_create(
            (
                Case(
                    bcu=bcu,
                    crime_reference=new.row.crime_reference,
                    ward_id=new.ward_id,
                    imported_at=at,
                    changed_at=at,
                    **{**_ASSUMED, **new.row.fields},
                )
                for new in chunk
            ),
            ignore_conflicts=True,
        )
        made = dict(
            Case.objects.filter(
                bcu=bcu, crime_reference__in=[new.row.crime_reference for new in chunk]
            ).values_list("crime_reference", "pk")
        )
        if len(made) != len(chunk):
            raise Refused(
                "Somebody else saved some of these reports meanwhile. Nothing was saved: try again."
            )
        PersonalText.objects.bulk_create(
            PersonalText(case_id=made[new.row.crime_reference], kind=kind, body=body, changed_at=at)
            for new in chunk
            for kind, body in new.row.texts.items()
            if body
        )


def _change(found: list[ChangedCase], at: datetime) -> None:
    for chunk in chunks(found):
        cases: list[Case] = []
        names = {"changed_at"}
        fresh: list[PersonalText] = []
        kept: list[PersonalText] = []
        for changed in chunk:
            for column in changed.columns:
                if column in TEXT_OF:
                    _set_text(changed, column, at, fresh, kept)
                else:
                    names.add(FIELD_OF[column])
                    setattr(changed.case, FIELD_OF[column], _value(changed, column))
            changed.case.changed_at = at
            cases.append(changed.case)
        Case.objects.bulk_update(cases, sorted(names))
        PersonalText.objects.bulk_create(fresh)
        PersonalText.objects.bulk_update(kept, ["body", "changed_at"])


def _value(changed: ChangedCase, column: Column) -> object:
    if column == Column.VICTIM_POSTCODE:
        return changed.ward_id
    return changed.row.fields[FIELD_OF[column]]


def _set_text(
    changed: ChangedCase, column: Column, at: datetime, fresh: list[PersonalText], kept: list[PersonalText]
) -> None:
    kind = TEXT_OF[column]
    body, text = changed.row.texts[kind], changed.texts.get(kind)
    if text is None:
        fresh.append(PersonalText(case=changed.case, kind=kind, body=body, changed_at=at))
    else:
        text.body, text.changed_at = body, at
        kept.append(text)


def _record(fates: Fates, by: User) -> None:
    """A row for what was made and one for what was changed; one without references for nothing."""
    made = [new.row.crime_reference for new in fates.new]
    changed = [changed.row.crime_reference for changed in fates.changed]
    if made or not changed:
        _record_import(by, made, set(Column) if made else set())
    if changed:
        _record_import(by, changed, {column for found in fates.changed for column in found.columns})


def _record_import(by: User, references: list[str], columns: set[Column]) -> None:
    record(
        Action.CASES_IMPORTED,
        by=by,
        purpose=Purpose.INTAKE,
        subject="case",
        references=references,
        fields={field_name(column) for column in columns},
    )
