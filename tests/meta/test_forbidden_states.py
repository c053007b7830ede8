"""States that must never be are refused by the database, whatever code or role asks for them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction

from referrals.models import (
    Allocation,
    Arm,
    Case,
    Decision,
    DeviationKind,
    FollowUp,
    Referral,
    Trial,
    TrialStatus,
)
from tests.database import refused_by
from tests.factories import (
    NOW,
    AllocationFactory,
    CaseFactory,
    CrimeRecordEventFactory,
    DecisionFactory,
    DeviationFactory,
    FollowUpFactory,
    FoundNotSuitableFactory,
    HandOverFactory,
    ReferralFactory,
    ReferralNoticeFactory,
    ReopenedDecisionFactory,
    SubmissionFactory,
    TrialFactory,
    UserFactory,
)


def _refuses(name: str, act: Callable[[], object]) -> None:
    with refused_by(name):
        act()


@pytest.fixture
def control(db: None) -> Allocation:
    return AllocationFactory.create(arm=Arm.CONTROL)


@pytest.fixture
def src(db: None) -> Allocation:
    return AllocationFactory.create(arm=Arm.SRC)


def test_a_control_case_is_never_referred(control: Allocation, src: Allocation) -> None:
    _refuses("never_of_a_control", lambda: ReferralFactory.create(case=control.case, allocation=control))
    _refuses("never_of_a_control", lambda: ReferralFactory.create(case=control.case, allocation=None))
    _refuses("never_of_a_control", lambda: ReferralFactory.create(case=control.case, allocation=src))
    assert not Referral.objects.exists()


@pytest.mark.parametrize("kind", ["referred_by_wish", "referred_for_safety"])
def test_a_control_is_referred_where_it_is_recorded_as_a_deviation(
    control: Allocation, kind: DeviationKind
) -> None:
    DeviationFactory.create(allocation=control, kind=DeviationKind.BY_ACCIDENT)
    _refuses("never_of_a_control", lambda: ReferralFactory.create(case=control.case, allocation=None))
    DeviationFactory.create(allocation=control, kind=kind)
    _refuses("never_of_a_control", lambda: ReferralFactory.create(case=control.case, allocation=control))
    ReferralFactory.create(case=control.case, allocation=None)


def test_a_referral_has_its_own_cases_allocation(src: Allocation) -> None:
    _refuses("never_of_a_control", lambda: ReferralFactory.create(case=CaseFactory.create(), allocation=src))
    _refuses("never_of_a_control", lambda: ReferralFactory.create(case=src.case, allocation=None))
    referral = ReferralFactory.create(case=src.case, allocation=src)
    _refuses("never_of_a_control", lambda: Referral.objects.filter(pk=referral.pk).update(allocation=None))


def test_a_linked_report_has_the_arm_and_trial_of_the_first(control: Allocation) -> None:
    def follow(**given: object) -> Allocation:
        return AllocationFactory.create(
            **{"trial": control.trial, "follows": control, "position": None, "arm": Arm.CONTROL, **given}
        )

    follower = follow()
    _refuses("follows_the_first", lambda: follow(arm=Arm.SRC))
    _refuses("follows_the_first", lambda: follow(trial=TrialFactory.create()))
    _refuses("follows_the_first", lambda: follow(follows=follower))


@pytest.mark.parametrize(
    "forged",
    [
        {"number": 9999},
        {"number": 1},
        {"position": 9999},
        {"position": 1},
        {"previous_hash": "f" * 64},
        {"previous_hash": ""},
        {"stratum": "another", "position": 3},
    ],
)
def test_no_allocation_is_forged_ahead_of_its_turn_or_beside_the_chain(
    control: Allocation, forged: dict[str, Any]
) -> None:
    of_trial = {"trial": control.trial, "stratum": control.stratum}
    AllocationFactory.create(**of_trial)
    _refuses("takes_the_next_place", lambda: AllocationFactory.create(**{**of_trial, **forged}))
    # The next one is none.
    third = AllocationFactory.create(**of_trial)
    assert (third.number, third.position) == (3, 3)
    assert AllocationFactory.create(trial=control.trial, stratum="another").position == 1


def test_a_submitted_decision_is_final(db: None) -> None:
    decision = DecisionFactory.create(submission=SubmissionFactory.create())
    row = Decision.objects.filter(pk=decision.pk)
    _refuses("submitted_is_final", lambda: row.update(version=7))
    _refuses("submitted_is_final", lambda: row.update(submission=None))
    _refuses("submitted_is_final", row.delete)
    case = Case.objects.filter(pk=decision.case_id)
    case.update(decided_at=NOW)
    ReopenedDecisionFactory.create(decision=decision)
    _refuses("submitted_is_final", lambda: row.update(version=7))
    _refuses("decided_once", lambda: case.update(decided_at=None))
    row.delete()
    with pytest.raises(IntegrityError, match="waits_or_is_decided"), transaction.atomic():
        connection.check_constraints()
    case.update(decided_at=None)
    connection.check_constraints()
    draft = DecisionFactory.create(submission=None)
    Decision.objects.filter(pk=draft.pk).delete()


def test_a_case_is_decided_once(db: None) -> None:
    row = Case.objects.filter(pk=CaseFactory.create(decided_at=None).pk)
    row.update(decided_at=NOW)
    _refuses("decided_once", lambda: row.update(decided_at=None))


def test_a_decision_is_reopened_as_it_was_and_only_while_it_made_nothing(src: Allocation) -> None:
    case = CaseFactory.create(decided_at=NOW)
    decision = DecisionFactory.create(case=case, submission=SubmissionFactory.create())
    _refuses(
        "reopens_what_made_nothing", lambda: ReopenedDecisionFactory.create(decision=decision, suitable=False)
    )
    ReferralFactory.create(case=case)
    _refuses("reopens_what_made_nothing", lambda: ReopenedDecisionFactory.create(decision=decision))
    allocated = DecisionFactory.create(case=src.case, submission=SubmissionFactory.create())
    _refuses("reopens_what_made_nothing", lambda: ReopenedDecisionFactory.create(decision=allocated))


def test_only_what_went_out_is_found_not_suitable_and_never_for_a_reason_to_refer(src: Allocation) -> None:
    waiting = CaseFactory.create()
    _refuses("found_of_what_went_out", lambda: FoundNotSuitableFactory.create(case=waiting))
    _refuses(
        "found_not_suitable_says_why_and_who",
        lambda: FoundNotSuitableFactory.create(case=src.case, reason="high_risk"),
    )
    other = {"duplicate_of": "01/7654321/26"}
    _refuses(
        "found_duplicate_is_of_a_report",
        lambda: FoundNotSuitableFactory.create(case=src.case, reason="closed", **other),
    )
    _refuses("decision_duplicate_is_of_a_report", lambda: DecisionFactory.create(case=waiting, **other))


def test_only_a_duplicate_leaves_the_contact_to_another_report(src: Allocation) -> None:
    left: dict[str, Any] = {"contact_by": "other_report", "reason": "duplicate"}
    waiting = CaseFactory.create()
    _refuses("found_contact_left_to_a_report", lambda: FoundNotSuitableFactory.create(case=src.case, **left))
    _refuses(
        "decision_contact_left_to_a_report",
        lambda: DecisionFactory.create(case=waiting, suitable=False, **left),
    )
    DecisionFactory.create(case=waiting, suitable=False, duplicate_of="01/7654321/26", **left)


@pytest.mark.parametrize(
    "change",
    [
        {"seed_encrypted": b"another"},
        {"protocol": {}},
        {"commitment": "0" * 64},
        {"name": "Another"},
        {"status": TrialStatus.DRAFT},
    ],
)
def test_an_open_trial_is_frozen(db: None, change: dict[str, object]) -> None:
    row = Trial.objects.filter(pk=TrialFactory.create().pk)
    _refuses("goes_forward", lambda: row.update(**change))
    _refuses("of_drafts_alone", row.delete)
    _refuses("sealed_is_not_deleted", lambda: row._raw_delete(DEFAULT_DB_ALIAS))


@pytest.mark.parametrize("target", [50_001, 10**30, 1, -1, "250", [250], {}, 5e6])
def test_a_draft_has_no_target_that_no_force_could_recruit(db: None, target: object) -> None:
    draft = Trial.objects.filter(pk=TrialFactory.create(status=TrialStatus.DRAFT).pk)
    protocol = draft.get().protocol
    draft.update(protocol={**protocol, "allocation": {**protocol["allocation"], "target": 50_000}})
    changed = {**protocol, "allocation": {**protocol["allocation"], "target": target}}
    _refuses("trial_target_is_bounded", lambda: draft.update(protocol=changed))


def test_a_crime_record_stands_in_a_known_way(db: None) -> None:
    _refuses("case_crime_status_is_known", lambda: CaseFactory.create(crime_status="lost"))
    _refuses("crime_record_kind_is_known", lambda: CrimeRecordEventFactory.create(kind="lost"))


def test_a_case_added_without_them_is_recorded_and_flagged(db: None) -> None:
    """What is copied in may leave the columns out."""
    case = CaseFactory.create()
    left_out = {"id", "crime_status", "hate_flag", "crime_reference"}
    columns = {str(field.column) for field in Case._meta.concrete_fields}
    names = ", ".join(sorted(columns - left_out))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO referrals_case (crime_reference, {names}) "
            f"SELECT '01/1/26', {names} FROM referrals_case WHERE id = %s RETURNING crime_status, hate_flag",
            [case.pk],
        )
        assert cursor.fetchone() == ("recorded", True)


def test_a_flag_is_removed_where_it_had_to_go(db: None) -> None:
    removed_by = {"flag_removed_at": NOW, "flag_removed_by": UserFactory.create()}
    _refuses("referral_flag_removed_had_to_go", lambda: ReferralFactory.create(**removed_by))
    ReferralFactory.create(**removed_by, ruled_out_since=NOW)


def test_a_hand_over_is_to_another_team(db: None) -> None:
    referral = ReferralFactory.create()
    _refuses(
        "hand_over_is_to_another_team",
        lambda: HandOverFactory.create(referral=referral, from_team=referral.team, from_ward=referral.ward),
    )


def test_a_notice_names_what_changed(db: None) -> None:
    _refuses("notice_names_what_changed", lambda: ReferralNoticeFactory.create(changed=[]))
    _refuses(
        "notice_names_what_changed",
        lambda: ReferralNoticeFactory.create(changed=["Do not attend the address"]),
    )


def test_a_follow_up_is_of_an_attempt_or_of_the_record_and_waits_once(db: None) -> None:
    referral = ReferralFactory.create()
    of_record = {"attempt": None, "referral": referral, "raised_at": NOW, "raised_by": UserFactory.create()}
    _refuses("follow_up_of_an_attempt_or_the_record", lambda: FollowUpFactory.create(kind="transferred"))
    _refuses(
        "follow_up_of_an_attempt_or_the_record", lambda: FollowUpFactory.create(kind="threat", **of_record)
    )
    _refuses(
        "follow_up_done_has_an_owner",
        lambda: FollowUpFactory.create(done_at=NOW, done_by=of_record["raised_by"]),
    )
    of_case = {**of_record, "referral": None, "case": referral.case, "kind": "contact_elsewhere"}
    FollowUpFactory.create(**of_case)
    _refuses("follow_up_of_contact_elsewhere_once_open", lambda: FollowUpFactory.create(**of_case))
    of_referral = {**of_record, "kind": "contact_elsewhere"}
    _refuses("follow_up_of_a_referral_or_a_case", lambda: FollowUpFactory.create(**of_referral))
    _refuses(
        "follow_up_dropped_is_over",
        lambda: FollowUpFactory.create(kind="transferred", dropped=True, **of_record),
    )
    closed_by_record = {**of_record, "kind": "ruled_out"}
    _refuses("asked_once_who_contacts", lambda: FollowUpFactory.create(**closed_by_record))
    FollowUp.objects.update(acknowledged_at=NOW, acknowledged_by=closed_by_record["raised_by"])
    over = {"done_at": NOW, "done_by": closed_by_record["raised_by"]}
    _refuses("follow_up_done_has_a_result", lambda: FollowUp.objects.update(**over))
    _refuses("follow_up_done_has_a_result", lambda: FollowUp.objects.update(result="told"))
    _refuses("follow_up_done_has_a_result", lambda: FollowUp.objects.update(**over, result="arranged"))
    FollowUp.objects.update(**over, result="told")
    FollowUpFactory.create(**closed_by_record)
    _refuses("asked_once_who_contacts", lambda: FollowUpFactory.create(**of_case))
    _refuses(
        "asked_once_who_contacts", lambda: FollowUp.objects.update(done_at=None, done_by=None, result="")
    )
    FollowUpFactory.create(kind="transferred", **of_record)
    _refuses(
        "follow_up_of_the_record_once_open", lambda: FollowUpFactory.create(kind="transferred", **of_record)
    )
