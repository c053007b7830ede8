"""Each row compared with the cases there are."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from referrals.intake.reading.columns import Column
from referrals.intake.reading.rows import Rejection
from referrals.intake.saving.preview import ImportPreview
from referrals.intake.saving.save import import_cases, preview_cases
from referrals.models import Bcu, Case, PersonalText, TextKind
from src_app.accounts.models import User
from tests.conftest import World
from tests.extracts import extract, reference, row
from tests.factories import NOW
from tests.referrals.intake.read_files import previewed

OTHERS: list[tuple[str, str]] = [
    ("reported_at", "22/11/2026 18:08"),
    ("occurred_at", ""),
    ("offence", "Arson"),
    ("hate_strands", "Race; Disability"),
    ("victim_type", "State"),
    ("repeat_victim", "Y"),
    ("incident_reference", "CAD9/22NOV26"),
    ("victim_key", ""),
]
ALWAYS: list[tuple[str, str]] = [
    ("contact_wishes", "By letter"),
    ("safety_note", "Do not attend the address"),
    ("communication_need", "BSL"),
    ("officer_in_case", "PC 1"),
    ("victim_postcode", "CR4 2YE"),
    ("crime_or_incident", "Incident"),
    ("crime_status", "No crime"),
    ("crime_status", "Transferred"),
    ("hate_flag", "N"),
    ("victim_under_18", "Y"),
]


@pytest.fixture
def saved(bcu: Bcu, system: User) -> Case:
    """The case of the first made-up row."""
    import_cases(content=extract(row()), bcu=bcu, by=system, at=NOW)
    return Case.objects.get(crime_reference=reference(1))


def test_a_reference_not_seen_before_is_new_in_the_ward_of_its_postcode(bcu: Bcu, world: World) -> None:
    preview = previewed(bcu, row(1, victim_postcode="cr42ye"))
    assert preview.counts() == {"rows": 1, "new": 1, "unchanged": 0, "changed": 0, "rejected": 0}
    assert preview.new_cases[0].ward_id == world.wards[1].pk


@pytest.mark.parametrize("postcode", ["", "ZZ1 1ZZ", "No fixed abode", "EN5 1AA"])
def test_a_postcode_without_a_ward_of_the_bcu_is_new_with_a_warning(bcu: Bcu, postcode: str) -> None:
    preview = previewed(bcu, row(1, victim_postcode=postcode))
    assert preview.new_cases[0].ward_id is None
    (warned,) = preview.warnings
    assert (warned.line, warned.column) == (2, "victim_postcode")
    assert "choose a team" in warned.reason
    assert postcode == "" or postcode not in warned.reason


def test_the_same_row_again_is_unchanged(bcu: Bcu, saved: Case) -> None:
    preview = previewed(bcu, row(hate_strands="race", victim_key="v73 0001", victim_postcode="sw197qp"))
    assert preview.counts()["unchanged"] == 1


@pytest.mark.parametrize(("column", "text"), [*OTHERS, *ALWAYS])
def test_every_column_of_an_undecided_case_may_change(bcu: Bcu, saved: Case, column: str, text: str) -> None:
    preview = previewed(bcu, row(**{column: text}))
    assert [list(changed.columns) for changed in preview.changed_cases] == [[column]]
    assert preview.counts()["changed"] == 1


@pytest.mark.parametrize(("column", "text"), OTHERS)
def test_what_allocation_froze_no_longer_changes_and_a_warning_says_so(
    bcu: Bcu, saved: Case, column: str, text: str
) -> None:
    Case.objects.update(decided_at=NOW)
    preview = previewed(bcu, row(**{column: text}))
    assert preview.counts()["unchanged"] == 1
    told = [warned for warned in preview.warnings if "decided" in warned.reason]
    assert [(warned.line, warned.column) for warned in told] == [(2, column)]
    assert "23 November 2026, 7:30am" in told[0].reason


@pytest.mark.parametrize(("column", "text"), ALWAYS)
def test_what_bears_on_contact_and_on_the_record_changes_after_the_decision_too(
    bcu: Bcu, saved: Case, column: str, text: str
) -> None:
    Case.objects.update(decided_at=NOW)
    preview = previewed(bcu, row(offence="Arson", **{column: text}))
    assert [list(changed.columns) for changed in preview.changed_cases] == [[column]]
    assert [warned.column for warned in preview.warnings if "decided" in warned.reason] == ["offence"]


def test_a_column_the_file_has_not_changes_nothing(bcu: Bcu, saved: Case) -> None:
    preview = previewed(bcu, row(), columns=["crime_reference", "reported_at"])
    assert preview.counts()["unchanged"] == 1


def test_an_erased_text_does_not_come_back(bcu: Bcu, saved: Case) -> None:
    PersonalText.objects.filter(kind=TextKind.SAFETY_NOTE).update(body="", erased_at=NOW)
    assert previewed(bcu, row()).counts()["unchanged"] == 1


def test_a_case_of_another_bcu_is_rejected_and_nothing_is_said_of_it(
    bcu: Bcu, world: World, make_case: Callable[..., Case]
) -> None:
    make_case(crime_reference=reference(1), ward=world.north_ward, offence="Arson")
    preview = previewed(bcu, row(1, victim_type="State"), row(2))
    assert preview.counts() == {"rows": 2, "new": 1, "unchanged": 0, "changed": 0, "rejected": 1}
    (rejection,) = preview.rejections
    assert (rejection.line, rejection.column, rejection.value) == (2, "crime_reference", reference(1))
    assert "North" not in rejection.reason
    assert preview.warnings == []


def test_the_report_has_exactly_the_keys_that_scripts_rely_on(bcu: Bcu) -> None:
    report = previewed(bcu, row(1, victim_type="State"), row(2, reported_at="never")).report()
    assert list(report) == ["rows", "new", "unchanged", "changed", "rejected", "warnings", "rejections"]
    assert list(report["warnings"][0]) == ["line", "column", "reason"]
    assert list(report["rejections"][0]) == ["line", "column", "value", "reason"]


def test_the_digest_tells_different_fates_apart(bcu: Bcu, system: User) -> None:
    first = previewed(bcu, row(1), row(2))
    assert first.digest == previewed(bcu, row(1), row(2)).digest
    import_cases(content=extract(row(1)), bcu=bcu, by=system, at=NOW)
    second = previewed(bcu, row(1), row(2))
    import_cases(content=extract(row(1, offence="Arson")), bcu=bcu, by=system, at=NOW)
    third = previewed(bcu, row(1), row(2))
    assert len({first.digest, second.digest, third.digest}) == 3


def test_looking_takes_as_many_queries_for_many_rows_as_for_few(
    bcu: Bcu, system: User, django_assert_num_queries: Any
) -> None:
    for number in (3, 300):
        content = extract(*(row(n) for n in range(number)))
        import_cases(content=content, bcu=bcu, by=system, at=NOW)
        with django_assert_num_queries(36):
            preview_cases(content=content, bcu=bcu, by=system, at=NOW)


@pytest.mark.parametrize("decided_at", [None, NOW])
def test_a_text_that_the_extract_leaves_empty_is_kept_with_a_warning(
    bcu: Bcu, saved: Case, decided_at: datetime | None
) -> None:
    Case.objects.update(decided_at=decided_at)
    preview = previewed(bcu, row(safety_note="", offence="Harassment"))
    assert preview.counts()["unchanged"] == 1
    (warned,) = preview.warnings
    assert (warned.column, "is kept" in warned.reason) == ("safety_note", True)


def test_an_extract_that_may_be_older_than_what_is_here_says_so(bcu: Bcu, saved: Case) -> None:
    older = previewed(bcu, row(offence="Arson"))
    (warned,) = older.warnings
    assert warned.reason == (
        "Saved here on 23 November 2026, 7:30am, after the last report of this extract: "
        "make sure that this extract is the newer."
    )
    newer = previewed(bcu, row(offence="Arson"), row(2, reported_at="23/11/2026 07:30"))
    assert not newer.warnings


def test_the_digest_tells_when_the_case_changed_meanwhile(bcu: Bcu, saved: Case) -> None:
    before = previewed(bcu, row(offence="Arson")).digest
    Case.objects.update(changed_at=NOW + timedelta(minutes=1))
    assert previewed(bcu, row(offence="Arson")).digest != before


def test_of_two_rows_with_one_reference_the_second_is_rejected(bcu: Bcu) -> None:
    preview = previewed(
        bcu, row(1, offence="Theft"), row(2, victim_type="State"), row(1, victim_type="State")
    )
    assert [(new.line, new.offence) for new in preview.new_cases] == [(2, "Theft"), (3, "Harassment")]
    assert preview.rejections == [
        Rejection(4, "crime_reference", "01/7300001/26", "The same reference is on line 2 of this file.")
    ]
    assert {warned.line for warned in preview.warnings} == {3}


def test_the_second_is_rejected_where_the_first_was_rejected_too(bcu: Bcu) -> None:
    preview = previewed(bcu, row(1, reported_at="never"), row(1))
    assert (preview.new, preview.rejected) == (0, 2)
    assert [rejection.line for rejection in preview.rejections] == [2, 3]


def test_a_ward_that_is_no_longer_given_is_taken_from_an_undecided_case_alone(bcu: Bcu, saved: Case) -> None:
    (changed,) = previewed(bcu, row(victim_postcode="")).changed_cases
    assert changed.columns == (Column.VICTIM_POSTCODE,)
    Case.objects.update(decided_at=NOW)
    preview = previewed(bcu, row(victim_postcode="", offence="Harassment"))
    assert preview.counts()["unchanged"] == 1
    assert "has no ward for this case: the one here is kept" in preview.warnings[-1].reason


def test_a_decided_case_whose_victim_moved_away_has_no_ward_here_any_more(bcu: Bcu, saved: Case) -> None:
    Case.objects.update(decided_at=NOW)
    (changed,) = previewed(bcu, row(victim_postcode="EN5 1AA")).changed_cases
    assert changed.columns == (Column.VICTIM_POSTCODE,)


@pytest.mark.parametrize("column", ["crime_or_incident", "crime_status", "hate_flag", "victim_under_18"])
@pytest.mark.parametrize("text", ["", "perhaps"])
def test_a_cell_that_says_nothing_of_the_crime_record_changes_nothing(
    bcu: Bcu, system: User, column: str, text: str
) -> None:
    ruled_out = {"crime_or_incident": "Incident", "crime_status": "Cancelled", "hate_flag": "N"}
    ruled_out["victim_under_18"] = "Y"
    import_cases(content=extract(row(**ruled_out)), bcu=bcu, by=system, at=NOW)
    assert previewed(bcu, row(**{**ruled_out, column: text})).counts()["unchanged"] == 1


def test_an_empty_cell_does_not_take_the_officer_in_the_case_away(bcu: Bcu, saved: Case) -> None:
    preview = previewed(bcu, row(officer_in_case=""))
    assert preview.counts()["unchanged"] == 1
    assert "has no officer in the case for this case: the one here is kept" in preview.warnings[-1].reason


def _crowded(preview: ImportPreview) -> list[tuple[int, str]]:
    return [
        (each.line, each.column) for each in preview.warnings if "This key is on more than" in each.reason
    ]


@pytest.mark.parametrize(("reports", "warned"), [(5, []), (6, [2, 3, 4, 5, 6, 7])])
def test_a_key_on_more_reports_than_one_person_has_is_warned_of(
    bcu: Bcu, reports: int, warned: list[int]
) -> None:
    rows = [row(number, victim_key="V1234567") for number in range(1, reports + 1)]
    assert _crowded(previewed(bcu, *rows)) == [(line, "victim_key") for line in warned]


def test_reports_that_are_here_count_and_those_of_other_months_do_not(bcu: Bcu, system: User) -> None:
    def rows(first: int, last: int, day: str) -> list[dict[str, str]]:
        return [row(n, victim_key="V1234567", reported_at=f"{day} 18:07") for n in range(first, last + 1)]

    old = rows(1, 3, "01/09/2026") + rows(4, 6, "10/11/2026")
    assert _crowded(import_cases(content=extract(*old), bcu=bcu, by=system, at=NOW)) == []
    new = rows(4, 6, "10/11/2026") + rows(7, 9, "22/11/2026")
    assert [line for line, _ in _crowded(previewed(bcu, *new))] == [2, 3, 4, 5, 6, 7]
    assert _crowded(previewed(bcu, *rows(7, 8, "22/11/2026"))) == []
