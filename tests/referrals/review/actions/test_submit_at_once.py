"""Many people submitting at the same moment."""

import threading
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from referrals.models import Allocation, Arm, Case, Decision, Mode, Notification, Referral, Submission
from referrals.review.actions.submit import submit
from referrals.rules.trial.allocation import arm_at
from referrals.rules.trial.seal import allocation_key
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import NOW, SEED, CaseFactory, DecisionFactory, TrialFactory, WardModeFactory
from tests.patience import patience

THREADS, CASES = 8, 200


@pytest.mark.django_db(transaction=True)
def test_eight_threads_submit_200_cases_and_each_position_has_its_arm(world: World, hcop: User) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    cases = [
        CaseFactory.create(ward=world.wards[n % 6], reported_at=NOW - timedelta(minutes=n))
        for n in range(CASES)
    ]
    for case in cases:
        DecisionFactory.create(case=case, drafted_by=hcop)
    failures = _submit_from_threads(world, hcop, cases)
    assert failures == []
    assert Allocation.objects.count() == CASES
    assert Allocation.objects.values("case").distinct().count() == CASES
    assert Submission.objects.count() == THREADS
    key, design = allocation_key(SEED, trial.protocol_digest), trial.design
    for borough in {ward.borough for ward in world.wards}:
        allocated = list(
            Allocation.objects.filter(stratum=borough.code)
            .order_by("position")
            .values_list("position", "arm")
        )
        assert [position for position, _ in allocated] == list(range(1, len(allocated) + 1))
        assert [arm for _, arm in allocated] == [
            arm_at(key, design, position=position, stratum=borough.code).value
            for position in range(1, len(allocated) + 1)
        ]
    numbers = list(Allocation.objects.order_by("number").values_list("number", "previous_hash", "row_hash"))
    assert [number for number, _, _ in numbers] == list(range(1, CASES + 1))
    assert [previous for _, previous, _ in numbers] == ["", *(own for _, _, own in numbers[:-1])]
    arms_of = Counter(Allocation.objects.values_list("arm", flat=True))
    assert Referral.objects.count() == arms_of[Arm.SRC] == Notification.objects.count()
    assert sorted(Referral.objects.values_list("number", flat=True)) == [
        f"SRC-2026-{n:06}" for n in range(1, arms_of[Arm.SRC] + 1)
    ]


@pytest.mark.django_db(transaction=True)
def test_the_same_key_from_two_threads_is_one_submission_for_both(world: World, hcop: User) -> None:
    """The button pressed twice: neither is told that nothing was submitted. No trial keeps them apart."""
    seen = {DecisionFactory.create(case__ward=ward, drafted_by=hcop).case_id: 1 for ward in world.wards}
    key, together, made = uuid.uuid4(), threading.Barrier(2, timeout=patience(60)), []

    def press() -> None:
        together.wait()
        try:
            with acting("test thread", by=hcop):
                made.append(submit(bcu=world.south_west, seen=seen, key=key, by=hcop, at=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [Submission.objects.get()] * 2
    assert Referral.objects.count() == len(seen)


def _submit_again_where_asked_to(**given: Any) -> None:
    """As a person would on a busy machine, where the lock is not given in time."""
    for _ in range(5):
        try:
            submit(**given)
        except Refused as refused:
            if "try again" not in str(refused):
                raise
        else:
            return
    raise AssertionError("the lock was never given")


def _submit_from_threads(world: World, hcop: User, cases: list[Case]) -> list[BaseException]:
    """Each thread submits its share, interleaved with the others'; what went wrong comes back."""
    versions = dict(Decision.objects.values_list("case_id", "version"))
    failures: list[BaseException] = []
    together = threading.Barrier(THREADS, timeout=patience(60))

    def work(share: list[Case]) -> None:
        try:
            together.wait()
            with acting("test thread", by=hcop):
                _submit_again_where_asked_to(
                    bcu=world.south_west,
                    seen={case.pk: versions[case.pk] for case in share},
                    key=uuid.uuid4(),
                    by=hcop,
                    at=NOW,
                )
        except Exception as error:  # noqa: BLE001 - the main thread fails the test with it
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[cases[n::THREADS]]) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures
