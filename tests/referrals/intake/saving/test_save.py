"""Saving an extract: the good rows in one transaction, or nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from referrals.intake.saving import save
from referrals.intake.saving.preview import ImportPreview
from referrals.intake.saving.save import import_cases, preview_cases
from referrals.models import Bcu, Case, CrimeRecordEvent, Decision, PersonalText, Referral, TextKind
from referrals.table_files.text import NotATable
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from tests.conftest import World
from tests.extracts import extract, reference, row
from tests.factories import NOW, DecisionFactory, ReferralFactory, SubmissionFactory

LATER = NOW + timedelta(hours=1)


def imported(bcu: Bcu, by: User, *rows: dict[str, str], at: datetime = NOW) -> ImportPreview:
    return import_cases(content=extract(*rows), bcu=bcu, by=by, at=at)


def history(of: str) -> int:
    return int(apps.get_model("referrals", f"{of}Event").objects.count())


def test_a_new_row_becomes_a_case_with_its_texts(bcu: Bcu, world: World, hcop: User) -> None:
    imported(bcu, hcop, row(communication_need="BSL", contact_wishes=""))
    case = Case.objects.get()
    assert case.crime_reference == reference(1)
    assert case.bcu == bcu
    assert case.ward == world.wards[0]
    assert case.reported_at == datetime(2026, 11, 22, 18, 7, tzinfo=UTC)
    assert case.strands == ["race"]
    assert (case.imported_at, case.changed_at, case.decided_at) == (NOW, NOW, None)
    assert dict(PersonalText.objects.values_list("kind", "body")) == {
        TextKind.SAFETY_NOTE: "Dog at address",
        TextKind.COMMUNICATION_NEED: "BSL",
    }


def test_a_rejected_row_keeps_no_good_row_back(bcu: Bcu, hcop: User) -> None:
    preview = imported(bcu, hcop, row(1), row(2, reported_at="never"), row(3))
    assert preview.counts() == {"rows": 3, "new": 2, "unchanged": 0, "changed": 0, "rejected": 1}
    assert set(Case.objects.values_list("crime_reference", flat=True)) == {reference(1), reference(3)}


def test_a_minimal_file_makes_cases_to_be_looked_at(bcu: Bcu, hcop: User) -> None:
    content = extract(row(), columns=["crime_reference", "reported_at"])
    import_cases(content=content, bcu=bcu, by=hcop, at=NOW)
    case = Case.objects.get()
    assert (case.ward, case.offence, case.is_crime, case.victim_type) == (None, "", True, "individual")


def test_changes_are_saved_and_dated_and_nothing_else_is(bcu: Bcu, world: World, hcop: User) -> None:
    imported(bcu, hcop, row(1), row(2), row(3))
    untouched = Case.objects.filter(crime_reference=reference(3)).values().get()
    imported(
        bcu,
        hcop,
        row(1, offence="Arson", victim_postcode="CR4 2YE", hate_strands="Disability"),
        row(2, safety_note="Two dogs", communication_need="BSL", contact_wishes="Telephone only"),
        row(3),
        at=LATER,
    )
    first, second = (Case.objects.get(crime_reference=reference(number)) for number in (1, 2))
    assert (first.offence, first.ward, first.strands) == ("Arson", world.wards[1], ["disability"])
    assert (first.imported_at, first.changed_at) == (NOW, LATER)
    assert (second.offence, second.ward, second.changed_at) == ("Harassment", world.wards[0], LATER)
    assert dict(second.texts.values_list("kind", "body")) == {
        TextKind.SAFETY_NOTE: "Two dogs",
        TextKind.COMMUNICATION_NEED: "BSL",
        TextKind.CONTACT_WISHES: "Telephone only",
    }
    assert {text.changed_at for text in first.texts.all()} == {NOW}
    assert Case.objects.filter(crime_reference=reference(3)).values().get() == untouched


def test_a_decided_case_keeps_what_allocation_froze(bcu: Bcu, hcop: User) -> None:
    imported(bcu, hcop, row())
    Case.objects.update(decided_at=NOW)
    imported(bcu, hcop, row(offence="Arson", repeat_victim="Y", safety_note="Two dogs"), at=LATER)
    case = Case.objects.get()
    assert case.offence == "Harassment"
    assert case.ward is not None
    assert case.texts.get(kind=TextKind.SAFETY_NOTE).body == "Two dogs"


def test_the_same_file_again_writes_no_case_text_or_history(bcu: Bcu, hcop: User) -> None:
    rows = [row(number) for number in range(5)]
    imported(bcu, hcop, *rows)
    before = history("Case"), history("PersonalText")
    assert before == (5, 10)
    with CaptureQueriesContext(connection) as queries:
        preview = imported(bcu, hcop, *rows, at=LATER)
    assert preview.counts() == {"rows": 5, "new": 0, "unchanged": 5, "changed": 0, "rejected": 0}
    assert (history("Case"), history("PersonalText")) == before
    written = [
        q["sql"]
        for q in queries
        if q["sql"].startswith(("INSERT", "UPDATE", "DELETE")) and "staged" not in q["sql"]
    ]
    assert [sql.split('"')[1] for sql in written] == ["audit_auditentry"]


def test_history_says_who_and_holds_one_row_for_each_change(bcu: Bcu, hcop: User) -> None:
    imported(bcu, hcop, row(1), row(2))
    imported(bcu, hcop, row(1, repeat_victim="Y"), row(2), at=LATER)
    events = apps.get_model("referrals", "CaseEvent").objects.order_by("pgh_id")
    assert list(events.values_list("pgh_label", "crime_reference")) == [
        ("insert", reference(1)),
        ("insert", reference(2)),
        ("update", reference(1)),
    ]


def test_the_audit_log_names_references_and_fields_and_no_value(bcu: Bcu, hcop: User) -> None:
    imported(bcu, hcop, row(1), row(2))
    imported(bcu, hcop, row(1, safety_note="Two dogs", victim_postcode=""), row(3))
    imported(bcu, hcop, row(3))
    entries = AuditEntry.objects.filter(action=Action.CASES_IMPORTED).order_by("pk")
    assert [(entry.references, len(entry.fields)) for entry in entries] == [
        ([reference(1), reference(2)], 18),
        ([reference(3)], 18),
        ([reference(1)], 2),
        ([], 0),
    ]
    assert entries[2].fields == ["safety_note", "ward"]
    assert {(entry.actor, entry.purpose, entry.subject) for entry in entries} == {
        (hcop, Purpose.INTAKE, "case")
    }


def test_nothing_is_saved_when_the_audit_row_cannot_be(
    bcu: Bcu, hcop: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("full")

    monkeypatch.setattr(save, "record", fails)
    with pytest.raises(RuntimeError):
        imported(bcu, hcop, row())
    assert not Case.objects.exists()
    assert history("Case") == 0


def test_what_is_no_table_saves_nothing(bcu: Bcu, hcop: User) -> None:
    with pytest.raises(NotATable):
        import_cases(content=b"", bcu=bcu, by=hcop, at=NOW)
    assert not Case.objects.exists()


def test_a_preview_saves_nothing_and_is_recorded(bcu: Bcu, hcop: User) -> None:
    imported(bcu, hcop, row(1))
    content = extract(row(1, offence="Arson"), row(2), row(3, reported_at="never"))
    preview = preview_cases(content=content, bcu=bcu, by=hcop, at=NOW)
    assert preview.counts() == {"rows": 3, "new": 1, "unchanged": 0, "changed": 1, "rejected": 1}
    assert Case.objects.get().offence == "Harassment"
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.references) == (Action.LIST_SHOWN, [reference(1), reference(2)])


def test_only_who_may_import_for_the_bcu_may_import(
    bcu: Bcu, officer: User, administrator: User, north_hcop: User
) -> None:
    for user in (officer, administrator, north_hcop):
        for act in (import_cases, preview_cases):
            with pytest.raises(NotAllowed):
                act(content=extract(row()), bcu=bcu, by=user, at=NOW)
    assert not Case.objects.exists()


def test_saving_takes_as_many_queries_for_many_rows_as_for_few(bcu: Bcu, hcop: User) -> None:
    def queries(*rows: dict[str, str]) -> int:
        with CaptureQueriesContext(connection) as captured:
            imported(bcu, hcop, *rows)
        return len(captured)

    few = queries(row(1), row(2), row(3))
    many = queries(*(row(number) for number in range(100, 400)))
    assert few == many
    few = queries(*(row(n, offence="Arson", safety_note="", communication_need="BSL") for n in (1, 2, 3)))
    many = queries(
        *(row(n, offence="Arson", safety_note="", communication_need="BSL") for n in range(100, 400))
    )
    assert few == many


def test_more_rows_than_one_chunk_are_all_saved(bcu: Bcu, hcop: User) -> None:
    rows = [row(number) for number in range(2_100)]
    assert imported(bcu, hcop, *rows).counts()["new"] == 2_100
    assert Case.objects.count() == 2_100
    rows = [row(number, officer_in_case=f"PC {number}", safety_note="") for number in range(2_100)]
    assert imported(bcu, hcop, *rows, at=LATER).counts()["changed"] == 2_100
    assert Case.objects.get(crime_reference=reference(2_099)).officer_in_case == "PC 2099"
    assert imported(bcu, hcop, *rows, at=LATER).counts()["unchanged"] == 2_100


def test_what_changes_on_the_crime_record_of_a_referred_case_reaches_its_team(bcu: Bcu, hcop: User) -> None:
    imported(bcu, hcop, row(1), row(2), row(3))
    for number in (1, 2):
        ReferralFactory.create(case=Case.objects.get(crime_reference=reference(number)))
    Case.objects.update(decided_at=NOW)
    imported(bcu, hcop, row(1, crime_status="Cancelled"), row(2, safety_note="Two dogs"), row(3), at=LATER)
    cancelled, changed = Referral.objects.order_by("case__crime_reference")
    assert (cancelled.status, cancelled.close_reason) == ("closed", "cancelled")
    assert (cancelled.closed_by, cancelled.closed_at) == (hcop, LATER)
    assert [notice.changed for notice in changed.notices.all()] == [["safety_note"]]
    assert not cancelled.notices.exists()


def test_a_case_that_is_not_decided_has_no_event_when_its_crime_is_cancelled(bcu: Bcu, hcop: User) -> None:
    imported(bcu, hcop, row(1))
    imported(bcu, hcop, row(1, crime_status="Cancelled"), at=LATER)
    assert Case.objects.get().crime_status == "cancelled"
    assert not CrimeRecordEvent.objects.exists()


def test_what_follows_a_change_is_undone_with_it(
    bcu: Bcu, hcop: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("full")

    imported(bcu, hcop, row(1))
    Case.objects.update(decided_at=NOW)
    monkeypatch.setattr(save, "_record", fails)
    with pytest.raises(RuntimeError):
        imported(bcu, hcop, row(1, crime_status="Cancelled"), at=LATER)
    assert Case.objects.get().crime_status == "recorded"
    assert not CrimeRecordEvent.objects.exists()


def test_a_draft_of_a_report_that_changes_is_not_as_it_was_seen(bcu: Bcu, hcop: User) -> None:
    imported(bcu, hcop, row(1), row(2), row(3))
    drafts = [DecisionFactory.create(case=case) for case in Case.objects.order_by("crime_reference")]
    Decision.objects.filter(pk=drafts[2].pk).update(submission=SubmissionFactory.create(bcu=bcu))
    imported(bcu, hcop, row(1, victim_type="Organisation"), row(2), row(3, safety_note="Two dogs"))
    versions = Decision.objects.order_by("pk").values_list("version", flat=True)
    assert list(versions) == [2, 1, 1]


def test_of_a_decided_case_no_team_is_asked_for_in_the_overnight_review(bcu: Bcu, hcop: User) -> None:
    def asked(*rows: dict[str, str]) -> list[int]:
        preview = imported(bcu, hcop, *rows)
        return [warned.line for warned in preview.warnings if "choose a team" in warned.reason]

    nowhere = {"victim_postcode": ""}
    assert asked(row(1, **nowhere), row(2, **nowhere)) == [2, 3]
    Case.objects.filter(crime_reference=reference(1)).update(decided_at=NOW)
    assert asked(row(1, **nowhere), row(2, **nowhere)) == [3]
