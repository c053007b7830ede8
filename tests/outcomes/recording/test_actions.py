"""Taking in outcomes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outcomes.models import OutcomeCode, RecordedOutcome
from outcomes.rates.readers import outcomes_by, outcomes_so_far
from outcomes.recording import actions
from outcomes.recording.actions import OutcomeReport, import_outcomes
from referrals.models import Case
from referrals.table_files.text import NotATable
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.factories import DecisionFactory, OutcomeCodeFactory, SubmissionFactory

MakeCase = Callable[..., Case]
Take = Callable[..., OutcomeReport]
HEADINGS = "crime_reference,outcome_code,recorded_at"


@pytest.fixture(autouse=True)
def codes(db: None) -> list[OutcomeCode]:
    """The 22 codes."""
    return [OutcomeCodeFactory.create(code=code) for code in range(1, 23)]


@pytest.fixture
def report_day(now: datetime) -> datetime:
    """Cases here were reported ten days ago."""
    return now - timedelta(days=10)


@pytest.fixture
def case(make_case: MakeCase, report_day: datetime) -> Case:
    return make_case(reported_at=report_day, crime_reference="01/7000001/26")


@pytest.fixture
def take(hcop: User, now: datetime) -> Take:
    """Imports these lines under the headings."""

    def take(*lines: str, by: User = hcop, headings: str = HEADINGS) -> OutcomeReport:
        return import_outcomes(content="\r\n".join([headings, *lines]).encode(), by=by, at=now)

    return take


def _kept() -> list[tuple[str, int, datetime]]:
    kept = RecordedOutcome.objects.order_by("recorded_at", "code")
    return list(kept.values_list("case__crime_reference", "code", "recorded_at"))


def test_outcomes_are_kept_with_their_time_in_london(
    take: Take, case: Case, hcop: User, now: datetime
) -> None:
    report = take("01/7000001/26,16,20/11/2026 14:05")
    assert report.as_json() == {
        "rows": 1,
        "new": 1,
        "unchanged": 0,
        "opened": 0,
        "rejected": 0,
        "rejections": [],
    }
    outcome = RecordedOutcome.objects.get()
    assert (outcome.case, outcome.code_id) == (case, 16)
    assert outcome.recorded_at == datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
    assert (outcome.imported_by, outcome.imported_at) == (hcop, now)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-20T14:05:30", datetime(2026, 11, 20, 14, 5, 30, tzinfo=UTC)),
        ("2026-11-20 14:05", datetime(2026, 11, 20, 14, 5, tzinfo=UTC)),
        ("2026-11-20T14:05:00+01:00", datetime(2026, 11, 20, 13, 5, tzinfo=UTC)),
        ("2026-11-20T14:05:00Z", datetime(2026, 11, 20, 14, 5, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
    ],
)
@pytest.mark.usefixtures("case")
def test_iso_dates_are_read(take: Take, written: str, moment: datetime) -> None:
    assert take(f"01/7000001/26,16,{written}").new == 1
    assert RecordedOutcome.objects.get().recorded_at == moment


def test_an_iso_time_without_an_offset_is_londons_in_summer(take: Take, make_case: MakeCase) -> None:
    make_case(crime_reference="01/7000002/26", reported_at=datetime(2026, 6, 1, tzinfo=UTC))
    take("01/7000002/26,18,2026-07-01T14:05:00")
    assert RecordedOutcome.objects.get().recorded_at == datetime(2026, 7, 1, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "written", ["9999-12-31 23:59:59.997", "9999-12-31T23:59:00-14:00", "0001-01-01T00:00:00+14:00"]
)
@pytest.mark.usefixtures("case")
def test_a_time_at_the_ends_of_time_rejects_its_row_alone(take: Take, written: str) -> None:
    report = take(f"01/7000001/26,16,{written}", "01/7000001/26,16,20/11/2026 14:05", '="",="",=""')
    assert (report.rows, report.new, report.rejected) == (2, 1, 1)


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(("1A", 1), ("1a", 1), ("1", 1), ("2A", 2), ("3a", 3), ("02A", 2), ("08", 8), (" 22 ", 22)),
        *(("16.0", 16), ("Outcome 16", 16), ("outcome type: 14", 14)),
        *(("16 - Victim does not support", 16), ("18: investigation complete", 18)),
    ],
)
def test_codes_as_systems_write_them(take: Take, written: str, code: int) -> None:
    assert take(f"01/7000001/26,{written},20/11/2026 14:05").rejected == 0
    kept = RecordedOutcome.objects.get()
    assert (kept.code_id, kept.written) == (code, written.strip())


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize("written", ["4A", "23", "12a", "16.5", "16 17", "Outcome", "A", "-1", "1 6"])
def test_what_is_no_code_is_rejected_in_one_sentence(take: Take, written: str) -> None:
    [rejection] = take(f"01/7000001/26,{written},20/11/2026 14:05").rejections
    assert "1 (or 1A) to 22" in rejection.reason
    assert not RecordedOutcome.objects.exists()


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize("written", ["", "0", "Under investigation", "not yet assigned"])
def test_a_case_that_is_open_again_has_no_outcome_any_more(
    take: Take, case: Case, leader: User, written: str
) -> None:
    DecisionFactory.create(case=case, suitable=True, submission=SubmissionFactory.create(bcu=case.bcu))
    Case.objects.filter(pk=case.pk).update(decided_at=case.reported_at)
    take("01/7000001/26,18,20/11/2026 14:05")
    assert outcomes_so_far(leader).closed == 1
    assert take(f"01/7000001/26,{written},21/11/2026 05:00").new == 1
    assert outcomes_so_far(leader).closed == 0
    assert take(f"01/7000001/26,{written},21/11/2026 05:00").unchanged == 1
    assert take("01/7000001/26,16,22/11/2026").new == 1
    assert outcomes_so_far(leader).attrition == 1
    assert list(outcomes_by(Case.objects.all()).values()) == [outcomes_so_far(leader)]


def _latest() -> int | None:
    return RecordedOutcome.objects.order_by("-recorded_at", "-pk").values_list("code", flat=True)[0]


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize(
    ("files", "latest"),
    [
        # One night's file had blank cells.
        (["16,20/11/2026", ",", "16,20/11/2026"], 16),
        # Open in the morning, closed on the same day, of which the file gives no time.
        (["18,20/11/2026", ",21/11/2026 05:00", "16,21/11/2026"], 16),
        # Never closed: an extract stamps what is open with its own time.
        ([",20/11/2026 05:00", "16,20/11/2026"], 16),
        # Put right, and back again, on one day.
        (["16,20/11/2026", "14,20/11/2026", "16,20/11/2026"], 16),
        (["16,20/11/2026", "14,20/11/2026", "16,20/11/2026", "14,20/11/2026"], 14),
        # What was so before a later outcome says nothing of now.
        (["16,20/11/2026", "18,22/11/2026", ",21/11/2026 05:00"], 18),
        (["18,22/11/2026", "16,20/11/2026"], 18),
        (["18,20/11/2026 10:00", ",20/11/2026"], None),
        (["18,20/11/2026", ",21/11/2026 05:00"], None),
    ],
)
def test_what_the_last_file_says_of_a_case_counts(take: Take, files: list[str], latest: int | None) -> None:
    for line in files:
        take(f"01/7000001/26,{line}")
        again = take(f"01/7000001/26,{line}")
        assert (again.new, again.unchanged) == (0, 1), "the same file once more changes nothing"
    assert _latest() == latest


@pytest.mark.usefixtures("case")
def test_a_case_that_was_never_closed_is_not_open_again_each_night(take: Take) -> None:
    for night in (20, 21, 22):
        assert take(f"01/7000001/26,,{night}/11/2026 05:00").unchanged == 1
    assert not RecordedOutcome.objects.exists()


@pytest.mark.usefixtures("case")
def test_how_many_are_open_again_is_said(take: Take) -> None:
    take("01/7000001/26,16,20/11/2026")
    assert take("01/7000001/26,Under investigation,21/11/2026 05:00").as_json()["opened"] == 1


def test_that_it_is_open_and_no_more_says_something_of_a_closed_case_alone(
    take: Take, case: Case, now: datetime
) -> None:
    assert take("01/7000001/26,,").unchanged == 1
    take("01/7000001/26,18,20/11/2026 14:05")
    assert take("01/7000001/26,0,").new == 1
    opened = RecordedOutcome.objects.get(code=None)
    assert (opened.recorded_at, opened.is_day) == (now, False)
    assert take("01/7000001/26,0,").unchanged == 1
    [rejection] = take("01/7000001/26,18,").rejections
    assert rejection.column == "recorded_at"


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize(
    "written",
    ["20/11/2026", "20-Nov-2026", "2026-11-20", "20th November 2026", "46346", "2026-11-20 00:00:00"],
)
def test_a_day_without_a_time_is_kept_as_a_day(take: Take, written: str) -> None:
    assert take(f"01/7000001/26,16,{written}").new == 1
    kept = RecordedOutcome.objects.get()
    assert (kept.recorded_at, kept.is_day) == (datetime(2026, 11, 20, tzinfo=UTC), True)


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize("written", ["31/11/2026", "24/11/2026", "November 2026", "20/11"])
def test_a_day_that_is_none_or_lies_in_the_future_is_rejected(take: Take, written: str) -> None:
    assert take(f"01/7000001/26,16,{written}").rejected == 1


@pytest.mark.parametrize(
    "headings",
    [
        "Crime Ref No,Outcome Type,Outcome Date",
        "crime_ref,Disposal,Date of outcome",
        "CRIME REFERENCE,Outcome,Recorded At",
    ],
)
def test_headings_are_known_by_their_meaning(take: Take, case: Case, headings: str) -> None:
    assert take("01/7000001/26,16,20/11/2026 14:05", headings=headings).new == 1


@pytest.mark.usefixtures("case")
def test_a_spreadsheets_apostrophe_and_what_cannot_be_seen_are_no_part_of_a_cell(take: Take) -> None:
    assert take("'01/7000001/26,'16\u200b,'20/11/2026 14:05").new == 1


@pytest.mark.usefixtures("case")
def test_a_repeated_import_changes_nothing(take: Take) -> None:
    lines = ("01/7000001/26,1A,20/11/2026 14:05", "01/7000001/26,16,21/11/2026 9:00")
    assert take(*lines).new == 2
    kept = _kept()
    report = take(*lines)
    assert (report.new, report.unchanged) == (0, 2)
    assert _kept() == kept


@pytest.mark.usefixtures("case")
def test_the_same_outcome_twice_in_a_file_is_kept_once(take: Take) -> None:
    report = take("01/7000001/26,1,20/11/2026 14:05", "01/7000001/26,1A,2026-11-20T14:05:00")
    assert (report.rows, report.new, report.unchanged) == (2, 1, 1)


@pytest.mark.usefixtures("case")
def test_a_case_that_reopens_keeps_its_history(take: Take) -> None:
    take("01/7000001/26,18,18/11/2026 9:00")
    take("01/7000001/26,1,20/11/2026 9:00")
    assert [code for _, code, _ in _kept()] == [18, 1]


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize(
    ("line", "column", "value", "reason"),
    [
        ("01/9999999/26,16,20/11/2026 14:05", "crime_reference", "01/9999999/26", "No case here has this"),
        (",16,20/11/2026 14:05", "crime_reference", "", "missing"),
        ("01/7000001/26,23,20/11/2026 14:05", "outcome_code", "23", "no such outcome code"),
        ("01/7000001/26,16,31/11/2026 14:05", "recorded_at", "31/11/2026 14:05", "no such date and time"),
        ("01/7000001/26,16,2026-02-30T10:00", "recorded_at", "2026-02-30T10:00", "no such date and time"),
        ("01/7000001/26,16,yesterday", "recorded_at", "yesterday", "Not a date and time"),
        ("01/7000001/26,16,29/03/2026 01:30", "recorded_at", "29/03/2026 01:30", "clocks went forward"),
        ("01/7000001/26,16,2026-03-29T01:30", "recorded_at", "2026-03-29T01:30", "clocks went forward"),
        ("01/7000001/26,16,23/11/2026 07:31", "recorded_at", "23/11/2026 07:31", "in the future"),
        ("01/7000001/26,16,12/11/2026 23:59", "recorded_at", "12/11/2026", "earlier than the report"),
        ("01/7000001/26,16", "recorded_at", "", "Not a date and time"),
        ("01/7000001/26,16,20/11/2026 14:05,x", "", "4", "4 cells where the headings have 3"),
    ],
)
def test_a_row_that_cannot_be_is_rejected_with_its_place_and_the_others_are_kept(
    take: Take, line: str, column: str, value: str, reason: str
) -> None:
    report = take("01/7000001/26,18,20/11/2026 10:00", line)
    assert (report.rows, report.new, report.rejected) == (2, 1, 1)
    [rejection] = report.rejections
    assert (rejection.line, rejection.column, rejection.value) == (3, column, value)
    assert reason in rejection.reason


@pytest.mark.usefixtures("case")
def test_rejections_of_a_file_come_by_line_and_a_row_with_two_faults_counts_once(take: Take) -> None:
    report = take(
        "01/9999999/26,16,20/11/2026 14:05", "01/7000001/26,99,soon", "01/9999998/26,16,20/11/2026 14:05"
    )
    assert report.rejected == 3
    assert [rejection.line for rejection in report.rejections] == [2, 3, 3, 4]


@pytest.mark.usefixtures("case")
def test_on_the_day_of_the_report_any_time_will_do(take: Take) -> None:
    assert take("01/7000001/26,16,2026-11-13").new == 1


def test_a_file_without_a_column_is_refused_whole(take: Take) -> None:
    with pytest.raises(NotATable, match="recorded_at"):
        take("01/7000001/26,16", headings="crime_reference,outcome_code")
    with pytest.raises(NotATable, match="there twice"):
        take(headings=f"{HEADINGS},outcome_code")


@pytest.mark.usefixtures("case")
def test_other_columns_and_orders_are_no_matter(take: Take) -> None:
    report = take(
        "20/11/2026 14:05,x,16,01/7000001/26", headings="recorded_at,officer,outcome_code,crime_reference"
    )
    assert report.new == 1


@pytest.mark.usefixtures("case")
def test_another_bcus_case_is_unknown_and_the_system_knows_all(
    take: Take, north_hcop: User, system: User, make_case: MakeCase, world: World, report_day: datetime
) -> None:
    make_case(ward=world.north_ward, crime_reference="01/7000009/26", reported_at=report_day)
    lines = ("01/7000001/26,16,20/11/2026 14:05", "01/7000009/26,18,20/11/2026 14:05")
    report = take(*lines, by=north_hcop)
    assert [rejection.value for rejection in report.rejections] == ["01/7000001/26"]
    assert take(*lines, by=system).new == 1
    assert len(_kept()) == 2


@pytest.mark.parametrize(
    "role", ["officer", "supervisor", "leader", "trial_lead", "auditor", "administrator"]
)
def test_nobody_else_may(take: Take, role: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotAllowed):
        take("01/7000001/26,16,20/11/2026 14:05", by=request.getfixturevalue(role))


@pytest.mark.usefixtures("case")
def test_the_audit_log_names_the_cases_and_no_code(take: Take, hcop: User) -> None:
    take("01/7000001/26,16,20/11/2026 14:05", "01/7000001/26,18,20/11/2026 15:05")
    entry = AuditEntry.objects.get(action=Action.OUTCOMES_IMPORTED)
    assert (entry.actor, entry.purpose, entry.references) == (hcop, Purpose.INTAKE, ["01/7000001/26"])
    assert entry.fields == ["outcome"]
    take("01/7000001/26,16,20/11/2026 14:05")
    assert AuditEntry.objects.latest("pk").references == []


@pytest.mark.usefixtures("case")
def test_without_its_audit_row_nothing_is_kept(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(actions, "record", fail)
    with pytest.raises(RuntimeError):
        take("01/7000001/26,16,20/11/2026 14:05")
    assert _kept() == []


def test_the_number_of_queries_does_not_grow_with_rows(
    take: Take, make_case: MakeCase, report_day: datetime
) -> None:
    def queries(count: int) -> int:
        cases = [make_case(reported_at=report_day) for _ in range(count)]
        lines = [f"{case.crime_reference},16,20/11/2026 14:05" for case in cases]
        with CaptureQueriesContext(connection) as captured:
            assert take(*lines).new == count
        return len(captured)

    assert queries(3) == queries(30)
