"""Long extracts: read and saved by a worker, left and found again, stopped, interrupted."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import InterfaceError, connection
from structlog.testing import capture_logs

from referrals.intake.held import work
from referrals.intake.held.holding import discard_extract, hold_extract, save_extract
from referrals.intake.held.report import report_of
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case, CaseImport, HeldPart, ImportStatus
from referrals.table_files import workbook
from referrals.tasks import resume_extracts, work_on_extract
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.database import advisory_key, try_advisory_lock
from src_app.refused import Refused
from tests.extracts import extract, row
from tests.factories import NOW
from tests.patience import patience
from tests.workbooks import xlsx

CONTENT = extract(row(1), row(2), row(3, reported_at="never"))
LATER = NOW + timedelta(minutes=2)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The extracts a worker was told of, instead of telling it."""
    told: list[str] = []
    monkeypatch.setattr(work, "_tell_worker", lambda import_id: told.append(str(import_id)))
    return told


@pytest.fixture
def held(bcu: Bcu, hcop: User, settings: Any, sent: list[str]) -> CaseImport:
    """An extract that is longer than what is read at once."""
    settings.IMPORT_AT_ONCE_BYTES = 0
    return hold_extract(key=uuid.uuid4(), content=CONTENT, bcu=bcu, by=hcop, at=NOW)


def status(held: CaseImport) -> str:
    return CaseImport.objects.values_list("status", flat=True).get(pk=held.pk)


def read(held: CaseImport) -> CaseImport:
    """As a worker reads it."""
    work.work(import_id=held.pk, at=NOW)
    held.refresh_from_db()
    return held


def to_save(held: CaseImport, by: User) -> CaseImport:
    """Read, and confirmed."""
    return save_extract(import_id=held.pk, seen=report_of(read(held)).digest, by=by, at=NOW)


def test_a_long_extract_is_left_to_a_worker(held: CaseImport, sent: list[str]) -> None:
    assert sent == [str(held.pk)]
    assert (status(held), held.rows) == (ImportStatus.READING, 0)
    read(held)
    assert (held.status, held.rows, held.new, held.rejected) == (ImportStatus.WAITING, 3, 2, 1)


def test_it_is_saved_by_a_worker_for_whoever_confirmed_it(
    held: CaseImport, sent: list[str], other_hcop: User
) -> None:
    to_save(held, other_hcop)
    assert (status(held), len(sent)) == (ImportStatus.SAVING, 2)
    assert not Case.objects.exists()
    work_on_extract(str(held.pk))
    assert status(held) == ImportStatus.SAVED
    assert Case.objects.count() == 2
    entry = AuditEntry.objects.get(action=Action.CASES_IMPORTED)
    assert (entry.actor, entry.origin) == (other_hcop, "task work_on_extract")


def test_a_task_that_comes_twice_saves_once(held: CaseImport, hcop: User) -> None:
    to_save(held, hcop)
    work_on_extract(str(held.pk))
    work_on_extract(str(held.pk))
    assert AuditEntry.objects.filter(action=Action.CASES_IMPORTED).count() == 1


def test_how_far_it_has_come_is_told_batch_by_batch(
    held: CaseImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, float]] = []
    monkeypatch.setattr("referrals.intake.saving.staging.BATCH", 1)
    monkeypatch.setattr(cache, "set", lambda *values: told.append(values[1]))
    read(held)
    assert [rows for rows, _ in told] == [0, 1, 2, 3]
    assert told[-1][1] == 1.0


def test_what_the_worker_told_is_on_the_page(held: CaseImport) -> None:
    assert work.rows_read_so_far(held) == (0, 0.0)
    read(held)
    assert work.rows_read_so_far(held) == (3, 1.0)


def test_one_that_is_discarded_while_it_is_read_is_dropped(
    held: CaseImport, hcop: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def discards(_key: str, progress: tuple[int, float], _timeout: int) -> None:
        if progress[0]:
            discard_extract(import_id=held.pk, by=hcop, at=NOW)

    monkeypatch.setattr(cache, "set", discards)
    work.work(import_id=held.pk, at=NOW)
    assert status(held) == ImportStatus.DISCARDED
    assert not HeldPart.objects.exists()


def test_one_that_is_discarded_while_its_rows_are_read_for_saving_saves_nothing(
    held: CaseImport, hcop: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_save(held, hcop)

    def discards(_key: str, progress: tuple[int, float], _timeout: int) -> None:
        if progress[0]:
            discard_extract(import_id=held.pk, by=hcop, at=NOW)

    monkeypatch.setattr(cache, "set", discards)
    work.work(import_id=held.pk, at=NOW)
    assert status(held) == ImportStatus.DISCARDED
    assert not Case.objects.exists()


def test_a_task_that_was_lost_is_sent_again_by_the_sweep(
    held: CaseImport, sent: list[str], system: User
) -> None:
    assert work.resume_work(by=system, at=NOW + timedelta(seconds=30)) == 0
    assert work.resume_work(by=system, at=LATER) == 1
    assert sent == [str(held.pk)] * 2
    assert work.resume_work(by=system, at=LATER) == 0


def test_reading_that_was_interrupted_three_times_is_given_up_with_a_sentence(
    held: CaseImport, system: User
) -> None:
    CaseImport.objects.update(attempts=3)
    assert work.resume_work(by=system, at=LATER) == 0
    held.refresh_from_db()
    assert (held.status, held.settled_at) == (ImportStatus.REFUSED, LATER)
    assert "in smaller files" in held.problem
    assert not HeldPart.objects.exists()


def test_saving_that_was_interrupted_three_times_waits_to_be_confirmed_again(
    held: CaseImport, hcop: User, system: User
) -> None:
    to_save(held, hcop)
    CaseImport.objects.update(attempts=3)
    work.resume_work(by=system, at=LATER)
    held.refresh_from_db()
    assert (held.status, "Nothing was saved" in held.problem) == (ImportStatus.WAITING, True)
    again = save_extract(import_id=held.pk, seen=report_of(held).digest, by=hcop, at=LATER)
    work.work(import_id=again.pk, at=LATER)
    assert Case.objects.count() == 2


def test_a_fault_of_this_system_in_reading_is_called_one_and_the_log_has_it(
    held: CaseImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: Any) -> None:
        [][0]

    monkeypatch.setattr(work, "preview_cases", fails)
    with capture_logs() as logged:
        read(held)
    assert (held.status, held.problem.startswith("A fault of this system")) == (ImportStatus.REFUSED, True)
    assert [(line["log_level"], line["exc_info"]) for line in logged] == [("error", True)]


@pytest.mark.parametrize("error", [OSError, MemoryError, InterfaceError])
def test_what_may_pass_by_itself_is_tried_again(
    held: CaseImport, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fails(**_: Any) -> None:
        raise error

    with monkeypatch.context() as unlucky:
        unlucky.setattr(work, "preview_cases", fails)
        with pytest.raises(error):
            read(held)
    assert status(held) == ImportStatus.READING
    assert read(held).status == ImportStatus.WAITING


def test_a_file_that_cannot_be_read_to_its_end_says_why_and_is_deleted(
    bcu: Bcu, hcop: User, settings: Any, sent: list[str]
) -> None:
    settings.IMPORT_AT_ONCE_BYTES = 0
    content = CONTENT + b'01/7300009/26,"22/11/2026 18:07\r\n'
    held = read(hold_extract(key=uuid.uuid4(), content=content, bcu=bcu, by=hcop, at=NOW))
    assert (held.status, held.settled_at) == (ImportStatus.REFUSED, NOW)
    assert held.problem == (
        "A quotation mark in the row that starts on line 5 is never closed: close it and try again."
    )
    assert not HeldPart.objects.exists()


def test_whoever_may_no_longer_import_saves_nothing(held: CaseImport, hcop: User) -> None:
    to_save(held, hcop)
    User.objects.filter(pk=hcop.pk).update(is_active=False)
    work.work(import_id=held.pk, at=NOW)
    held.refresh_from_db()
    assert (held.status, "may no longer import" in held.problem) == (ImportStatus.WAITING, True)
    assert not Case.objects.exists()


def test_the_sweep_acts_as_this_system(held: CaseImport, sent: list[str]) -> None:
    CaseImport.objects.update(queued_at=NOW - timedelta(days=400))
    resume_extracts()
    assert len(sent) == 2


@pytest.fixture
def elsewhere() -> Callable[[Callable[[], Any]], Any]:
    """Does something in a connection of its own."""

    def do(call: Callable[[], Any]) -> Any:
        results: list[Any] = []

        def run() -> None:
            try:
                with acting("test", by=None):
                    results.append(call())
            except Exception as error:  # noqa: BLE001 - the test looks at it
                results.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(patience(120))
        return results[0]

    return do


@pytest.mark.django_db(transaction=True)
def test_one_works_on_it_at_a_time_and_the_page_knows(
    held: CaseImport, elsewhere: Callable[[Callable[[], Any]], Any], system: User
) -> None:
    assert not work.is_running(held.pk)
    with try_advisory_lock(advisory_key(held.pk)) as is_held:
        assert is_held
        assert elsewhere(lambda: work.is_running(held.pk))
        elsewhere(lambda: work.work(import_id=held.pk, at=NOW))
        assert status(held) == ImportStatus.READING
        assert elsewhere(lambda: work.resume_work(by=system, at=LATER)) == 0
    assert not work.is_running(held.pk)
    read(held)
    assert status(held) == ImportStatus.WAITING


@pytest.mark.django_db(transaction=True)
def test_what_is_being_saved_this_moment_cannot_be_stopped(
    held: CaseImport,
    hcop: User,
    elsewhere: Callable[[Callable[[], Any]], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    to_save(held, hcop)
    answers = []
    made = import_cases

    def stopped_too_late(**asked: Any) -> Any:
        settle = asked.pop("settle")

        def settle_then_be_asked_to_stop(preview: Any) -> None:
            settle(preview)
            answers.append(elsewhere(lambda: discard_extract(import_id=held.pk, by=hcop, at=NOW)))

        return made(**asked, settle=settle_then_be_asked_to_stop)

    monkeypatch.setattr(work, "import_cases", stopped_too_late)
    work.work(import_id=held.pk, at=NOW)
    assert isinstance(answers[0], Refused)
    assert "cannot be stopped" in str(answers[0])
    assert status(held) == ImportStatus.SAVED


def test_a_small_file_of_many_rows_is_left_to_a_worker(bcu: Bcu, hcop: User, sent: list[str]) -> None:
    """100,000 rows of three characters held a request for 25 seconds."""
    content = b"crime_reference,reported_at\r\n" + b"a,b\r\n" * 6_000
    held = hold_extract(key=uuid.uuid4(), content=content, bcu=bcu, by=hcop, at=NOW)
    held.refresh_from_db()
    assert (held.status, held.attempts, held.report_encrypted) == (ImportStatus.READING, 0, None)
    assert sent == [str(held.pk)]
    assert read(held).rejected == 6_000


def test_a_small_spreadsheet_that_unpacks_to_much_is_left_to_a_worker(
    bcu: Bcu, hcop: User, sent: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of 0.5 MB that unpacks to 150 MB held a request for 52 seconds: it is not even opened there."""
    content = xlsx(A=[["Crime No", "Reported"], ["01/7300001/26", "22/11/2026 18:07"], ["x" * 30_000] * 2])
    settings.IMPORT_AT_ONCE_UNPACKED_BYTES = 60_000
    with monkeypatch.context() as nobody:
        nobody.setattr(workbook, "_read", lambda *_: pytest.fail("it was opened"))
        held = hold_extract(key=uuid.uuid4(), content=content, bcu=bcu, by=hcop, at=NOW)
        assert (status(held), sent) == (ImportStatus.READING, [str(held.pk)])
    assert (read(held).rows, held.rejected) == (2, 1)
    again = save_extract(import_id=held.pk, seen=report_of(held).digest, by=hcop, at=NOW)
    assert (again.status, sent) == (ImportStatus.SAVING, [str(held.pk)] * 2)


def test_a_spreadsheet_made_to_fill_the_memory_is_refused_by_the_worker_too(
    bcu: Bcu, hcop: User, sent: list[str], settings: Any
) -> None:
    settings.IMPORT_AT_ONCE_UNPACKED_BYTES = 60_000
    content = xlsx(A=[["Crime No", "Reported"], ["01/7300001/26", "x" * 200_000]])
    held = hold_extract(key=uuid.uuid4(), content=content, bcu=bcu, by=hcop, at=NOW)
    settings.MAX_UPLOAD_BYTES = len(content)
    assert (read(held).status, "too large" in held.problem) == (ImportStatus.REFUSED, True)
