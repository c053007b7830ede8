"""Drafting decisions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from referrals.models import (
    Case,
    ContactBy,
    Decision,
    PersonalText,
    Question,
    Reason,
    Restriction,
    Strand,
    TextKind,
)
from referrals.review.actions import drafts
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.conftest import World
from tests.database import refused_by
from tests.factories import DecisionFactory, PersonalTextFactory, TeamFactory

MakeCase = Callable[..., Case]


def test_a_mark_is_a_draft_with_its_author_and_an_audit_row(
    make_case: MakeCase, hcop: User, now: datetime
) -> None:
    case = make_case()
    decision = drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now)
    assert (decision.suitable, decision.drafted_by, decision.drafted_at) == (True, hcop, now)
    assert decision.submission is None
    entry = AuditEntry.objects.get(action=Action.DECISION_DRAFTED)
    assert entry.references == [case.crime_reference]
    assert entry.actor == hcop


def test_a_mark_can_be_changed_and_cleared(make_case: MakeCase, hcop: User, now: datetime) -> None:
    case = make_case()
    first = drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now)
    second = drafts.draft_not_suitable(
        case_id=case.pk,
        version=first.version,
        reason=Reason.DUPLICATE,
        contact_by=ContactBy.INVESTIGATOR,
        duplicate_of="01/7654321/26",
        by=hcop,
        at=now,
    )
    assert (second.suitable, second.why) == (False, "Duplicate of another report: 01/7654321/26")
    third = drafts.draft_suitable(case_id=case.pk, version=second.version, by=hcop, at=now)
    assert (third.reason, third.contact_by, third.duplicate_of) == ("", "", "")
    drafts.clear_draft(case_id=case.pk, version=third.version, by=hcop, at=now)
    assert not Decision.objects.exists()


def test_a_duplicate_is_of_another_report(make_case: MakeCase, hcop: User, now: datetime) -> None:
    case = make_case()
    given: dict[str, Any] = {"reason": Reason.DUPLICATE, "contact_by": ContactBy.INVESTIGATOR, "at": now}
    for other, words in (("", "Say of which report"), (case.crime_reference, "That is this report itself")):
        with pytest.raises(Refused, match=words):
            drafts.draft_not_suitable(case_id=case.pk, version=None, duplicate_of=other, by=hcop, **given)
    assert not Decision.objects.exists()


def test_two_reports_are_not_each_a_duplicate_of_the_other(
    make_case: MakeCase, hcop: User, other_hcop: User, now: datetime
) -> None:
    one, other = make_case(), make_case()
    given: dict[str, Any] = {"reason": Reason.DUPLICATE, "contact_by": ContactBy.INVESTIGATOR, "at": now}
    drafts.draft_not_suitable(
        case_id=one.pk, version=None, duplicate_of=other.crime_reference, by=hcop, **given
    )
    with pytest.raises(Refused, match="are each said to be a duplicate of the other: decide which"):
        drafts.draft_not_suitable(
            case_id=other.pk, version=None, duplicate_of=one.crime_reference, by=other_hcop, **given
        )
    assert Decision.objects.count() == 1


def test_of_two_people_who_decide_the_same_case_one_wins_and_the_other_is_told(
    make_case: MakeCase, hcop: User, other_hcop: User, now: datetime
) -> None:
    case = make_case()
    drafts.draft_suitable(case_id=case.pk, version=None, by=other_hcop, at=now)
    with pytest.raises(drafts.Overtaken, match=r"Deputy HCOP South West marked .* suitable at 7:30am"):
        drafts.draft_not_suitable(
            case_id=case.pk,
            version=None,
            reason=Reason.DUPLICATE,
            contact_by=ContactBy.INVESTIGATOR,
            duplicate_of="01/7654321/26",
            by=hcop,
            at=now,
        )
    assert Decision.objects.get().suitable


def test_a_mark_that_somebody_took_off_meanwhile_is_not_put_back_unseen(
    make_case: MakeCase, hcop: User, other_hcop: User, now: datetime
) -> None:
    case = make_case()
    seen = drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now).version
    drafts.clear_draft(case_id=case.pk, version=seen, by=other_hcop, at=now)
    with pytest.raises(drafts.Overtaken, match="took the mark off"):
        drafts.draft_suitable(case_id=case.pk, version=seen, by=hcop, at=now)


def test_a_double_tap_is_one_mark(make_case: MakeCase, hcop: User, now: datetime) -> None:
    case = make_case()
    for _ in range(2):
        decision = drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now)
    assert (decision.suitable, decision.drafted_at) == (True, now)
    assert AuditEntry.objects.filter(action=Action.DECISION_DRAFTED).count() == 1


def test_an_incident_that_is_no_crime_cannot_be_suitable(
    make_case: MakeCase, world: World, hcop: User, now: datetime
) -> None:
    case = make_case(is_crime=False)
    with pytest.raises(Refused, match="incident, not a crime"):
        drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now)
    with pytest.raises(Refused, match="incident, not a crime"):
        drafts.choose_team(case_id=case.pk, version=None, team=world.teams[1], why="Refuge", by=hcop, at=now)
    assert not Decision.objects.exists()


def test_a_decided_case_cannot_be_marked_again(make_case: MakeCase, hcop: User, now: datetime) -> None:
    case = make_case(decided_at=now)
    with pytest.raises(drafts.Overtaken, match="put the decision right from the page of the case"):
        drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now)


def test_a_case_of_another_bcu_does_not_exist(make_case: MakeCase, north_hcop: User, now: datetime) -> None:
    case = make_case()
    with pytest.raises(Case.DoesNotExist):
        drafts.draft_suitable(case_id=case.pk, version=None, by=north_hcop, at=now)


def test_an_officer_may_not_decide(make_case: MakeCase, officer: User, now: datetime) -> None:
    case = make_case()
    with pytest.raises(NotAllowed):
        drafts.draft_suitable(case_id=case.pk, version=None, by=officer, at=now)


@pytest.mark.parametrize("reason", [Reason.HIGH_RISK, Reason.ASKED_FOR_CONTACT])
def test_a_case_referred_anyway_goes_to_the_neighbourhood_team_alone(
    make_case: MakeCase, hcop: User, now: datetime, reason: Reason
) -> None:
    case = make_case()
    with pytest.raises(Refused, match="neighbourhood team"):
        drafts.draft_not_suitable(
            case_id=case.pk,
            version=None,
            reason=reason,
            contact_by=ContactBy.INVESTIGATOR,
            by=hcop,
            at=now,
        )
    with refused_by("decision_referred_anyway_goes_to_team"):
        DecisionFactory.create(case=case, suitable=False, reason=reason, contact_by=ContactBy.INVESTIGATOR)


def test_not_suitable_without_a_reason_is_forbidden_by_the_database(make_case: MakeCase) -> None:
    with refused_by("decision_not_suitable_says_why_and_who"):
        DecisionFactory.create(case=make_case(), suitable=False)


def test_a_team_is_chosen_with_a_reason_that_is_kept_apart(
    make_case: MakeCase, world: World, hcop: User, now: datetime
) -> None:
    case = make_case(ward=None)
    decision = drafts.choose_team(
        case_id=case.pk, version=None, team=world.teams[4], why="In a hotel", by=hcop, at=now
    )
    assert decision.team == world.teams[4]
    assert PersonalText.objects.get(case=case, kind=TextKind.TEAM_REASON).body == "In a hotel"


def test_marking_again_keeps_the_team_of_a_case_without_a_ward(
    make_case: MakeCase, world: World, hcop: User, other_hcop: User, now: datetime
) -> None:
    case = make_case(ward=None)
    chosen = drafts.choose_team(
        case_id=case.pk, version=None, team=world.teams[4], why="In a hotel", by=hcop, at=now
    )
    again = drafts.draft_suitable(case_id=case.pk, version=chosen.version, by=other_hcop, at=now)
    assert again.team == world.teams[4]


def test_a_team_chosen_for_a_refuge_stays_until_the_mark_is_taken_off(
    make_case: MakeCase, world: World, hcop: User, now: datetime
) -> None:
    """The case has a ward: its own team may not be the one that calls."""
    case = make_case()
    chosen = drafts.choose_team(
        case_id=case.pk, version=None, team=world.teams[4], why="Refuge", by=hcop, at=now
    )
    again = drafts.draft_suitable(case_id=case.pk, version=chosen.version, by=hcop, at=now)
    assert again == drafts.draft_suitable(case_id=case.pk, version=chosen.version, by=hcop, at=now)
    outside = drafts.draft_not_suitable(
        case_id=case.pk,
        version=again.version,
        reason=Reason.HIGH_RISK,
        contact_by=ContactBy.NEIGHBOURHOOD_TEAM,
        by=hcop,
        at=now,
    )
    assert again.team == outside.team == world.teams[4]
    drafts.clear_draft(case_id=case.pk, version=outside.version, by=hcop, at=now)
    fresh = drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now)
    assert fresh.team is None
    assert case.texts.get(kind=TextKind.TEAM_REASON).body == ""


@pytest.mark.parametrize(
    ("why", "north", "words"), [("  ", False, "why"), ("Hotel", True, "not in the BCU of this case")]
)
def test_a_team_without_a_reason_or_of_another_bcu_is_refused(
    make_case: MakeCase, world: World, hcop: User, now: datetime, why: str, north: bool, words: str
) -> None:
    team = world.north_team if north else world.teams[0]
    with pytest.raises(Refused, match=words):
        drafts.choose_team(case_id=make_case().pk, version=None, team=team, why=why, by=hcop, at=now)


def test_a_team_that_covers_no_ward_is_refused(
    make_case: MakeCase, world: World, hcop: User, now: datetime
) -> None:
    team = TeamFactory.create(borough=world.wards[0].borough)
    with pytest.raises(Refused, match="That team covers no ward: choose another"):
        drafts.choose_team(case_id=make_case().pk, version=None, team=team, why="Hotel", by=hcop, at=now)


def test_restrictions_and_note_are_set_with_who_and_when(
    make_case: MakeCase, hcop: User, now: datetime
) -> None:
    case = make_case()
    drafts.set_safety(
        case_id=case.pk,
        restrictions=[Restriction.TWO_OFFICERS, Restriction.NO_HOME_VISIT],
        note="Speak to the sergeant first",
        seen=None,
        by=hcop,
        at=now,
    )
    case.refresh_from_db()
    assert case.restrictions == [Restriction.NO_HOME_VISIT, Restriction.TWO_OFFICERS]
    assert (case.restrictions_set_at, case.restrictions_set_by) == (now, hcop)
    entry = AuditEntry.objects.get(action=Action.RESTRICTIONS_SET)
    assert entry.fields == ["restrictions", "review_safety"]


def test_setting_what_is_set_already_changes_nothing(make_case: MakeCase, hcop: User, now: datetime) -> None:
    case = make_case()
    for _ in range(2):
        drafts.set_safety(
            case_id=case.pk, restrictions=[Restriction.NO_VOICEMAIL], note="Note", seen=None, by=hcop, at=now
        )
    assert AuditEntry.objects.filter(action=Action.RESTRICTIONS_SET).count() == 1


def test_a_restriction_that_a_colleague_set_meanwhile_is_not_taken_off_unread(
    make_case: MakeCase, hcop: User, other_hcop: User, now: datetime
) -> None:
    case, later = make_case(), now + timedelta(minutes=5)

    def save(by: User, at: datetime, *restrictions: Restriction, seen: datetime | None) -> None:
        drafts.set_safety(case_id=case.pk, restrictions=restrictions, note="", seen=seen, by=by, at=at)

    save(other_hcop, now, Restriction.NO_HOME_VISIT, seen=None)
    with pytest.raises(drafts.SafetyChanged, match=r"Deputy HCOP .* now: No home visit\. Nothing of yours"):
        save(hcop, later, Restriction.TWO_OFFICERS, seen=None)
    case.refresh_from_db()
    assert case.restrictions == [Restriction.NO_HOME_VISIT]
    save(hcop, later, Restriction.NO_HOME_VISIT, Restriction.TWO_OFFICERS, seen=now)
    case.refresh_from_db()
    assert case.restrictions == [Restriction.NO_HOME_VISIT, Restriction.TWO_OFFICERS]


def test_the_safety_note_of_the_extract_is_left_alone(make_case: MakeCase, hcop: User, now: datetime) -> None:
    case = make_case()
    PersonalTextFactory.create(case=case, kind=TextKind.SAFETY_NOTE, body="Dog at address")
    drafts.set_safety(case_id=case.pk, restrictions=[], note="Two dogs", seen=None, by=hcop, at=now)
    bodies = dict(PersonalText.objects.filter(case=case).values_list("kind", "body"))
    assert bodies == {TextKind.SAFETY_NOTE: "Dog at address", TextKind.REVIEW_SAFETY: "Two dogs"}


def test_when_the_audit_row_cannot_be_written_the_mark_is_not_kept(
    make_case: MakeCase, hcop: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no audit row")

    monkeypatch.setattr(drafts, "record", fail)
    with pytest.raises(RuntimeError, match="no audit row"):
        drafts.draft_suitable(case_id=make_case().pk, version=None, by=hcop, at=now)
    assert not Decision.objects.exists()


def test_an_answer_is_kept_and_a_mark_made_before_is_to_be_checked_again(
    make_case: MakeCase, hcop: User, now: datetime
) -> None:
    case = make_case(questions=[*Question], strands=[])
    seen = drafts.draft_suitable(case_id=case.pk, version=None, by=hcop, at=now).version
    drafts.answer_questions(case_id=case.pk, strands=[Strand.RELIGION, Strand.RACE], by=hcop, at=now)
    case.refresh_from_db()
    assert case.strands == ["race", "religion"]
    assert case.questions == [Question.REPEAT_VICTIM, Question.ANOTHER_VICTIM]
    assert Decision.objects.get().version == seen + 1
    assert AuditEntry.objects.get(action=Action.QUESTIONS_ANSWERED).fields == ["strands"]


@pytest.mark.parametrize(
    ("given", "question"),
    [
        ({"repeat_victim": True}, "Is this a repeat victim?"),
        ({"strands": [Strand.RACE]}, "Which strand is it?"),
    ],
)
def test_another_answer_to_a_question_that_is_gone_is_refused_with_all_that_came_with_it(
    make_case: MakeCase, hcop: User, now: datetime, given: dict[str, Any], question: str
) -> None:
    case = make_case(repeat_victim=False, strands=["disability"], questions=[Question.ANOTHER_VICTIM])
    with pytest.raises(drafts.Overtaken) as refused:
        drafts.answer_questions(case_id=case.pk, **given, looked_for_another_victim=True, by=hcop, at=now)
    assert str(refused.value) == (
        f"\u201c{question}\u201d was answered meanwhile, and not as you did. "
        "Nothing of yours was saved: compare, and save again."
    )
    case.refresh_from_db()
    assert (case.repeat_victim, case.strands) == (False, ["disability"])
    assert case.questions == [Question.ANOTHER_VICTIM]
    assert not AuditEntry.objects.filter(action=Action.QUESTIONS_ANSWERED).exists()


def test_the_same_answer_twice_is_one(make_case: MakeCase, hcop: User, now: datetime) -> None:
    case = make_case(questions=[*Question], strands=[])
    for _ in range(2):
        drafts.answer_questions(
            case_id=case.pk,
            repeat_victim=True,
            strands=[Strand.RACE],
            looked_for_another_victim=True,
            by=hcop,
            at=now,
        )
    assert AuditEntry.objects.filter(action=Action.QUESTIONS_ANSWERED).count() == 1


def test_a_question_is_not_answered_after_the_decision(
    make_case: MakeCase, hcop: User, now: datetime
) -> None:
    case = make_case(questions=[Question.REPEAT_VICTIM], decided_at=now)
    with pytest.raises(Refused, match="was submitted at"):
        drafts.answer_questions(case_id=case.pk, repeat_victim=True, by=hcop, at=now)
