"""The watched folder: what is taken, what is left, and where the files go."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from structlog.testing import capture_logs

from referrals.intake.held import work
from referrals.intake.held.holding import delete_expired_extracts, discard_extract
from referrals.intake.held.report import report_of
from referrals.intake.held.work import resume_work
from referrals.intake.watched import claims
from referrals.intake.watched.finished import opened, stamp_of
from referrals.intake.watched.folder import take_extracts
from referrals.models import (
    Bcu,
    Case,
    CaseImport,
    HeldPart,
    ImportSource,
    ImportStatus,
    PartKind,
    PersonalText,
)
from referrals.tasks import take_extracts as task
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests import workbooks
from tests.conftest import World
from tests.extracts import SPREADSHEET, extract, row
from tests.factories import NOW
from tests.referrals.intake.watched.folders import (
    A_DAY,
    CONTENT,
    MINUTE,
    SECOND,
    Clock,
    audited,
    files,
)


def test_a_finished_file_is_imported_and_moved_aside(
    put: Callable[..., Path], inbox: Path, clock: Clock, bcu: Bcu, system: User
) -> None:
    path = put()
    assert clock.look(MINUTE) == 1
    held = CaseImport.objects.get()
    assert (held.status, held.source, held.bcu) == (ImportStatus.SAVED, ImportSource.FOLDER, bcu)
    assert (held.new, held.rejected, held.file_name) == (2, 1, "overnight.csv")
    assert (held.uploaded_by, held.confirmed_by, held.saved_unseen) == (system, system, True)
    assert Case.objects.count() == 2
    assert HeldPart.objects.filter(extract=held, kind=PartKind.REJECTED).exists()
    assert not path.exists()
    assert files(inbox / "done") == ["overnight.csv"]
    assert files(inbox / ".taken") == []
    assert audited() == [Action.EXTRACT_UPLOADED, Action.CASES_IMPORTED]


def test_a_file_is_taken_when_it_has_been_still_for_a_minute(put: Callable[..., Path], clock: Clock) -> None:
    put()
    assert clock.look(MINUTE - SECOND) == 0
    assert clock.look(SECOND) == 1


def test_a_file_that_grows_is_left_until_it_is_still(put: Callable[..., Path], clock: Clock) -> None:
    path = put(extract(row(1)))
    for number in (2, 3, 4):
        path.write_bytes(path.read_bytes() + extract(row(number)).partition(b"\r\n")[2])
        assert clock.look(MINUTE) == 0
    assert clock.look(MINUTE) == 1
    assert CaseImport.objects.get().new == 4


def test_a_file_that_is_written_over_in_its_size_is_left_until_it_is_still(
    put: Callable[..., Path], clock: Clock
) -> None:
    path = put()
    path.write_bytes(CONTENT)
    os.utime(path, (0, 1))
    assert clock.look(MINUTE) == 0
    assert clock.look(MINUTE) == 1


@pytest.mark.parametrize(
    "part",
    [
        CONTENT[:-2],
        CONTENT[:-30],
        CONTENT[: CONTENT.index(b"\n") + 1],
        b"",
        CONTENT + b'01/7300009/26,"22/11/2026\r\n',
        SPREADSHEET.read_bytes()[:-30],
        CONTENT.decode().encode("utf-16-le")[:-4],
    ],
    ids=["no last line end", "cut row", "headings", "nothing", "open quotation", "cut workbook", "UTF-16"],
)
def test_what_looks_half_written_is_left_alone_for_five_minutes(
    put: Callable[..., Path], clock: Clock, part: bytes
) -> None:
    path = put(part)
    assert clock.look(timedelta(minutes=5) - SECOND) == 0
    assert path.exists()
    assert not CaseImport.objects.exists()
    assert clock.look(SECOND) == 1
    assert CaseImport.objects.count() == 1


def test_a_half_written_file_is_taken_whole_once_it_is_complete(
    put: Callable[..., Path], clock: Clock
) -> None:
    path = put(CONTENT[:-30])
    clock.look(3 * MINUTE)
    path.write_bytes(CONTENT)
    clock.look()
    assert clock.look(MINUTE) == 1
    assert CaseImport.objects.get().rows == 3


@pytest.mark.parametrize(
    "content",
    [CONTENT.decode().encode(code) for code in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")]
    + [CONTENT.replace(b"\r\n", b"\n"), SPREADSHEET.read_bytes()],
)
def test_whole_files_of_every_kind_wait_a_minute_alone(
    put: Callable[..., Path], clock: Clock, content: bytes
) -> None:
    put(content)
    assert clock.look(MINUTE) == 1
    assert CaseImport.objects.get().status == ImportStatus.SAVED


@pytest.mark.parametrize(
    "name", [".night.csv", "~$night.xlsx", "a.csv.part", "a.TMP", "a.filepart", "a.crdownload", "a.csv~"]
)
def test_hidden_and_temporary_names_are_never_taken_nor_told(
    put: Callable[..., Path], clock: Clock, name: str
) -> None:
    path = put(name=name)
    with capture_logs() as logged:
        assert clock.look(A_DAY) == 0
    assert path.exists()
    assert logged == []


def test_a_file_under_its_final_name_is_watched_anew(put: Callable[..., Path], clock: Clock) -> None:
    path = put(name="night.csv.part")
    clock.look(MINUTE)
    path.rename(path.with_name("night.csv"))
    assert clock.look(MINUTE) == 0
    assert clock.look(MINUTE) == 1


def test_the_same_file_twice_on_a_day_is_one_import(
    put: Callable[..., Path], inbox: Path, clock: Clock
) -> None:
    for name in ("night.csv", "night.csv", "copy of it.csv"):
        put(name=name)
        assert clock.look(MINUTE) == 1
    assert CaseImport.objects.count() == 1
    assert Case.objects.count() == 2
    assert files(inbox / "done") == ["copy of it.csv", "night.csv", "night.csv"]


def test_the_same_file_on_another_day_is_looked_at_and_changes_nothing(
    put: Callable[..., Path], clock: Clock
) -> None:
    put()
    clock.look(MINUTE)
    clock.at += A_DAY
    put()
    clock.look(MINUTE)
    latest = CaseImport.objects.latest("uploaded_at")
    assert (latest.new, latest.changed, latest.unchanged) == (0, 0, 2)
    assert Case.objects.count() == 2


def test_a_file_that_came_to_nothing_is_tried_again_when_it_is_put_there_again(
    put: Callable[..., Path], clock: Clock, hcop: User
) -> None:
    content = b"Ref,When\r\n01/7300001/26,22/11/2026 18:07\r\n"
    for _ in range(3):
        put(content)
        clock.look(MINUTE)
        held = CaseImport.objects.get(settled_at=None)
        assert held.status == ImportStatus.MATCHING
        discard_extract(import_id=held.pk, by=hcop, at=clock.at)
    assert CaseImport.objects.filter(status=ImportStatus.DISCARDED).count() == 3


def test_each_bcu_has_a_folder_of_its_own(
    inbox: Path, put: Callable[..., Path], clock: Clock, world: World
) -> None:
    north = inbox.parent / "N"
    north.mkdir()
    (north / "night.csv").write_bytes(extract(row(5)))
    put(extract(row(1)))
    assert clock.look(MINUTE) == 2
    assert {(case.crime_reference, case.bcu) for case in Case.objects.all()} == {
        ("01/7300001/26", world.south_west),
        ("01/7300005/26", world.north),
    }


def test_what_is_nobodys_is_left_and_told_once_without_names(inbox: Path, clock: Clock) -> None:
    (inbox.parent / "West").mkdir()
    places = [inbox.parent / "West" / "Jane Doe.csv", inbox.parent / "loose.csv"]
    (inbox / "folder").mkdir()
    for place in places:
        place.write_bytes(CONTENT)
    with capture_logs() as logged:
        for _ in range(3):
            assert clock.look(10 * MINUTE) == 0
    assert all(place.exists() for place in places)
    assert [(line["log_level"], line["left"], line["failed"]) for line in logged] == [("warning", 3, 0)]
    assert "Jane" not in str(logged)


def test_links_are_not_followed(inbox: Path, clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.csv").write_bytes(CONTENT)
    (inbox / "link.csv").symlink_to(outside / "secret.csv")
    (inbox.parent / "N").symlink_to(outside)
    for _ in range(3):
        assert clock.look(10 * MINUTE) == 0
    assert files(outside) == ["secret.csv"]
    assert not CaseImport.objects.exists()


@pytest.mark.parametrize("room", claims.ROOMS)
def test_a_link_in_place_of_a_room_leads_nowhere(
    inbox: Path, put: Callable[..., Path], clock: Clock, tmp_path_factory: pytest.TempPathFactory, room: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    other = outside / "20200101T000000Z-0badcafe"
    other.mkdir()
    (other / "theirs.csv").write_bytes(CONTENT)
    (inbox / room).symlink_to(outside)
    put(b"no table\r\nat all\r\n" if room == claims.REFUSED else CONTENT)
    clock.look(MINUTE)
    clock.look(MINUTE)
    assert files(outside) == ["theirs.csv"]


def test_a_link_is_neither_looked_at_nor_opened(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(CONTENT)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "secret")
    for read in (stamp_of, opened):
        with pytest.raises(OSError, match=r"plain file|symbolic links"):
            read(link)


def test_what_becomes_a_link_after_it_was_seen_is_not_read(
    inbox: Path, put: Callable[..., Path], clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    path = put()
    claim = claims.claim

    def swapped(*args: Any) -> Any:
        path.unlink()
        path.symlink_to(secret)
        return claim(*args)

    monkeypatch.setattr(claims, "claim", swapped)
    assert clock.look(MINUTE) == 0
    assert not CaseImport.objects.exists()


@pytest.mark.parametrize(
    "name", ["Überfall – “night” 23 Nov.csv", "  spaces .csv", "x" * 251 + ".csv", "'; --.csv"]
)
def test_a_name_may_be_any(put: Callable[..., Path], inbox: Path, clock: Clock, name: str) -> None:
    put(name=name)
    assert clock.look(MINUTE) == 1
    assert files(inbox / "done") == [name]


def test_a_name_that_is_no_text_may_be_there_too(inbox: Path, clock: Clock) -> None:
    (inbox / os.fsdecode(b"night\xff.csv")).write_bytes(CONTENT)
    clock.look()
    assert clock.look(MINUTE) == 1
    assert CaseImport.objects.get().file_name == "night\ufffd.csv"


def test_a_name_that_looks_like_a_victims_data_is_not_kept(put: Callable[..., Path], clock: Clock) -> None:
    put(name="report for SW19 7QP.csv")
    clock.look(MINUTE)
    assert CaseImport.objects.get().file_name == ""


def test_what_is_no_table_is_told_on_the_page_and_kept_nowhere(
    put: Callable[..., Path], inbox: Path, clock: Clock
) -> None:
    put(b"not,a,table\r\nat,all,really\r\n".replace(b",", b" "))
    assert clock.look(MINUTE) == 1
    held = CaseImport.objects.get()
    assert (held.status, held.settled_at, held.source) == (
        ImportStatus.REFUSED,
        clock.at,
        ImportSource.FOLDER,
    )
    assert "crime_reference and reported_at are not there" in held.problem
    assert not HeldPart.objects.exists()
    assert files(inbox / "refused") == ["overnight.csv"]
    assert audited() == [Action.EXTRACT_DISCARDED]


def test_a_file_whose_reading_breaks_off_is_refused_with_the_reason(
    put: Callable[..., Path], inbox: Path, clock: Clock
) -> None:
    put(CONTENT + b'01/7300009/26,"22/11/2026\r\n')
    clock.look(5 * MINUTE)
    held = CaseImport.objects.get()
    assert (held.status, "never closed" in held.problem) == (ImportStatus.REFUSED, True)
    assert not Case.objects.exists()
    assert files(inbox / "refused") == ["overnight.csv"]


def test_a_file_whose_headings_are_unknown_waits_for_a_person(
    put: Callable[..., Path], inbox: Path, clock: Clock
) -> None:
    put(b"Ref,When\r\n01/7300001/26,22/11/2026 18:07\r\n")
    clock.look(MINUTE)
    assert CaseImport.objects.get().status == ImportStatus.MATCHING
    assert files(inbox / "done") == ["overnight.csv"]


def test_a_workbook_with_two_tables_waits_for_a_person(put: Callable[..., Path], clock: Clock) -> None:
    table: list[list[workbooks.Cell]] = [
        ["Crime reference", "Reported"],
        ["01/7300001/26", "22/11/2026 18:07"],
    ]
    put(workbooks.xlsx(North=table, South=table), name="night.xlsx")
    clock.look(MINUTE)
    held = CaseImport.objects.get()
    assert (held.status, "Several sheets" in held.problem) == (ImportStatus.MATCHING, True)


def test_a_long_file_is_left_to_a_worker(
    put: Callable[..., Path], inbox: Path, clock: Clock, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMPORT_AT_ONCE_BYTES = 0
    told: list[Any] = []
    monkeypatch.setattr(work, "_tell_worker", told.append)
    put()
    clock.look(MINUTE)
    held = CaseImport.objects.get()
    assert (held.status, told) == (ImportStatus.SAVING, [held.pk])
    assert files(inbox / "done") == ["overnight.csv"]
    work.work(import_id=held.pk, at=clock.at)
    held.refresh_from_db()
    assert (held.status, held.new) == (ImportStatus.SAVED, 2)


def test_saving_that_is_in_somebodys_way_is_tried_again_by_the_sweep(
    put: Callable[..., Path], clock: Clock, system: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_the_way(**_: Any) -> None:
        raise Refused("Somebody else is saving these cases at this moment.")

    with monkeypatch.context() as busy:
        busy.setattr(work, "import_cases", in_the_way)
        put()
        clock.look(MINUTE)
    held = CaseImport.objects.get()
    assert held.status == ImportStatus.SAVING
    told: list[Any] = []
    monkeypatch.setattr(work, "_tell_worker", told.append)
    assert resume_work(by=system, at=clock.at + 2 * MINUTE) == 1
    work.work(import_id=told[0], at=clock.at)
    held.refresh_from_db()
    assert (held.status, held.new) == (ImportStatus.SAVED, 2)


def test_saving_that_failed_three_times_is_refused_and_says_what_to_do(
    put: Callable[..., Path], clock: Clock, system: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMPORT_AT_ONCE_BYTES = 0
    monkeypatch.setattr(work, "_tell_worker", lambda _: None)
    put()
    clock.look(MINUTE)
    CaseImport.objects.update(attempts=3)
    resume_work(by=system, at=clock.at + 2 * MINUTE)
    held = CaseImport.objects.get()
    assert (held.status, "in the folder again" in held.problem) == (ImportStatus.REFUSED, True)


def test_files_set_aside_are_deleted_after_a_day_and_nothing_else_is(
    put: Callable[..., Path], inbox: Path, clock: Clock
) -> None:
    put()
    clock.look(MINUTE)
    put(b"no table\r\nat all\r\n", name="other.csv")
    clock.look(MINUTE)
    (inbox / "done" / "notes").mkdir()
    (inbox / "done" / "notes" / "kept.txt").write_bytes(b"by hand")
    clock.look(A_DAY - MINUTE - SECOND)
    assert files(inbox) == ["kept.txt", "other.csv", "overnight.csv"]
    clock.look(SECOND)
    assert files(inbox) == ["kept.txt", "other.csv"]
    clock.look(MINUTE)
    assert files(inbox) == ["kept.txt"]


def test_where_the_cache_is_emptied_the_watching_begins_anew(put: Callable[..., Path], clock: Clock) -> None:
    put()
    cache.clear()
    assert clock.look(MINUTE) == 0
    assert clock.look(MINUTE) == 1


def test_no_name_of_a_file_reaches_the_cache(
    put: Callable[..., Path], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(cache, "set", lambda *values: kept.append(values))
    put(name="Jane Doe.csv")
    assert kept
    assert "Jane" not in str(kept)


def test_who_may_not_import_may_not_take(inbox: Path, officer: User) -> None:
    with pytest.raises(NotAllowed):
        take_extracts(by=officer, at=NOW)


def test_the_task_acts_as_this_system(inbox: Path, put: Callable[..., Path], system: User) -> None:
    put()
    for at in (NOW, NOW + MINUTE):
        with time_machine.travel(at, tick=False):
            task()
    entry = AuditEntry.objects.get(action=Action.CASES_IMPORTED)
    assert (entry.actor, entry.origin) == (system, "task take_extracts")


def test_an_older_file_that_is_copied_again_overwrites_nothing_before_somebody_looks(
    put: Callable[..., Path], clock: Clock
) -> None:
    older, newer = (extract(row(1, safety_note=note)) for note in ("Dog", "Two dogs"))
    put(older)
    clock.look(MINUTE)
    assert Case.objects.get().changed_at == clock.at
    put(newer)
    clock.look(MINUTE)
    held = CaseImport.objects.latest("uploaded_at")
    assert (held.status, held.changed) == (ImportStatus.WAITING, 1)
    assert "may be an older extract" in held.problem
    assert PersonalText.objects.get(kind="safety_note").body == "Dog"


def test_what_nobody_looked_at_before_it_was_saved_is_kept_to_look_at_for_a_day(
    put: Callable[..., Path], clock: Clock, system: User
) -> None:
    put(extract(row(1, victim_type="Organisation"), row(2, reported_at="never")))
    clock.look(MINUTE)
    held = CaseImport.objects.get()
    assert held.status == ImportStatus.SAVED
    kept = report_of(held)
    assert "No individual victim: Organisation." in {warned.reason for warned in kept.warnings}
    assert (kept.new_cases, kept.rejections) == ([], [])
    delete_expired_extracts(by=system, at=clock.at + A_DAY)
    held.refresh_from_db()
    assert held.report_encrypted is None
