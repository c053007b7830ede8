"""An extract between upload and confirmation."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from referrals.intake.held import holding, work
from referrals.intake.held.holding import (
    delete_expired_extracts,
    discard_extract,
    hold_extract,
    save_extract,
)
from referrals.intake.held.matching import remember_headings
from referrals.intake.held.parts import content_of
from referrals.intake.held.report import report_of
from referrals.intake.saving.save import import_cases, preview_cases
from referrals.models import Bcu, Case, CaseImport, HeldPart, ImportStatus, PartKind
from referrals.table_files.text import NotATable
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.busy import SENT_AGAIN_WITHIN
from src_app.refused import Refused
from tests.away import refused
from tests.extracts import extract, row
from tests.factories import NOW
from tests.patience import patience

CONTENT = extract(row(1), row(2), row(3, reported_at="never"))
A_DAY_LATER = NOW + timedelta(hours=24)


@pytest.fixture
def hold(bcu: Bcu, hcop: User) -> Callable[..., CaseImport]:
    """Uploads the extract of two good rows and a bad one, or ``content``."""

    def upload(
        content: bytes = CONTENT, key: uuid.UUID | None = None, by: User = hcop, at: datetime = NOW
    ) -> CaseImport:
        return hold_extract(key=key or uuid.uuid4(), content=content, bcu=bcu, by=by, at=at)

    return upload


def seen(held: CaseImport) -> str:
    """The digest of the preview on its page."""
    return report_of(CaseImport.objects.get(pk=held.pk)).digest


def kept(held: CaseImport, kind: PartKind = PartKind.CONTENT) -> bool:
    return HeldPart.objects.filter(extract=held, kind=kind).exists()


def audited() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_an_upload_waits_encrypted_with_its_counts(hold: Callable[..., CaseImport]) -> None:
    held = hold()
    there = CaseImport.objects.get(pk=held.pk)
    assert (there.status, there.rows, there.new, there.rejected) == (ImportStatus.WAITING, 3, 2, 1)
    stored = [bytes(part.body_encrypted) for part in HeldPart.objects.all()]
    stored.append(bytes(there.report_encrypted or b""))
    assert not any(b"SW19" in body or b"7300001" in body for body in stored)
    with content_of(held).open() as stream:
        assert stream.read() == CONTENT
    assert not Case.objects.exists()
    assert audited() == [Action.EXTRACT_UPLOADED, Action.LIST_SHOWN]


def test_the_same_upload_twice_is_one(hold: Callable[..., CaseImport]) -> None:
    key = uuid.uuid4()
    assert hold(key=key) == hold(key=key)
    assert CaseImport.objects.count() == 1
    assert audited().count(Action.EXTRACT_UPLOADED) == 1


def test_an_upload_that_was_not_read_is_read_when_it_is_looked_up_by_its_key(
    hold: Callable[..., CaseImport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection may be lost between keeping the file and reading it."""
    key = uuid.uuid4()
    with monkeypatch.context() as lost:
        lost.setattr(holding, "start_work", lambda *_: None)
        assert hold(key=key).status == ImportStatus.READING
    assert hold(key=key).status == ImportStatus.WAITING
    assert audited().count(Action.EXTRACT_UPLOADED) == 1


def test_somebody_elses_key_gives_nothing_of_theirs(
    hold: Callable[..., CaseImport], other_hcop: User
) -> None:
    key = hold().key
    with pytest.raises(Refused, match="choose the file once more"):
        hold(key=key, by=other_hcop)


def test_what_is_no_table_is_not_kept(hold: Callable[..., CaseImport]) -> None:
    with pytest.raises(NotATable):
        hold(b"not,a,table\n")
    assert not CaseImport.objects.exists()


def test_who_may_not_import_may_not_upload(
    bcu: Bcu, officer: User, north_hcop: User, hold: Callable[..., CaseImport]
) -> None:
    for user in (officer, north_hcop):
        with pytest.raises(NotAllowed):
            hold(by=user)


def test_saving_makes_the_cases_and_deletes_the_content(hold: Callable[..., CaseImport], hcop: User) -> None:
    held = hold()
    save_extract(import_id=held.pk, seen=seen(held), by=hcop, at=NOW)
    assert Case.objects.count() == 2
    there = CaseImport.objects.get(pk=held.pk)
    assert (there.status, there.report_encrypted, there.settled_at) == (ImportStatus.SAVED, None, NOW)
    assert not kept(held)
    assert (there.rows, there.new, there.rejected) == (3, 2, 1)
    assert audited()[-1] == Action.CASES_IMPORTED


def test_saving_once_more_changes_nothing(hold: Callable[..., CaseImport], hcop: User) -> None:
    held = hold()
    first = save_extract(import_id=held.pk, seen=seen(held), by=hcop, at=NOW)
    again = save_extract(import_id=held.pk, seen="", by=hcop, at=A_DAY_LATER)
    assert (again.status, again.new, again.settled_at) == (ImportStatus.SAVED, first.new, NOW)
    assert audited().count(Action.CASES_IMPORTED) == 1


def test_a_colleague_may_save_it(hold: Callable[..., CaseImport], hcop: User, other_hcop: User) -> None:
    held = hold()
    saved = save_extract(import_id=held.pk, seen=seen(held), by=other_hcop, at=NOW)
    assert (saved.status, saved.confirmed_by) == (ImportStatus.SAVED, other_hcop)
    assert AuditEntry.objects.get(action=Action.CASES_IMPORTED).actor == other_hcop


def test_nothing_is_saved_that_was_not_on_the_page(
    hold: Callable[..., CaseImport], bcu: Bcu, hcop: User, other_hcop: User
) -> None:
    held = hold()
    looked = seen(held)
    import_cases(content=extract(row(2)), bcu=bcu, by=other_hcop, at=NOW)
    again = save_extract(import_id=held.pk, seen=looked, by=hcop, at=NOW)
    assert (again.status, "look again" in again.problem) == (ImportStatus.WAITING, True)
    assert (again.new, again.unchanged) == (1, 1)
    assert Case.objects.count() == 1
    saved = save_extract(import_id=held.pk, seen=seen(held), by=hcop, at=NOW)
    assert (saved.status, saved.new, saved.unchanged) == (ImportStatus.SAVED, 1, 1)


def test_another_bcus_officer_finds_no_such_extract(
    hold: Callable[..., CaseImport], north_hcop: User, officer: User
) -> None:
    held = hold()
    with pytest.raises(CaseImport.DoesNotExist):
        save_extract(import_id=held.pk, seen="", by=north_hcop, at=NOW)
    with pytest.raises(CaseImport.DoesNotExist):
        discard_extract(import_id=held.pk, by=north_hcop, at=NOW)
    with pytest.raises(NotAllowed):
        save_extract(import_id=held.pk, seen="", by=officer, at=NOW)
    with pytest.raises(NotAllowed):
        discard_extract(import_id=held.pk, by=officer, at=NOW)
    assert not Case.objects.exists()


def test_discarding_deletes_the_content_unsaved(hold: Callable[..., CaseImport], hcop: User) -> None:
    held = hold()
    discard_extract(import_id=held.pk, by=hcop, at=NOW)
    discard_extract(import_id=held.pk, by=hcop, at=NOW)
    there = CaseImport.objects.get(pk=held.pk)
    assert (there.status, there.report_encrypted, there.settled_at) == (ImportStatus.DISCARDED, None, NOW)
    assert not HeldPart.objects.exists()
    assert audited()[-1] == Action.EXTRACT_DISCARDED
    assert audited().count(Action.EXTRACT_DISCARDED) == 1
    with pytest.raises(Refused, match="discarded"):
        save_extract(import_id=held.pk, seen="", by=hcop, at=NOW)


def test_what_is_saved_cannot_be_discarded(hold: Callable[..., CaseImport], hcop: User) -> None:
    held = hold()
    save_extract(import_id=held.pk, seen=seen(held), by=hcop, at=NOW)
    with pytest.raises(Refused, match="saved already"):
        discard_extract(import_id=held.pk, by=hcop, at=NOW)


def test_after_a_day_it_is_deleted_by_the_sweep(hold: Callable[..., CaseImport], system: User) -> None:
    held = hold()
    assert delete_expired_extracts(by=system, at=A_DAY_LATER - timedelta(seconds=1)) == 0
    assert delete_expired_extracts(by=system, at=A_DAY_LATER) == 1
    assert delete_expired_extracts(by=system, at=A_DAY_LATER) == 0
    there = CaseImport.objects.get(pk=held.pk)
    assert (there.status, there.report_encrypted) == (ImportStatus.EXPIRED, None)
    assert not HeldPart.objects.exists()
    assert audited()[-1] == Action.EXTRACT_DISCARDED


def test_after_a_day_it_is_refused_even_before_the_sweep(hold: Callable[..., CaseImport], hcop: User) -> None:
    held = hold()
    with pytest.raises(Refused, match="within a day"):
        save_extract(import_id=held.pk, seen="", by=hcop, at=A_DAY_LATER)


def test_the_rejected_rows_of_what_is_saved_are_kept_for_a_day_and_no_longer(
    hold: Callable[..., CaseImport], hcop: User, system: User
) -> None:
    held = hold()
    save_extract(import_id=held.pk, seen=seen(held), by=hcop, at=NOW)
    assert kept(held, PartKind.REJECTED)
    assert delete_expired_extracts(by=system, at=A_DAY_LATER) == 0
    assert not HeldPart.objects.exists()
    assert CaseImport.objects.get().status == ImportStatus.SAVED


def test_an_extract_whose_key_is_lost_says_upload_again_and_saves_nothing(
    hold: Callable[..., CaseImport], hcop: User, settings: Any
) -> None:
    held = hold()
    looked = seen(held)
    settings.EXTRACT_KEYS = ["pGbTNtL8hT4ZJ1EQ1s2mIc5Vb7nQp1X0m7uN0o8d0uE="]
    saved = save_extract(import_id=held.pk, seen=looked, by=hcop, at=NOW)
    assert (saved.status, "upload it again" in saved.problem) == (ImportStatus.WAITING, True)
    assert not Case.objects.exists()


def test_nothing_is_saved_when_the_extract_cannot_be_settled(
    hold: Callable[..., CaseImport], hcop: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("full")

    held = hold()
    looked = seen(held)
    monkeypatch.setattr(work, "_settle", fails)
    with pytest.raises(RuntimeError):
        save_extract(import_id=held.pk, seen=looked, by=hcop, at=NOW)
    assert not Case.objects.exists()
    assert kept(held)
    assert CaseImport.objects.get(pk=held.pk).status == ImportStatus.SAVING


@pytest.mark.django_db(transaction=True)
def test_uploaded_and_saved_by_four_threads_at_once_it_is_one(bcu: Bcu, hcop: User) -> None:
    key, ready = uuid.uuid4(), threading.Barrier(4, timeout=patience(60))
    looked = preview_cases(content=CONTENT, bcu=bcu, by=hcop, at=NOW).digest

    def upload_and_save() -> None:
        try:
            connection.ensure_connection()
            with acting("test", by=hcop):
                ready.wait()
                held = hold_extract(key=key, content=CONTENT, bcu=bcu, by=hcop, at=NOW)
                ready.wait()
                save_extract(import_id=held.pk, seen=looked, by=hcop, at=NOW)
        finally:
            connection.close()

    threads = [threading.Thread(target=upload_and_save) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience(120))
    assert audited().count(Action.CASES_IMPORTED) == 1
    assert CaseImport.objects.count() == 1
    assert Case.objects.count() == 2


def test_the_same_key_with_another_file_is_refused_and_not_answered_with_the_first(
    hold: Callable[..., CaseImport],
) -> None:
    key = uuid.uuid4()
    hold(key=key)
    for other in (CONTENT.replace(b"Dog", b"Cat"), CONTENT + b"\r\n"):
        with pytest.raises(Refused, match="choose the file once more"):
            hold(other, key=key)


def test_once_its_content_is_gone_the_same_upload_is_known_for_minutes_only(
    hold: Callable[..., CaseImport], hcop: User
) -> None:
    """After that a file of the same size is more likely the next night's, and "saved" would be untrue."""
    key = uuid.uuid4()
    held = hold(key=key)
    save_extract(import_id=held.pk, seen=seen(held), by=hcop, at=NOW)
    assert hold(key=key, at=NOW + SENT_AGAIN_WITHIN) == held
    with pytest.raises(Refused, match="choose the file once more"):
        hold(CONTENT.replace(b"Dog", b"Cat"), key=key, at=NOW + timedelta(hours=3))


@pytest.mark.parametrize(
    "first", ["01/7300001/26,22/11/2026 18:07,Harassment", "Ms Smith,SW19 7QP,Harassment", "x" * 51 + ",a,b"]
)
def test_a_report_in_the_place_of_headings_is_told_and_kept_nowhere(
    hold: Callable[..., CaseImport], first: str
) -> None:
    with pytest.raises(NotATable, match="add a line that names the columns"):
        hold(f"{first}\r\n01/7300002/26,22/11/2026 18:07,Harassment\r\n".encode())
    assert not CaseImport.objects.exists()


def test_a_heading_that_means_something_else_meanwhile_is_looked_at_again(
    hold: Callable[..., CaseImport], bcu: Bcu, hcop: User, other_hcop: User
) -> None:
    content = b"crime_reference,reported_at,Story\r\n01/7300001/26,22/11/2026 18:07,Call after 6pm\r\n"
    remember_headings(bcu=bcu, meanings={"Story": "contact_wishes"}, by=hcop, at=NOW)
    held = hold(content)
    looked = seen(held)
    remember_headings(bcu=bcu, meanings={"Story": "offence"}, by=other_hcop, at=NOW)
    again = save_extract(import_id=held.pk, seen=looked, by=hcop, at=NOW)
    assert (again.status, "look again" in again.problem) == (ImportStatus.WAITING, True)
    assert not Case.objects.exists()


def test_a_short_extract_needs_no_redis(
    hold: Callable[..., CaseImport], hcop: User, settings: Settings
) -> None:
    away = {**settings.CACHES["default"], "LOCATION": f"redis://{refused()}/0"}
    settings.CACHES = {"default": away}
    held = hold()
    saved = save_extract(import_id=held.pk, seen=seen(held), by=hcop, at=NOW)
    assert saved.status == ImportStatus.SAVED
