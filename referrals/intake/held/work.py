"""Reading and saving an extract that is held: at once for a short one, by a worker for a long one.

Whoever works on an extract holds an advisory lock on it, which ends with the connection: one at a time, and a
worker that died is known by it. What it had begun is one transaction, so nothing is half saved.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, transaction
from django.db.models import F

from referrals.intake.held.parts import (
    PartGone,
    content_of,
    drop_parts,
    hold_parts,
)
from referrals.intake.held.rejected import rejected_file
from referrals.intake.held.report import keep_report
from referrals.intake.saving.preview import MOST_SHOWN, ImportPreview
from referrals.intake.saving.save import Asked, import_cases, preview_cases
from referrals.models import WORKING, CaseImport, ImportStatus, PartKind
from referrals.table_files.read import SeveralSheets, Unmatched
from referrals.table_files.text import NotATable
from referrals.table_files.workbook import unpacked_size
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.busy import trouble_of
from src_app.database import advisory_key, is_advisory_lock_held, try_advisory_lock
from src_app.refused import Refused
from src_app.task_queue import send_task

log = structlog.get_logger()

MOST_ATTEMPTS = 3
# So long a task may lie in the queue before it is taken for lost.
LOST_AFTER = timedelta(seconds=60)
_MAY_BE_OLDER = (
    "It would change cases that were saved here after its last report: it may be an older extract, copied "
    "again. Nothing was saved: look, then save or discard it."
)
_CHANGED = "Some of these reports changed here meanwhile. Nothing was saved: look again."
_GIVEN_UP = {
    ImportStatus.READING: "Reading it was interrupted three times: upload it again, in smaller files.",
    ImportStatus.SAVING: "Saving was interrupted three times. Nothing was saved: save again, or discard it.",
}
_FAULT = "A fault of this system stopped it. Nothing was saved: tell the administrator, with the time."
_GIVEN_UP_UNSEEN = (
    "Saving it failed three times. Nothing was saved: put it in the folder again, or choose it here."
)


class Stopped(Exception):
    """Somebody discarded the extract, or it expired, while it was worked on."""


class _TooLong(Exception):
    """The extract has more rows, or unpacks to more, than somebody is to wait for."""


class _LookAgain(Exception):
    """The extract must not be saved before somebody looks at it; the text tells them why."""


def start_work(held: CaseImport, at: datetime) -> None:
    """Has the extract read or saved; call it outside any transaction."""
    if held.status not in WORKING:
        return
    if held.size <= settings.IMPORT_AT_ONCE_BYTES:
        try:
            work(import_id=held.pk, at=at, at_once=True)
        except _TooLong:
            CaseImport.objects.filter(pk=held.pk).update(attempts=F("attempts") - 1)
        else:
            held.refresh_from_db()
            return
    _tell_worker(held.pk)


def _tell_worker(import_id: UUID) -> None:
    """Asks a worker to start once this transaction is committed; where it cannot be asked, the sweep does."""
    task = "referrals.tasks.work_on_extract"
    transaction.on_commit(lambda: send_task(task, str(import_id)), robust=True)


def work(*, import_id: UUID, at: datetime, at_once: bool = False) -> None:
    """Reads the extract, or saves it, whichever it waits for; nothing where somebody else is at it.

    It acts for whoever uploaded or confirmed it. One of the watched folder that cannot be saved at this
    moment is left to the sweep, as nobody is there to try again. ``at_once``: somebody waits, and a file that
    turns out to be long is left as it was.
    """
    with try_advisory_lock(advisory_key(import_id)) as is_held:
        waiting = CaseImport.objects.filter(pk=import_id, status__in=WORKING)
        if not is_held or not waiting.update(attempts=F("attempts") + 1):
            return
        _tell_progress(import_id, 0, 0.0)
        held = waiting.select_related("bcu", "uploaded_by", "confirmed_by").first()
        if held is None:
            return
        try:
            if at_once and unpacked_size(content_of(held)) > settings.IMPORT_AT_ONCE_UNPACKED_BYTES:
                raise _TooLong
            if held.status == ImportStatus.SAVING:
                _save(held, _still_there(held.confirmed_by), at, at_once=at_once)
            else:
                _read(held, _still_there(held.uploaded_by), at, at_once=at_once)
        except (Stopped, PartGone):
            return
        except SeveralSheets as several:
            _put(held, ImportStatus.MATCHING, several.in_short, at)
        except Unmatched as unmatched:
            _put(held, ImportStatus.MATCHING, str(unmatched), at)
        except NotAllowed:
            why = "Whoever asked for this may no longer import: somebody else has to upload it."
            _give_up(held, why, at)
        except Refused as refused:
            if held.saved_unseen and not isinstance(refused, NotATable):
                # Somebody else's turn is no fault of the file's.
                waiting.update(attempts=F("attempts") - 1)
                return
            _give_up(held, str(refused), at)
        except Exception as error:
            if isinstance(error, _TooLong) or _may_pass(held, error):
                raise
            log.exception("a fault stopped the work on an extract")
            _give_up(held, _FAULT, at)


def _may_pass(held: CaseImport, error: Exception) -> bool:
    """Whether the next attempt may be luckier: the rows were read to their end before, or it is not they."""
    was_read = held.status == ImportStatus.SAVING and not held.saved_unseen
    return was_read or bool(trouble_of(error)) or isinstance(error, InterfaceError | OSError | MemoryError)


def resume_work(*, by: User, at: datetime) -> int:
    """The sweep: starts again, three times at most, what a dead worker or a lost task left; says how many."""
    check_authority(by, Permission.IMPORT_CASES)
    resumed = 0
    for held in CaseImport.objects.filter(status__in=WORKING, queued_at__lte=at - LOST_AFTER):
        if is_running(held.pk):
            continue
        if held.attempts >= MOST_ATTEMPTS:
            problem = _GIVEN_UP_UNSEEN if held.saved_unseen else _GIVEN_UP[ImportStatus(held.status)]
            _give_up(held, problem, at)
        elif CaseImport.objects.filter(pk=held.pk, queued_at=held.queued_at).update(queued_at=at):
            _tell_worker(held.pk)
            resumed += 1
    return resumed


def rows_read_so_far(held: CaseImport) -> tuple[int, float]:
    """Rows read so far, and the share of the file that they are, from 0 to 1."""
    rows, share = cache.get(_cached(held.pk), (0, 0.0))
    return rows, share


def _tell_progress(import_id: UUID, rows: int, share: float) -> None:
    """Notes the progress for the page."""
    cache.set(_cached(import_id), (rows, share), 3_600)


def is_running(import_id: UUID) -> bool:
    """Whether somebody works on the extract at this moment."""
    return is_advisory_lock_held(advisory_key(import_id))


def _cached(import_id: UUID) -> str:
    return f"import:{import_id}"


def _asked(held: CaseImport, settle: Callable[[ImportPreview], None], *, at_once: bool) -> Asked:
    def progress(rows: int, share: float) -> None:
        if at_once and rows >= settings.IMPORT_AT_ONCE_ROWS:
            raise _TooLong
        _tell_progress(held.pk, rows, share)
        if not CaseImport.objects.filter(pk=held.pk, status=held.status).exists():
            raise Stopped

    return {"sheet": held.sheet, "listed": MOST_SHOWN, "progress": progress, "settle": settle}


def _still_there(user: User | None) -> User:
    """The account that the work is done for; raises :class:`NotAllowed` if it was closed meanwhile."""
    if user is None or not (user.is_active or user.role == Role.SYSTEM):
        raise NotAllowed
    return user


def _read(held: CaseImport, by: User, at: datetime, *, at_once: bool, problem: str = "") -> None:
    content = content_of(held)

    def settle(preview: ImportPreview) -> None:
        _settle(held, ImportStatus.WAITING, preview, problem=problem, report_encrypted=keep_report(preview))
        hold_parts(held, PartKind.REJECTED, rejected_file(content, held))

    preview_cases(content=content, bcu=held.bcu, by=by, at=at, **_asked(held, settle, at_once=at_once))


def _save(held: CaseImport, by: User, at: datetime, *, at_once: bool) -> None:
    content = content_of(held)

    def settle(preview: ImportPreview) -> None:
        if held.saved_unseen and preview.may_be_older:
            raise _LookAgain(_MAY_BE_OLDER)
        if not held.saved_unseen and preview.digest != held.seen:
            raise _LookAgain(_CHANGED)
        hold_parts(held, PartKind.REJECTED, rejected_file(content, held))
        drop_parts(held, PartKind.CONTENT)
        # Nobody looked before it was saved: what there is to look at is kept for a day.
        unseen = keep_report(preview.with_warnings_only()) if held.saved_unseen and preview.warnings else None
        _settle(held, ImportStatus.SAVED, preview, settled_at=at, report_encrypted=unseen)

    try:
        import_cases(content=content, bcu=held.bcu, by=by, at=at, **_asked(held, settle, at_once=at_once))
    except _LookAgain as why:
        _put(held, ImportStatus.READING, str(why), at)
        held.status = ImportStatus.READING
        _read(held, by, at, at_once=at_once, problem=str(why))


def _settle(held: CaseImport, status: ImportStatus, preview: ImportPreview, **values: object) -> None:
    """Sets the extract's new status and counts; raises :class:`Stopped` if its status changed meanwhile."""
    counts = preview.counts()
    if not CaseImport.objects.filter(pk=held.pk, status=held.status).update(
        status=status, **counts, **values
    ):
        raise Stopped


def _put(held: CaseImport, status: ImportStatus, problem: str, at: datetime) -> None:
    CaseImport.objects.filter(pk=held.pk, status=held.status).update(
        status=status, problem=problem[:300], queued_at=at, attempts=0
    )


def _give_up(held: CaseImport, problem: str, at: datetime) -> None:
    """Lets an extract that could not be saved wait again, and deletes one that could not be read."""
    if held.status == ImportStatus.SAVING and not held.saved_unseen:
        _put(held, ImportStatus.WAITING, problem, at)
        return
    with transaction.atomic():
        if not CaseImport.objects.select_for_update().filter(pk=held.pk, status=held.status).exists():
            return
        drop_parts(held, *PartKind)
        CaseImport.objects.filter(pk=held.pk).update(
            status=ImportStatus.REFUSED, problem=problem[:300], settled_at=at, report_encrypted=None
        )
        record(Action.EXTRACT_DISCARDED, by=User.objects.system(), purpose=Purpose.INTAKE, subject="extract")
