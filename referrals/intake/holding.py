"""An uploaded extract between upload and confirmation: encrypted, a day at most, gone once it is settled."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from referrals.actions import Refused
from referrals.intake.fates import Fates, foresee
from referrals.intake.read import read_table
from referrals.intake.rows import read_extract
from referrals.intake.save import check_scope, imports_in_turn, preview_cases, save_reading
from referrals.models import Bcu, CaseImport, ImportStatus
from referrals.queries import imports_visible_to
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.keys import WrongKey, decrypt_extract, encrypt_extract

_GONE = {
    ImportStatus.DISCARDED: "This extract was discarded: upload it again if it is still to be saved.",
    ImportStatus.EXPIRED: "This extract was not confirmed within a day and is deleted: upload it again.",
}


@dataclass(frozen=True)
class Saved:
    """What came of saving; ``now`` is false where it was saved before."""

    settled: CaseImport
    now: bool


class LookAgain(Refused):
    """What would be saved is not what was on the page."""


def hold_extract(*, key: UUID, content: bytes, bcu: Bcu, by: User, at: datetime) -> CaseImport:
    """Keeps an uploaded extract until it is confirmed; the same ``key`` again returns the first.

    Raises :class:`~referrals.intake.text.NotATable` for a file that cannot be read, and keeps nothing then.
    """
    check_scope(by, bcu)
    fates = foresee(read_extract(content, at=at), bcu=bcu)
    wanted = CaseImport(
        key=key,
        bcu=bcu,
        uploaded_by=by,
        uploaded_at=at,
        content_encrypted=encrypt_extract(content),
        **fates.counts(),
    )
    with transaction.atomic():
        CaseImport.objects.bulk_create([wanted], ignore_conflicts=True)
        held = CaseImport.objects.get(key=key)
        if held.uploaded_by_id != by.pk or held.bcu_id != bcu.pk:
            raise Refused("This page was used before: open Import again and choose the file once more.")
        if held.pk == wanted.pk:
            record(Action.EXTRACT_UPLOADED, by=by, purpose=Purpose.INTAKE, subject="extract")
    return held


def preview_extract(*, held: CaseImport, by: User, at: datetime) -> Fates:
    """Every row's fate as of now; raises :class:`Refused` for an extract that is settled or too old."""
    return preview_cases(content=_content(held, at), bcu=held.bcu, by=by, at=at)


def rejected_rows(*, held: CaseImport, by: User, at: datetime) -> list[list[str]]:
    """The rejected rows as they were sent, under the sender's headings, each after its reasons.

    Mended they can be imported as they are: a column named reason is not used. A row whose quoting is broken
    has its reasons alone. Raises :class:`Refused` for an extract that is settled or too old.
    """
    content = _content(held, at)
    table = read_table(content)
    headings = {column.value: table.headings[place] for column, place in table.columns.items()}
    reasons: dict[int, list[str]] = {}
    for rejection in preview_cases(content=content, bcu=held.bcu, by=by, at=at).rejections:
        column = f"{headings.get(rejection.column, rejection.column)}: " if rejection.column else ""
        reasons.setdefault(rejection.line, []).append(f"Line {rejection.line}: {column}{rejection.reason}")
    rows = [["reason", *table.headings]]
    rows.extend(
        [" ".join(reasons[row.line]), *(row.cells or [])] for row in table.records if row.line in reasons
    )
    record(Action.DOWNLOADED, by=by, purpose=Purpose.INTAKE, subject="extract", fields=["rejected rows"])
    return rows


def save_extract(*, import_id: UUID, seen: str, by: User, at: datetime) -> Saved:
    """Saves the good rows, their fates worked out afresh; ``seen`` is the digest of those on the page.

    Saving it once more changes nothing and returns what came of it. Raises ``CaseImport.DoesNotExist`` for
    one that is not theirs, :class:`LookAgain` where the fates have changed meanwhile, and :class:`Refused`
    for one that was discarded or expired.
    """
    check_authority(by, Permission.IMPORT_CASES)
    held = _visible(by).get(pk=import_id)
    if held.status == ImportStatus.SAVED:
        return Saved(held, now=False)
    reading = read_extract(_content(held, at), at=at)
    with imports_in_turn(), transaction.atomic():
        held = _visible(by).select_for_update(of=("self",)).get(pk=import_id)
        if held.status == ImportStatus.SAVED:
            return Saved(held, now=False)
        _refuse_settled(held, at)
        fates = save_reading(reading, bcu=held.bcu, by=by, at=at)
        if fates.digest() != seen:
            raise LookAgain("Some of these reports changed here meanwhile. Nothing was saved: look again.")
        for name, count in fates.counts().items():
            setattr(held, name, count)
        _settle(held, ImportStatus.SAVED, at, *fates.counts())
    return Saved(held, now=True)


def discard_extract(*, import_id: UUID, by: User, at: datetime) -> None:
    """Deletes the extract's content unsaved; raises :class:`Refused` for one that is saved already."""
    check_authority(by, Permission.IMPORT_CASES)
    with transaction.atomic():
        held = _visible(by).select_for_update(of=("self",)).get(pk=import_id)
        if held.status == ImportStatus.SAVED:
            raise Refused("This extract was saved already: its cases are in the overnight review.")
        if held.status != ImportStatus.WAITING:
            return
        _settle(held, ImportStatus.DISCARDED, at)
        record(Action.EXTRACT_DISCARDED, by=by, purpose=Purpose.INTAKE, subject="extract")


def delete_expired_extracts(*, by: User, at: datetime) -> int:
    """Deletes what was not confirmed within a day; returns how many extracts that were."""
    check_authority(by, Permission.IMPORT_CASES)
    with transaction.atomic():
        expired = CaseImport.objects.filter(
            status=ImportStatus.WAITING, uploaded_at__lte=at - settings.WAITING_EXTRACT_KEPT_FOR
        ).update(status=ImportStatus.EXPIRED, content_encrypted=None, settled_at=at)
        if expired:
            record(Action.EXTRACT_DISCARDED, by=by, purpose=Purpose.INTAKE, subject="extract")
    return expired


def _visible(by: User) -> QuerySet[CaseImport]:
    return imports_visible_to(by).select_related("bcu")


def _content(held: CaseImport, at: datetime) -> bytes:
    _refuse_settled(held, at)
    try:
        return decrypt_extract(bytes(held.content_encrypted or b""))
    except WrongKey:
        raise Refused("This extract can no longer be opened: upload it again.") from None


def _refuse_settled(held: CaseImport, at: datetime) -> None:
    """The sweep comes every so often; an extract is too old from its hour on."""
    status = ImportStatus(held.status)
    if status == ImportStatus.WAITING and held.uploaded_at + settings.WAITING_EXTRACT_KEPT_FOR <= at:
        status = ImportStatus.EXPIRED
    if status in _GONE:
        raise Refused(_GONE[status])


def _settle(held: CaseImport, status: ImportStatus, at: datetime, *counted: str) -> None:
    held.status, held.settled_at, held.content_encrypted = status, at, None
    held.save(update_fields=["status", "settled_at", "content_encrypted", *counted])
