"""The watched folder in bad luck: workers that die, files that cannot be moved, two looks at once."""

import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from structlog.testing import capture_logs

from referrals.intake.held import work
from referrals.intake.held.holding import hold_extract
from referrals.intake.watched import claims, folder
from referrals.intake.watched.folder import take_extracts
from referrals.models import Bcu, Case, CaseImport, ImportStatus
from src_app.accounts.models import User
from src_app.audit.models import Action
from src_app.audit.record import acting
from src_app.database import try_advisory_lock
from tests.extracts import extract, row
from tests.factories import NOW
from tests.patience import patience
from tests.referrals.intake.watched.folders import (
    A_DAY,
    CONTENT,
    MINUTE,
    Clock,
    audited,
    files,
)


def test_a_worker_that_dies_between_taking_and_importing_loses_nothing(
    put: Callable[..., Path], inbox: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(**_: Any) -> None:
        raise Killed

    put()
    with monkeypatch.context() as killed:
        killed.setattr(folder, "hold_extract", dies)
        with pytest.raises(Killed):
            clock.look(MINUTE)
    assert files(inbox / ".taken") == ["overnight.csv"]
    clock.look(MINUTE)
    assert clock.look(MINUTE) == 1
    assert CaseImport.objects.get().new == 2
    assert files(inbox / "done") == ["overnight.csv"]
    assert files(inbox / ".taken") == []


def test_a_file_whose_worker_died_days_ago_is_imported_and_not_deleted(
    put: Callable[..., Path], inbox: Path, clock: Clock
) -> None:
    claims.claim(put(), clock.at)
    (inbox / ".taken" / "20261101T000000Z-0badcafe").mkdir()
    clock.look(3 * A_DAY)
    assert files(inbox / ".taken") == ["overnight.csv"]
    assert clock.look(MINUTE) == 1
    assert CaseImport.objects.get().new == 2
    assert list((inbox / ".taken").iterdir()) == []


def test_a_worker_that_dies_between_importing_and_setting_aside_imports_once(
    put: Callable[..., Path], inbox: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    with monkeypatch.context() as killed:
        killed.setattr(claims, "set_aside", lambda *_: None)
        clock.look(MINUTE)
    clock.look(MINUTE)
    clock.look(MINUTE)
    assert CaseImport.objects.count() == 1
    assert audited().count(Action.CASES_IMPORTED) == 1
    assert files(inbox / "done") == ["overnight.csv"]


def test_a_file_written_to_while_it_is_read_is_imported_again_once_it_is_still(
    put: Callable[..., Path], inbox: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(extract(row(1), row(2)))
    writer = (inbox / "overnight.csv").open("ab")

    def goes_on(**asked: Any) -> CaseImport:
        held = hold_extract(**asked)
        writer.write(extract(row(9)).partition(b"\r\n")[2])
        writer.close()
        return held

    with monkeypatch.context() as going_on:
        going_on.setattr(folder, "hold_extract", goes_on)
        clock.look(MINUTE)
    assert Case.objects.count() == 2
    clock.look(MINUTE)
    assert clock.look(MINUTE) == 1
    assert Case.objects.count() == 3
    assert files(inbox / "done") == ["overnight.csv"]


def test_a_file_that_may_not_be_moved_stays_whole_and_is_told_once(
    put: Callable[..., Path], inbox: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError

    path = put()
    with monkeypatch.context() as denied, capture_logs() as logged:
        denied.setattr(Path, "rename", refused)
        for _ in range(3):
            assert clock.look(MINUTE) == 0
    assert path.read_bytes() == CONTENT
    assert list((inbox / ".taken").iterdir()) == []
    assert not CaseImport.objects.exists()
    assert [(line["log_level"], line["failed"]) for line in logged] == [("warning", 1)]
    assert clock.look(MINUTE) == 1


def test_one_file_that_fails_keeps_no_other_back_and_is_given_up_after_an_hour(
    put: Callable[..., Path], inbox: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**asked: Any) -> CaseImport:
        if asked["file_name"] == "a.csv":
            raise MemoryError
        return hold_extract(**asked)

    monkeypatch.setattr(folder, "hold_extract", fails)
    put(name="a.csv")
    put(extract(row(7)), name="b.csv")
    assert clock.look(MINUTE) == 1
    assert clock.look(30 * MINUTE) == 0
    assert not CaseImport.objects.filter(file_name="a.csv").exists()
    clock.look(30 * MINUTE)
    held = CaseImport.objects.get(file_name="a.csv")
    assert (held.status, "could not be taken in" in held.problem) == (ImportStatus.REFUSED, True)
    assert files(inbox / "refused") == ["a.csv"]
    assert files(inbox / "done") == ["b.csv"]


def test_a_file_that_meets_a_fault_of_this_system_is_refused_with_that_and_not_tried_again(
    put: Callable[..., Path], inbox: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: Any) -> None:
        [][0]

    monkeypatch.setattr(work, "import_cases", fails)
    put()
    clock.look(MINUTE)
    held = CaseImport.objects.get()
    assert held.status == ImportStatus.REFUSED
    assert held.problem == (
        "A fault of this system stopped it. Nothing was saved: tell the administrator, with the time."
    )
    assert files(inbox / "refused") == ["overnight.csv"]
    assert clock.look(MINUTE) == 0


def test_one_that_its_sender_takes_back_is_no_failure(
    put: Callable[..., Path], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put()
    claim = claims.claim

    def gone(*args: Any) -> Any:
        path.unlink()
        return claim(*args)

    monkeypatch.setattr(claims, "claim", gone)
    with capture_logs() as logged:
        assert clock.look(MINUTE) == 0
    assert logged == []


def test_a_folder_that_is_missing_is_told_once(settings: Any, tmp_path: Path, clock: Clock, bcu: Bcu) -> None:
    settings.EXTRACT_FOLDER = str(tmp_path / "missing")
    with capture_logs() as logged:
        assert [clock.look(MINUTE) for _ in range(3)] == [0, 0, 0]
    assert len(logged) == 1


def test_without_a_watched_folder_nothing_is_looked_at(
    settings: Any, clock: Clock, bcu: Bcu, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EXTRACT_FOLDER = ""
    monkeypatch.setattr(os, "scandir", lambda *_: pytest.fail("looked"))
    assert clock.look(MINUTE) == 0


@pytest.mark.django_db(transaction=True)
def test_while_one_looks_another_does_not(put: Callable[..., Path], system: User, clock: Clock) -> None:
    put()
    taken: list[int] = []

    def look() -> None:
        try:
            with acting("test", by=system):
                taken.append(take_extracts(by=system, at=NOW + MINUTE))
        finally:
            connection.close()

    with try_advisory_lock(folder._LOCK_KEY):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(patience(120))
    assert taken == [0]
    assert clock.look(MINUTE) == 1


@pytest.mark.django_db(transaction=True)
def test_two_that_look_at_once_import_once(
    put: Callable[..., Path], inbox: Path, system: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        put(extract(row(number)), name=f"{number}.csv")
    ready = threading.Barrier(2, timeout=patience(60))
    taken: list[int] = []

    def look(at: datetime) -> None:
        try:
            connection.ensure_connection()
            with acting("test", by=system):
                ready.wait()
                taken.append(take_extracts(by=system, at=at))
        finally:
            connection.close()

    threads = [threading.Thread(target=look, args=[NOW + MINUTE]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience(120))
    assert sum(taken) == 4
    assert CaseImport.objects.count() == 4
    assert audited().count(Action.CASES_IMPORTED) == 4
    assert files(inbox / "done") == ["0.csv", "1.csv", "2.csv", "3.csv"]
