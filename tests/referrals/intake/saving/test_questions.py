"""What an extract leaves open is asked before the decision, and never taken for a silent no."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from referrals.intake.saving.preview import ImportPreview
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case, Decision, Question, Strand, TextKind
from referrals.review.actions.drafts import answer_questions, draft_suitable
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.extracts import extract, reference, row
from tests.factories import NOW, DecisionFactory, SubmissionFactory

LATER = NOW + timedelta(hours=1)


def save(bcu: Bcu, by: User, *rows: dict[str, str], at: datetime = NOW) -> ImportPreview:
    return import_cases(content=extract(*rows), bcu=bcu, by=by, at=at)


@pytest.mark.parametrize(
    ("cells", "question"),
    [
        ({"repeat_victim": "see log"}, Question.REPEAT_VICTIM),
        ({"hate_strands": "RI"}, Question.STRANDS),
        ({"hate_strands": "Disability; Anti-Romany"}, Question.STRANDS),
    ],
)
def test_what_is_not_understood_is_a_question_and_a_warning(
    bcu: Bcu, system: User, cells: dict[str, str], question: Question
) -> None:
    preview = save(bcu, system, row(**cells))
    assert Case.objects.get().questions == [question]
    assert [warned.column for warned in preview.warnings if warned.column in cells] == [*cells]


def test_an_empty_cell_and_race_beside_another_word_are_no_questions(bcu: Bcu, system: User) -> None:
    save(bcu, system, row(repeat_victim="", hate_strands="Race; Goth"))
    case = Case.objects.get()
    assert (case.questions, case.repeat_victim, case.strands) == ([], False, ["race"])


def test_a_later_extract_that_says_it_answers_the_question_even_with_no(bcu: Bcu, system: User) -> None:
    save(bcu, system, row(repeat_victim="see log", hate_strands="RI"))
    preview = save(bcu, system, row(repeat_victim="N", hate_strands="Race"))
    case = Case.objects.get()
    assert preview.changed == 1
    assert (case.questions, case.repeat_victim, case.strands) == ([], False, ["race"])


def test_the_same_extract_again_keeps_what_the_hcop_answered(bcu: Bcu, system: User, hcop: User) -> None:
    asked = row(repeat_victim="see log", hate_strands="RI")
    save(bcu, system, asked)
    case = Case.objects.get()
    answer_questions(case_id=case.pk, repeat_victim=True, strands=[Strand.RACE], by=hcop, at=NOW)
    assert save(bcu, system, asked).unchanged == 1
    case.refresh_from_db()
    assert (case.questions, case.repeat_victim, case.strands) == ([], True, ["race"])


@pytest.mark.parametrize("strands", ["Disability; Anti-Romany", "Anti-Romany"])
def test_strands_that_are_partly_understood_are_asked_once_and_the_answer_stays(
    bcu: Bcu, system: User, hcop: User, strands: str
) -> None:
    """A trial may balance by race: what is not understood may be race."""
    asked = row(hate_strands=strands)
    save(bcu, system, asked)
    assert save(bcu, system, asked).unchanged == 1
    case = Case.objects.get()
    assert (case.questions, case.strands) == ([Question.STRANDS], ["disability"] * ("Disab" in strands))
    answer_questions(case_id=case.pk, strands=[Strand.RACE], by=hcop, at=NOW)
    assert save(bcu, system, asked).unchanged == 1
    case.refresh_from_db()
    assert (case.questions, case.strands) == ([], ["race"])


@pytest.mark.parametrize(
    ("before", "later", "question"),
    [
        ({"repeat_victim": ""}, {"repeat_victim": "see log"}, Question.REPEAT_VICTIM),
        ({"hate_strands": ""}, {"hate_strands": "RI"}, Question.STRANDS),
        ({"hate_strands": ""}, {"hate_strands": "Religion; RI"}, Question.STRANDS),
    ],
)
def test_what_was_never_said_is_asked_once_a_later_extract_is_not_understood(
    bcu: Bcu, system: User, hcop: User, before: dict[str, str], later: dict[str, str], question: Question
) -> None:
    save(bcu, system, row(**before))
    case = Case.objects.get()
    draft = draft_suitable(case_id=case.pk, version=None, by=hcop, at=NOW)
    preview = save(bcu, system, row(**later), at=LATER)
    case.refresh_from_db()
    assert (preview.changed, case.questions, case.changed_at) == (1, [question], LATER)
    assert preview.changed_cases[0].words.endswith("a question to answer")
    assert Decision.objects.get().version == draft.version + 1
    assert save(bcu, system, row(**later)).unchanged == 1
    answers: dict[str, Any] = {"repeat_victim": True, "strands": [Strand.RACE]}
    answer_questions(case_id=case.pk, **{question.value: answers[question.value]}, by=hcop, at=NOW)
    assert save(bcu, system, row(**later)).unchanged == 1
    case.refresh_from_db()
    assert case.questions == []


def test_what_was_said_before_is_not_asked(bcu: Bcu, system: User) -> None:
    save(bcu, system, row(repeat_victim="Y", hate_strands="Race"))
    assert save(bcu, system, row(repeat_victim="see log", hate_strands="RI")).unchanged == 1
    save(bcu, system, row(repeat_victim="N"))
    assert save(bcu, system, row(repeat_victim="see log")).unchanged == 1
    case = Case.objects.get()
    assert (case.questions, case.repeat_victim, case.strands) == ([], False, ["race"])


def _migrate() -> None:
    """Makes of the cases what the migration makes of those from before."""
    Case.objects.update(settled=[])
    with connection.cursor() as cursor:
        cursor.execute(import_module("referrals.migrations.0013_settled_questions").SETTLE)


@pytest.mark.parametrize(
    ("cells", "answers"),
    [
        ({"hate_strands": "Religion; RI"}, {"strands": [Strand.RACE]}),
        ({"hate_strands": "Religion; RI"}, {"strands": []}),
        ({"hate_strands": "RI"}, {"strands": []}),
        ({"repeat_victim": "see log"}, {"repeat_victim": False}),
        ({"repeat_victim": "see log", "hate_strands": "RI"}, {"repeat_victim": True, "strands": []}),
    ],
)
@pytest.mark.parametrize("is_answered_before", [True, False])
def test_a_case_from_before_questions_were_settled_keeps_its_answers(
    bcu: Bcu,
    system: User,
    hcop: User,
    cells: dict[str, str],
    answers: dict[str, Any],
    is_answered_before: bool,
) -> None:
    save(bcu, system, row(**cells), row(2))
    case = Case.objects.get(crime_reference=reference(1))

    def answer() -> None:
        answer_questions(case_id=case.pk, **answers, by=hcop, at=NOW)

    for step in (answer, _migrate) if is_answered_before else (_migrate, answer):
        step()
    assert save(bcu, system, row(**cells), row(2)).unchanged == 2
    case.refresh_from_db()
    assert {name: getattr(case, name) for name in answers} == answers
    assert case.questions == []


def test_what_a_case_from_before_was_never_asked_is_asked(bcu: Bcu, system: User) -> None:
    save(bcu, system, row(repeat_victim="", hate_strands=""))
    _migrate()
    save(bcu, system, row(repeat_victim="see log", hate_strands="RI"))
    assert set(Case.objects.get().questions) == {Question.REPEAT_VICTIM, Question.STRANDS}


def _pair(**second: Any) -> list[dict[str, str]]:
    return [row(1), {**row(2), "crime_reference": reference(1), **second}, row(3)]


def test_of_two_rows_of_one_crime_with_two_victims_the_first_is_kept_and_tagged(
    bcu: Bcu, system: User
) -> None:
    preview = save(bcu, system, *_pair())
    assert preview.counts() == {"rows": 3, "new": 2, "unchanged": 0, "changed": 0, "rejected": 1}
    (rejection,) = preview.rejections
    assert (rejection.line, rejection.value) == (3, reference(1))
    assert rejection.reason.startswith("Line 2 has the same crime with another victim")
    assert (2, "victim_key") in [(warned.line, warned.column) for warned in preview.warnings]
    assert Case.objects.get(crime_reference=reference(1)).questions == [Question.ANOTHER_VICTIM]
    assert Case.objects.get(crime_reference=reference(3)).questions == []


@pytest.mark.parametrize("second", [{"victim_key": "V730001"}, {"victim_key": ""}, {"victim_key": "unknown"}])
def test_a_mere_repetition_tags_nothing(bcu: Bcu, system: User, second: dict[str, str]) -> None:
    preview = save(bcu, system, *_pair(**second))
    assert preview.rejections[0].reason == "The same reference is on line 2 of this file."
    assert set(map(str, Case.objects.values_list("questions", flat=True))) == {"[]"}


def test_a_case_that_is_here_and_waits_is_tagged_once_for_each_other_victim(
    bcu: Bcu, system: User, hcop: User
) -> None:
    save(bcu, system, row(1), row(3))
    case = Case.objects.get(crime_reference=reference(1))
    draft = draft_suitable(case_id=case.pk, version=None, by=hcop, at=NOW)
    preview = save(bcu, system, *_pair(), at=LATER)
    case.refresh_from_db()
    assert (case.questions, case.changed_at) == ([Question.ANOTHER_VICTIM], LATER)
    assert preview.counts() == {"rows": 3, "new": 0, "unchanged": 1, "changed": 1, "rejected": 1}
    assert Decision.objects.get().version == draft.version + 1
    entry = AuditEntry.objects.filter(action=Action.CASES_IMPORTED).latest("pk")
    assert (entry.references, entry.fields) == ([reference(1)], ["questions"])
    answer_questions(case_id=case.pk, looked_for_another_victim=True, by=hcop, at=NOW)
    for _ in range(2):
        assert save(bcu, system, *_pair()).unchanged == 2
    case.refresh_from_db()
    assert case.questions == []
    assert save(bcu, system, *_pair(victim_key="V730009")).changed == 1
    case.refresh_from_db()
    assert case.questions == [Question.ANOTHER_VICTIM]


A = row(1, safety_note="A: ring at work only", victim_under_18="N", repeat_victim="N", officer_in_case="PC 1")
B = {
    **row(
        1, safety_note="B: son takes messages", victim_under_18="Y", repeat_victim="Y", officer_in_case="PC 2"
    ),
    "victim_key": "V730002",
    "victim_postcode": "CR4 2YE",
}


def _victim(case: Case) -> list[object]:
    note = case.texts.get(kind=TextKind.SAFETY_NOTE).body
    return [case.victim_hash, note, case.victim_under_18, case.repeat_victim, case.ward_id]


def _decide(case: Case) -> None:
    DecisionFactory.create(case=case, submission=SubmissionFactory.create(bcu=case.bcu, submitted_at=NOW))
    Case.objects.filter(pk=case.pk).update(decided_at=NOW)


@pytest.mark.parametrize("is_decided", [False, True])
@pytest.mark.parametrize("rows", [(A, B), (B, A), (B,), (B, B), (B, {**B, "victim_key": "V730003"})])
def test_the_victim_of_a_case_stays_whoever_else_a_later_extract_has(
    bcu: Bcu, system: User, world: World, is_decided: bool, rows: tuple[dict[str, str], ...]
) -> None:
    save(bcu, system, A)
    case = Case.objects.get()
    if is_decided:
        _decide(case)
    before = _victim(case)
    preview = save(bcu, system, *rows)
    case.refresh_from_db()
    assert _victim(case) == before
    assert case.questions == ([] if is_decided else [Question.ANOTHER_VICTIM])
    assert case.officer_in_case == ("PC 1" if A in rows else "PC 2")
    assert "victim_key" in [warned.column for warned in preview.warnings]


def test_another_victims_row_is_warned_of_in_one_sentence(bcu: Bcu, system: User, world: World) -> None:
    save(bcu, system, A)
    (warned,) = [each for each in save(bcu, system, B).warnings if each.column == "victim_key"]
    assert warned.reason == (
        "The case has another victim: nothing that the extract says of this one is taken over. Look at the "
        "crime record."
    )


def test_the_row_of_the_cases_own_victim_is_kept_wherever_it_stands(bcu: Bcu, system: User) -> None:
    save(bcu, system, A)
    preview = save(bcu, system, B, {**A, "safety_note": "A: not at work"})
    assert [(each.line, each.reason[:6]) for each in preview.rejections] == [(2, "Line 3")]
    assert Case.objects.get().texts.get(kind=TextKind.SAFETY_NOTE).body == "A: not at work"


def test_a_waiting_case_without_a_victims_key_may_get_one(bcu: Bcu, system: User) -> None:
    save(bcu, system, {**A, "victim_key": ""})
    preview = save(bcu, system, B)
    case = Case.objects.get()
    assert (case.questions, case.victim_under_18, case.victim_hash != "") == ([], True, True)
    assert "victim_key" not in [warned.column for warned in preview.warnings]
