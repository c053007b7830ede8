"""What several rooms of referrals need."""

import uuid
from collections.abc import Callable
from datetime import datetime

import pytest

from referrals.models import Case, Decision, Submission
from referrals.review.actions.submit import submit
from src_app.accounts.models import User
from tests.conftest import World
from tests.factories import DecisionFactory


@pytest.fixture
def submit_all(world: World, hcop: User, now: datetime) -> Callable[..., Submission]:
    """Marks the cases suitable, where they are not marked yet, and submits them."""

    def submit_cases(
        *cases: Case, by: User = hcop, key: uuid.UUID | None = None, at: datetime = now
    ) -> Submission:
        for case in cases:
            if not Decision.objects.filter(case=case).exists():
                DecisionFactory.create(case=case, drafted_by=by)
        seen = dict(Decision.objects.filter(case__in=cases).values_list("case_id", "version"))
        return submit(bcu=world.south_west, seen=seen, key=key or uuid.uuid4(), by=by, at=at)

    return submit_cases
