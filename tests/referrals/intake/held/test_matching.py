"""What headings mean, said by hand and remembered."""

import uuid
from collections.abc import Callable

import pytest

from referrals.intake.held.holding import hold_extract
from referrals.intake.held.matching import (
    choice_of,
    match_columns,
    read_meanings,
    remember_headings,
)
from referrals.intake.held.report import report_of
from referrals.intake.reading.columns import Column
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case, CaseImport, HeadingMeaning, ImportStatus
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import NOW
from tests.workbooks import Cell, xlsx

STRANGE = b"Ref,When,Story\r\n01/7300001/26,22/11/2026 18:07,Harassment\r\n"
MEANINGS = {"Ref": "crime_reference", "When": "reported_at", "Story": "offence"}
SHEET: list[list[Cell]] = [["Crime No", "Reported"], ["01/7300001/26", "22/11/2026 18:07"]]


@pytest.fixture
def hold(bcu: Bcu, hcop: User) -> Callable[..., CaseImport]:
    """Uploads a file."""

    def upload(content: bytes = STRANGE) -> CaseImport:
        return hold_extract(key=uuid.uuid4(), content=content, bcu=bcu, by=hcop, at=NOW)

    return upload


def matched(held: CaseImport, by: User, meanings: dict[str, str] = MEANINGS, sheet: str = "") -> CaseImport:
    return match_columns(import_id=held.pk, sheet=sheet, meanings=meanings, by=by, at=NOW)


def _taken(held: CaseImport) -> list[tuple[str, Column | None]]:
    return [(heading.words, heading.column) for heading in choice_of(held).headings]


def test_headings_that_nobody_knows_wait_to_be_matched(hold: Callable[..., CaseImport]) -> None:
    held = hold()
    assert held.status == ImportStatus.MATCHING
    assert "crime_reference and reported_at are not there" in held.problem
    assert _taken(held) == [("Ref", None), ("When", None), ("Story", None)]


def test_matched_by_hand_they_are_read(hold: Callable[..., CaseImport], hcop: User) -> None:
    held = matched(hold(), hcop)
    assert (held.status, held.new, held.problem) == (ImportStatus.WAITING, 1, "")
    assert report_of(held).new_cases[0].offence == "Harassment"


def test_what_was_said_once_holds_for_the_next_file_of_the_bcu(
    hold: Callable[..., CaseImport], bcu: Bcu, world: World, hcop: User, north_hcop: User
) -> None:
    matched(hold(), hcop)
    assert hold().status == ImportStatus.WAITING
    assert import_cases(content=STRANGE, bcu=bcu, by=hcop, at=NOW).new == 1
    elsewhere = hold_extract(key=uuid.uuid4(), content=STRANGE, bcu=world.north, by=north_hcop, at=NOW)
    assert elsewhere.status == ImportStatus.MATCHING


def test_signs_and_case_of_a_heading_do_not_count(hold: Callable[..., CaseImport], hcop: User) -> None:
    matched(hold(), hcop)
    assert hold(STRANGE.replace(b"Ref,When", b"REF.,when?")).status == ImportStatus.WAITING


def test_a_heading_that_was_taken_wrongly_can_be_said_to_be_another_or_none(
    hold: Callable[..., CaseImport], hcop: User
) -> None:
    held = hold(b"Crime No,Reported,Postcode,Warnings\r\n01/7300001/26,22/11/2026 18:07,x,Dog\r\n")
    assert ("Warnings", Column.SAFETY_NOTE) in _taken(held)
    now = {"Crime No": "crime_reference", "Reported": "reported_at", "Postcode": "", "Warnings": "offence"}
    held = matched(held, hcop, now)
    assert report_of(held).new_cases[0].offence == "Dog"
    kept = {"postcode": "", "warnings": "offence"}
    assert HeadingMeaning.of(held.bcu) == kept


def test_what_was_said_can_be_said_otherwise(hold: Callable[..., CaseImport], bcu: Bcu, hcop: User) -> None:
    held = matched(hold(), hcop)
    held = matched(held, hcop, MEANINGS | {"Story": ""})
    assert report_of(held).new_cases[0].offence == ""
    assert HeadingMeaning.objects.get(heading="story").column == ""


def test_saying_it_is_recorded_without_a_cell(hold: Callable[..., CaseImport], hcop: User) -> None:
    matched(hold(), hcop)
    entry = AuditEntry.objects.get(action=Action.HEADINGS_MATCHED)
    assert (entry.actor, entry.fields) == (hcop, ["crime_reference", "offence", "reported_at"])


def test_of_several_sheets_one_is_chosen(hold: Callable[..., CaseImport], hcop: User) -> None:
    other: list[list[Cell]] = [SHEET[0], ["01/7300002/26", "22/11/2026 18:07"]]
    held = hold(xlsx(May=SHEET, June=other))
    assert (held.status, choice_of(held).sheets) == (ImportStatus.MATCHING, ["May", "June"])
    held = matched(held, hcop, {}, sheet="June")
    assert report_of(held).new_cases[0].crime_reference == "01/7300002/26"


def test_a_sheet_there_is_none_of_is_told(hold: Callable[..., CaseImport], hcop: User) -> None:
    held = matched(hold(xlsx(May=SHEET, June=SHEET)), hcop, {}, sheet="July")
    assert (held.status, "There is no sheet July" in held.problem) == (ImportStatus.REFUSED, True)


def test_another_bcus_extract_cannot_be_matched(hold: Callable[..., CaseImport], north_hcop: User) -> None:
    held = hold()
    with pytest.raises(CaseImport.DoesNotExist):
        matched(held, north_hcop)


def test_what_is_at_work_or_saved_cannot_be_matched(hold: Callable[..., CaseImport], hcop: User) -> None:
    held = hold()
    for status in (ImportStatus.READING, ImportStatus.SAVING):
        CaseImport.objects.update(status=status, confirmed_by=hcop)
        with pytest.raises(Refused, match="at work"):
            matched(held, hcop)
    assert not HeadingMeaning.objects.exists()


def test_only_who_imports_for_the_bcu_says_what_headings_mean(bcu: Bcu, officer: User) -> None:
    with pytest.raises(NotAllowed):
        remember_headings(bcu=bcu, meanings=MEANINGS, by=officer, at=NOW)


def test_what_needs_no_saying_is_not_remembered(bcu: Bcu, hcop: User) -> None:
    said = {"Crime No": "crime_reference", "Notes": ""}
    assert remember_headings(bcu=bcu, meanings=said, by=hcop, at=NOW) == 0
    assert not HeadingMeaning.objects.exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Story", 'write "Heading=column"'),
        ("Story=plot", "There is no column plot"),
        ("?=offence", "few words"),
        ("01/7300001/26=offence", "few words"),
    ],
)
def test_what_says_nothing_is_refused(said: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_meanings([said])


def test_a_heading_may_hold_an_equals_sign() -> None:
    assert read_meanings(["A=B=offence", "C="]) == {"A=B": "offence", "C": ""}


def test_nothing_is_saved_before_it_is_confirmed(hold: Callable[..., CaseImport], hcop: User) -> None:
    matched(hold(), hcop)
    assert not Case.objects.exists()
