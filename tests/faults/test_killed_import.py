"""A worker killed in the midst of a long import: nothing half saved, the page says so, the next completes.

The worker is held up in that moment by a lock of the test's, so the file need be no longer than three
batches; with ``script/test --thorough`` it has 200,000 rows.
"""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from referrals.intake.held.holding import hold_extract, save_extract
from referrals.intake.held.report import report_of
from referrals.intake.held.work import is_running, resume_work, rows_read_so_far
from referrals.intake.saving.staging import BATCH
from referrals.models import Bcu, Case, CaseImport, ImportStatus, PersonalText
from src_app.accounts.models import User
from tests.conftest import World
from tests.database import owner_rights
from tests.extracts import extract, row
from tests.patience import patience
from tests.process_tree import descendants, wait_for
from tests.thorough import repeated

ROOT = Path(__file__).resolve().parents[2]
ROWS = repeated(3 * BATCH - 1, 200_000)
# Any number that is no extract's.
HALT = 8_120_441

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("killed import")]


def _environment() -> dict[str, str]:
    """This test's own database and Redis, for a process of its own."""
    given = urlsplit(os.environ["DATABASE_URL"])
    address = given._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return {**os.environ, "DATABASE_URL": address, "REDIS_URL": settings.REDIS_URL, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    """Starts a real worker; whatever is left of them at the end is killed."""
    workers: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "celery", "-A", "src_app", "worker", "--concurrency", "1"]
        with open(tmp_path / "worker.log", "ab") as log:
            workers.append(
                subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=log, stderr=subprocess.STDOUT)
            )
        return workers[-1]

    yield start
    for worker in workers:
        if worker.poll() is None:
            kill(worker)


def kill(worker: "subprocess.Popen[bytes]") -> None:
    """SIGKILL for the worker and its pool, all at once."""
    family = descendants(worker.pid)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in (worker.pid, *(each.pid for each in family)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
    worker.wait(patience(60))


def status(held: CaseImport) -> str:
    return CaseImport.objects.values_list("status", flat=True).get(pk=held.pk)


def test_nothing_is_half_saved_the_page_says_so_and_a_second_run_completes(
    world: World,
    hcop: User,
    system: User,
    client_of: Callable[[User], Client],
    start_worker: Callable[[], Any],
) -> None:
    bcu = Bcu.objects.get(code="SW")
    content = extract(*(row(number) for number in range(ROWS)))
    held = hold_extract(key=uuid.uuid4(), content=content, bcu=bcu, by=hcop, at=timezone.now())
    page = reverse("import_preview", args=[held.pk])

    def page_after_it_was_killed() -> str:
        wait_for(lambda: not is_running(held.pk), "the database to notice")
        assert not Case.objects.exists()
        assert not PersonalText.objects.exists()
        return " ".join(client_of(hcop).get(page).content.decode().split())

    def completed(meanwhile: ImportStatus) -> None:
        """The sweep starts it again, and a worker completes it."""
        assert status(held) == meanwhile
        assert resume_work(by=system, at=timezone.now() + timedelta(minutes=2)) == 1
        worker = start_worker()
        wait_for(lambda: status(held) != meanwhile, "the second run", 600)
        kill(worker)

    with reading_halted(held) as until_a_batch_is_read:
        worker = start_worker()
        until_a_batch_is_read()
        kill(worker)
    said = page_after_it_was_killed()
    assert "Interrupted" in said
    assert "Nothing is saved. It starts again by itself" in said
    completed(ImportStatus.READING)
    held.refresh_from_db()
    assert (held.status, held.new, held.rejected) == (ImportStatus.WAITING, ROWS, 0)

    save_extract(import_id=held.pk, seen=report_of(held).digest, by=hcop, at=timezone.now())
    with inserts_halted():
        worker = start_worker()
        wait_for(inserts_cases, "its saving")
        kill(worker)
    said = page_after_it_was_killed()
    assert "Nothing is saved. It starts again by itself" in said
    completed(ImportStatus.SAVING)
    assert status(held) == ImportStatus.SAVED
    assert Case.objects.count() == ROWS
    assert PersonalText.objects.count() == 2 * ROWS


@contextmanager
def reading_halted(held: CaseImport) -> Iterator[Callable[[], None]]:
    """Whoever reads the extract waits meanwhile; returns what waits until a batch is read, and no more.

    For a batch the reader looks up postcodes, and after it the extract. So it is held up at the first, where
    it is known to be, until the second is locked too.
    """
    before_a_batch = connection.copy()
    before_a_batch.set_autocommit(False)
    with before_a_batch.cursor() as cursor:
        cursor.execute("RESET ROLE; LOCK TABLE referrals_postcode")

    def until_a_batch_is_read() -> None:
        wait_for(lambda: somebody_waits_for("referrals_postcode"), "its reading to begin")
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE referrals_caseimport")
        before_a_batch.rollback()
        wait_for(lambda: rows_read_so_far(held)[1] > 0, "a batch")
        assert rows_read_so_far(held)[1] < 1

    try:
        with transaction.atomic():
            yield until_a_batch_is_read
    finally:
        before_a_batch.close()


def somebody_waits_for(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = %s::regclass)", [table]
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def inserts_halted() -> Iterator[None]:
    """Whoever inserts cases waits meanwhile, with every row inserted."""
    with owner_rights(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                WHILE EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = {HALT}) LOOP
                    PERFORM pg_sleep(0.05);
                END LOOP;
                RETURN NULL;
            END $$;
            CREATE TRIGGER halt AFTER INSERT ON referrals_case EXECUTE FUNCTION halt();
            SELECT pg_advisory_lock({HALT});
            """
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [HALT])
        wait_for(lambda: not inserts_cases(), "the insertion to end")
        with owner_rights(), connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION halt CASCADE")


def inserts_cases() -> bool:
    """Whether somebody does at this moment."""
    with owner_rights(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' "
            "AND query LIKE '%%INSERT INTO referrals_case %%' AND pid <> pg_backend_pid())",
            [],
        )
        return bool(cursor.fetchone()[0])
