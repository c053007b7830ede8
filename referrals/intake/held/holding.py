"""An extract between its arrival and its end: encrypted, a day at most, gone once it is settled."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import OperationalError, transaction

from referrals.intake.held.parts import (
    content_of,
    drop_parts,
    hold_parts,
    in_pieces,
)
from referrals.intake.held.work import start_work
from referrals.intake.reading.columns import REQUIRED, recogniser
from referrals.intake.reading.rows import shown
from referrals.intake.saving.save import check_scope
from referrals.models import (
    HELD,
    Bcu,
    CaseImport,
    HeadingMeaning,
    HeldPart,
    ImportSource,
    ImportStatus,
    PartKind,
)
from referrals.scope import imports_visible_to
from referrals.table_files.content import Content
from referrals.table_files.read import (
    SeveralSheets,
    Unmatched,
    find_columns,
    read_rows,
)
from referrals.table_files.text import NotATable
from referrals.table_files.workbook import unpacked_size
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.busy import SENT_AGAIN_WITHIN, Trouble, looked_up_by_key, trouble_of
from src_app.refused import Refused

_USED = "This page was used before: open Import again and choose the file once more."
GONE = {
    ImportStatus.DISCARDED: "This extract was discarded: upload it again if it is still to be saved.",
    ImportStatus.EXPIRED: "This extract was not confirmed within a day and is deleted: upload it again.",
    ImportStatus.REFUSED: "This extract could not be read and is deleted: mend it and upload it again.",
}


@looked_up_by_key
def hold_extract(
    *,
    key: uuid.UUID,
    content: bytes | Content,
    bcu: Bcu,
    by: User,
    at: datetime,
    file_name: str = "",
    source: ImportSource = ImportSource.PAGE,
) -> CaseImport:
    """Keeps an extract until it is confirmed; the same ``key`` again returns the first.

    A short file is read before this returns, a long one by a worker. From the watched folder it is saved
    without being confirmed. Where headings or sheet have to be chosen it waits for that. Raises
    :class:`~referrals.table_files.text.NotATable` for a file that cannot be read, and keeps nothing then.
    """
    check_scope(by, bcu)
    content = Content.of(content) if isinstance(content, bytes) else content
    found = source == ImportSource.FOLDER
    # What unpacks to much is opened by a worker, who says the same of it; in the folder's name one does this.
    is_opened = found or unpacked_size(content) <= settings.IMPORT_AT_ONCE_UNPACKED_BYTES
    problem = _to_choose(content, bcu) if is_opened else ""
    status = ImportStatus.SAVING if found else ImportStatus.READING
    wanted = CaseImport(
        key=key,
        bcu=bcu,
        source=source,
        file_name=shown(file_name)[:100],
        size=content.size,
        uploaded_by=by,
        uploaded_at=at,
        confirmed_by=by if found else None,
        status=ImportStatus.MATCHING if problem else status,
        problem=problem[:300],
        queued_at=at,
    )
    with transaction.atomic():
        CaseImport.objects.bulk_create([wanted], ignore_conflicts=True)
        held = CaseImport.objects.get(key=key)
        if held.uploaded_by_id != by.pk or held.bcu_id != bcu.pk:
            raise Refused(_USED)
        if held.pk != wanted.pk:
            if not _is_same_file(held, content, at):
                raise Refused(_USED)
        else:
            with content.open() as stream:
                hold_parts(held, PartKind.CONTENT, in_pieces(stream))
            record(Action.EXTRACT_UPLOADED, by=by, purpose=Purpose.INTAKE, subject="extract")
    # One that is found again may not have been started: its connection may have been lost before that.
    start_work(held, at)
    return held


def _is_same_file(held: CaseImport, content: Content, at: datetime) -> bool:
    """Whether it is the file that was held; where that is gone already, size and time have to say it.

    The folder's key is made of the content.
    """
    if held.size != content.size:
        return False
    if held.status not in HELD:
        return held.source == ImportSource.FOLDER or at - held.uploaded_at <= SENT_AGAIN_WITHIN
    with content.open() as one, content_of(held).open() as other:
        return all(piece == again for piece, again in zip(in_pieces(one), in_pieces(other), strict=False))


@looked_up_by_key
def note_refused(
    *, key: uuid.UUID, problem: str, bcu: Bcu, by: User, at: datetime, file_name: str, size: int
) -> CaseImport:
    """Says under Import why a file of the watched folder is not taken; nothing of its content is kept.

    The same ``key`` again returns the first.
    """
    check_scope(by, bcu)
    refused = CaseImport(
        key=key,
        bcu=bcu,
        source=ImportSource.FOLDER,
        file_name=shown(file_name)[:100],
        size=size,
        uploaded_by=by,
        uploaded_at=at,
        status=ImportStatus.REFUSED,
        problem=problem[:300],
        queued_at=at,
        settled_at=at,
    )
    with transaction.atomic():
        CaseImport.objects.bulk_create([refused], ignore_conflicts=True)
        noted = CaseImport.objects.get(key=key)
        if noted.pk == refused.pk:
            record(Action.EXTRACT_DISCARDED, by=by, purpose=Purpose.INTAKE, subject="extract")
    return noted


def _to_choose(content: Content, bcu: Bcu) -> str:
    """What a person has to say before the file can be read, in one sentence; empty if nothing."""
    column_of = recogniser(HeadingMeaning.of(bcu))
    try:
        with read_rows(content, column_of) as table:
            try:
                find_columns(table.headings, column_of, required=REQUIRED)
            except Unmatched as unmatched:
                if next(table.records, None) is None:
                    raise NotATable(str(unmatched)) from None
                return str(unmatched)
    except SeveralSheets as several:
        return several.in_short
    return ""


def save_extract(*, import_id: uuid.UUID, seen: str, by: User, at: datetime) -> CaseImport:
    """Has the good rows saved; ``seen`` is the digest of the preview on the page.

    A short file is saved before this returns, a long one by a worker. Where the preview has changed meanwhile
    nothing is saved, and it waits again with a sentence that says so. Once more changes nothing. Raises
    ``CaseImport.DoesNotExist`` for one that is not theirs, and :class:`Refused` for one that is gone.
    """
    check_authority(by, Permission.IMPORT_CASES)
    with transaction.atomic():
        held = locked(import_id, by, at)
        if held.status in (ImportStatus.SAVED, ImportStatus.SAVING):
            return held
        if held.status != ImportStatus.WAITING:
            raise Refused("This extract is not ready to be saved: open it under Import and look again.")
        held.status, held.seen, held.confirmed_by, held.problem = ImportStatus.SAVING, seen, by, ""
        held.queued_at, held.attempts = at, 0
        held.save(update_fields=["status", "seen", "confirmed_by", "problem", "queued_at", "attempts"])
        record(Action.EXTRACT_CONFIRMED, by=by, purpose=Purpose.INTAKE, subject="extract")
    start_work(held, at)
    return held


def discard_extract(*, import_id: uuid.UUID, by: User, at: datetime) -> None:
    """Deletes what is held of the extract, unsaved, and stops whoever reads or saves it.

    Raises :class:`Refused` for one that is saved already, or whose saving can no longer be stopped.
    """
    check_authority(by, Permission.IMPORT_CASES)
    try:
        with transaction.atomic():
            held = imports_visible_to(by).select_for_update(of=("self",), nowait=True).get(pk=import_id)
            if held.status == ImportStatus.SAVED:
                raise Refused("This extract was saved already: its cases are in the overnight review.")
            if held.status not in HELD:
                return
            drop_parts(held, *PartKind)
            held.status, held.settled_at, held.report_encrypted = ImportStatus.DISCARDED, at, None
            held.save(update_fields=["status", "settled_at", "report_encrypted"])
            record(Action.EXTRACT_DISCARDED, by=by, purpose=Purpose.INTAKE, subject="extract")
    except OperationalError as error:
        if trouble_of(error) is Trouble.BUSY:
            raise Refused(
                "Somebody else is at it at this moment, so that it cannot be stopped: look again soon."
            ) from None
        raise


def delete_expired_extracts(*, by: User, at: datetime) -> int:
    """Deletes what has been held for a day; returns how many extracts were given up unsaved."""
    check_authority(by, Permission.IMPORT_CASES)
    until = at - settings.WAITING_EXTRACT_KEPT_FOR
    with transaction.atomic():
        waiting = CaseImport.objects.filter(status__in=HELD, uploaded_at__lte=until)
        # One that is being saved this moment is left to its worker.
        expired = list(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True))
        HeldPart.objects.filter(extract__in=expired).delete()
        HeldPart.objects.filter(extract__settled_at__isnull=False, extract__uploaded_at__lte=until).delete()
        settled = CaseImport.objects.filter(settled_at__isnull=False, uploaded_at__lte=until)
        settled.filter(report_encrypted__isnull=False).update(report_encrypted=None)
        CaseImport.objects.filter(pk__in=expired).update(
            status=ImportStatus.EXPIRED, report_encrypted=None, settled_at=at
        )
        if expired:
            record(Action.EXTRACT_DISCARDED, by=by, purpose=Purpose.INTAKE, subject="extract")
    return len(expired)


def locked(import_id: uuid.UUID, by: User, at: datetime) -> CaseImport:
    """The extract under its row lock; raises :class:`Refused` for one that is gone, by its hour too.

    The sweep comes every so often; an extract is too old from its hour on.
    """
    held = imports_visible_to(by).select_related("bcu").select_for_update(of=("self",)).get(pk=import_id)
    status = ImportStatus(held.status)
    if status in HELD and held.kept_until <= at:
        status = ImportStatus.EXPIRED
    if status in GONE:
        raise Refused(GONE[status])
    return held
