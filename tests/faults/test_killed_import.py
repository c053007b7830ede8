"""A worker killed in the midst of a long import: nothing half saved, the page says so, the next completes."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from referrals.intake.held.holding import hold_extract, save_extract
from referrals.intake.held.report import report_of
from referrals.intake.held.work import is_running, progress_of, resume_work
from referrals.models import Bcu, Case, CaseImport, ImportStatus, PersonalText
from src_app.accounts.models import User
from tests.conftest import World
from tests.extracts import extract, row
from tests.process_tree import descendants, wait_for

ROOT = Path(__file__).resolve().parents[2]
ROWS = 200_000

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
    for pid in (worker.pid, *(each.pid for each in family)):
        os.kill(pid, signal.SIGSTOP)
    for pid in (worker.pid, *(each.pid for each in family)):
        os.kill(pid, signal.SIGKILL)
    worker.wait(30)


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
    page = reverse("import_fates", args=[held.pk])

    def killed_while(reached: Callable[[], bool], what: str) -> str:
        """What the page says once the worker was killed in that moment."""
        worker = start_worker()
        wait_for(reached, what)
        kill(worker)
        wait_for(lambda: not is_running(held.pk), "the database to notice", 120)
        assert not Case.objects.exists()
        assert not PersonalText.objects.exists()
        return " ".join(client_of(hcop).get(page).content.decode().split())

    def completed(meanwhile: ImportStatus) -> None:
        """The sweep starts it again, and a worker completes it."""
        assert status(held) == meanwhile
        assert resume_work(by=system, at=timezone.now() + timedelta(minutes=2)) == 1
        worker = start_worker()
        wait_for(lambda: status(held) != meanwhile, "the second run", 240)
        kill(worker)

    said = killed_while(lambda: 0 < progress_of(held)[1] < 1, "its reading")
    assert "Interrupted" in said
    assert "Nothing is saved. It starts again by itself" in said
    completed(ImportStatus.READING)
    held.refresh_from_db()
    assert (held.status, held.new, held.rejected) == (ImportStatus.WAITING, ROWS, 0)

    save_extract(import_id=held.pk, seen=report_of(held).digest, by=hcop, at=timezone.now())
    said = killed_while(_inserts_cases, "its saving")
    assert "Nothing is saved. It starts again by itself" in said
    completed(ImportStatus.SAVING)
    assert status(held) == ImportStatus.SAVED
    assert Case.objects.count() == ROWS
    assert PersonalText.objects.count() == 2 * ROWS


def _inserts_cases() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' "
            "AND query LIKE '%%INSERT INTO referrals_case %%' AND pid <> pg_backend_pid())",
            [],
        )
        return bool(cursor.fetchone()[0])
