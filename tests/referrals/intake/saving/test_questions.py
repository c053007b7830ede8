"""What an extract leaves open is asked before the decision, and never taken for a silent no."""

from typing import Any

import pytest

from referrals.intake.saving.preview import ImportPreview
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case, Question, Strand
from referrals.review.actions.drafts import answer_questions
from src_app.accounts.models import User
from tests.extracts import extract, reference, row
from tests.factories import NOW


def save(bcu: Bcu, by: User, *rows: dict[str, str]) -> ImportPreview:
    return import_cases(content=extract(*rows), bcu=bcu, by=by, at=NOW)


@pytest.mark.parametrize(
    ("cells", "question"),
    [
        ({"repeat_victim": "see log"}, Question.REPEAT_VICTIM),
        ({"hate_strands": "RI"}, Question.STRANDS),
    ],
)
def test_what_is_not_understood_is_a_question_and_a_warning(
    bcu: Bcu, system: User, cells: dict[str, str], question: Question
) -> None:
    preview = save(bcu, system, row(**cells))
    assert Case.objects.get().questions == [question]
    assert [warned.column for warned in preview.warnings if warned.column in cells] == [*cells]


def test_an_empty_cell_and_a_strand_beside_another_word_are_no_questions(bcu: Bcu, system: User) -> None:
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


def test_a_case_that_is_here_and_waits_is_tagged_too(bcu: Bcu, system: User, hcop: User) -> None:
    save(bcu, system, row(1))
    save(bcu, system, *_pair())
    case = Case.objects.get(crime_reference=reference(1))
    assert case.questions == [Question.ANOTHER_VICTIM]
    answer_questions(case_id=case.pk, looked_for_another_victim=True, by=hcop, at=NOW)
    case.refresh_from_db()
    assert case.questions == []
