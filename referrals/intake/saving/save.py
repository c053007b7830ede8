"""Saving an extract: the good rows in one transaction, or nothing."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import OperationalError, connection, transaction

from referrals.crime_record.actions.follow import follow_crime_record
from referrals.intake.reading.columns import Column, Meanings, field_name
from referrals.intake.reading.rows import open_extract
from referrals.intake.saving import merging
from referrals.intake.saving.preview import ImportPreview, make_preview, references
from referrals.intake.saving.staging import ReportProgress, Staging, staged
from referrals.models import Bcu, HeadingMeaning, StrandMeaning
from referrals.scope import bcus_to_import_for
from referrals.table_files.content import Content
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.busy import Trouble, trouble_of
from src_app.refused import Refused


class Asked(TypedDict, total=False):
    """What an import can be given besides its content, its BCU, who asks and when.

    ``sheet`` names the sheet to read, where several of a workbook hold reports. ``meanings`` says which
    column each heading means; without it, what was saved for the BCU's headings counts. ``listed`` limits how
    many rejections, and how many warnings, are returned. ``settle`` is called with the preview, inside the
    transaction and before anything is saved: whatever it raises undoes everything. ``progress`` is called
    after every batch of rows that was read.
    """

    sheet: str
    meanings: Meanings
    listed: int
    settle: Callable[[ImportPreview], None]
    progress: ReportProgress


def preview_cases(
    *, content: bytes | Content, bcu: Bcu, by: User, at: datetime, **asked: Unpack[Asked]
) -> ImportPreview:
    """Returns what would become of every row, and saves nothing.

    It is recorded as a consultation, since it tells which reports are in the system.

    Raises :class:`~referrals.table_files.text.NotATable`.
    """
    with _staged(content, bcu, by, at, asked) as staging, _unhurried():
        preview = make_preview(staging, bcu=bcu, listed=asked.get("listed"))
        if settle := asked.get("settle"):
            settle(preview)
        for chunk in references():
            record(Action.LIST_SHOWN, by=by, purpose=Purpose.INTAKE, subject="extract", references=chunk)
    return preview


def import_cases(
    *, content: bytes | Content, bcu: Bcu, by: User, at: datetime, **asked: Unpack[Asked]
) -> ImportPreview:
    """Saves the good rows and returns what became of every row; the same file again changes nothing.

    Raises :class:`~referrals.table_files.text.NotATable`, and :class:`Refused` when another import is
    in the way.
    Imports of one BCU take turns on its row, so that the second of two sees what the first saved; the lock
    leaves foreign keys to that row free: nobody else waits for it.
    """
    with _staged(content, bcu, by, at, asked) as staging, _in_turn(), _unhurried():
        Bcu.objects.select_for_update(no_key=True).get(pk=bcu.pk)
        preview = make_preview(staging, bcu=bcu, lock=True, listed=asked.get("listed"))
        if settle := asked.get("settle"):
            settle(preview)
        if preview.new:
            merging.make(staging, preview.new, bcu=bcu, at=at)
        if preview.changed:
            merging.change(staging, at=at)
            follow_crime_record(changed=merging.changes_of_decided(), by=by, at=at)
        _record(preview, by)
    return preview


def check_scope(by: User, bcu: Bcu) -> None:
    """Raises :class:`NotAllowed` unless the account may import for this BCU."""
    check_authority(by, Permission.IMPORT_CASES)
    if not bcus_to_import_for(by).filter(pk=bcu.pk).exists():
        raise NotAllowed


@contextmanager
def _staged(content: bytes | Content, bcu: Bcu, by: User, at: datetime, asked: Asked) -> Iterator[Staging]:
    check_scope(by, bcu)
    opened = open_extract(
        Content.of(content) if isinstance(content, bytes) else content,
        at=at,
        meanings=asked["meanings"] if "meanings" in asked else HeadingMeaning.of(bcu),
        strand_words=StrandMeaning.of(bcu),
        sheet=asked.get("sheet", ""),
    )
    with opened as extract, staged(extract, bcu=bcu, progress=asked.get("progress")) as staging:
        yield staging


@contextmanager
def _unhurried() -> Iterator[None]:
    """A transaction whose statements may take longer than any page's."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
        yield


@contextmanager
def _in_turn() -> Iterator[None]:
    """Turns a wait for another import that took too long into :class:`Refused`; wraps the transaction."""
    try:
        yield
    except OperationalError as error:
        if trouble_of(error) is Trouble.BUSY:
            # The cause is left out: its message quotes the statement, and so the rows.
            raise Refused(Trouble.BUSY.sentence) from None
        raise


def _record(preview: ImportPreview, by: User) -> None:
    """Writes audit rows for the cases made and for those changed, or one without references for none."""
    if preview.new or not preview.changed:
        _record_import(by, "new", set(map(field_name, Column)) if preview.new else set())
    if preview.changed:
        _record_import(by, "changed", merging.fields_changed())


def _record_import(by: User, kind: str, fields: Collection[str]) -> None:
    for chunk in references(kind):
        record(
            Action.CASES_IMPORTED,
            by=by,
            purpose=Purpose.INTAKE,
            subject="case",
            references=chunk,
            fields=fields,
        )
