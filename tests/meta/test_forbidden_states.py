"""States that must never be are refused by the database, whatever code or role asks for them."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction

from referrals.models import Allocation, Arm, Case, Decision, Referral, Trial, TrialStatus
from tests.factories import (
    NOW,
    AllocationFactory,
    CaseFactory,
    DecisionFactory,
    ReferralFactory,
    SubmissionFactory,
    TrialFactory,
)


def _refused(act: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            act()
    except DatabaseError:
        return True
    return False


@pytest.fixture
def control(db: None) -> Allocation:
    return AllocationFactory.create(arm=Arm.CONTROL)


@pytest.fixture
def src(db: None) -> Allocation:
    return AllocationFactory.create(arm=Arm.SRC)


def test_a_control_case_is_never_referred(control: Allocation, src: Allocation) -> None:
    assert _refused(lambda: ReferralFactory.create(case=control.case, allocation=control))
    assert _refused(lambda: ReferralFactory.create(case=control.case, allocation=None))
    assert _refused(lambda: ReferralFactory.create(case=control.case, allocation=src))
    assert not Referral.objects.exists()


def test_a_referral_has_its_own_cases_allocation(src: Allocation) -> None:
    assert _refused(lambda: ReferralFactory.create(case=CaseFactory.create(), allocation=src))
    assert _refused(lambda: ReferralFactory.create(case=src.case, allocation=None))
    referral = ReferralFactory.create(case=src.case, allocation=src)
    assert _refused(lambda: Referral.objects.filter(pk=referral.pk).update(allocation=None))


def test_a_linked_report_has_the_arm_and_trial_of_the_first(control: Allocation) -> None:
    def follow(**given: object) -> Allocation:
        return AllocationFactory.create(
            **{"trial": control.trial, "follows": control, "position": None, "arm": Arm.CONTROL, **given}
        )

    follower = follow()
    assert _refused(lambda: follow(arm=Arm.SRC))
    assert _refused(lambda: follow(trial=TrialFactory.create()))
    assert _refused(lambda: follow(follows=follower))


def test_a_submitted_decision_is_final(db: None) -> None:
    decision = DecisionFactory.create(submission=SubmissionFactory.create())
    row = Decision.objects.filter(pk=decision.pk)
    assert _refused(lambda: row.update(version=7))
    assert _refused(lambda: row.update(submission=None))
    assert _refused(row.delete)
    draft = DecisionFactory.create(submission=None)
    assert not _refused(Decision.objects.filter(pk=draft.pk).delete)


def test_a_case_is_decided_once(db: None) -> None:
    row = Case.objects.filter(pk=CaseFactory.create(decided_at=None).pk)
    assert not _refused(lambda: row.update(decided_at=NOW))
    assert _refused(lambda: row.update(decided_at=None))


@pytest.mark.parametrize(
    "change", [{"seed_encrypted": b"another"}, {"block_sizes": [2]}, {"status": TrialStatus.DRAFT}]
)
def test_an_open_trial_is_frozen(db: None, change: dict[str, object]) -> None:
    row = Trial.objects.filter(pk=TrialFactory.create().pk)
    assert _refused(lambda: row.update(**change))
    assert _refused(row.delete)
