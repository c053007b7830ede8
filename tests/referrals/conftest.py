"""What several rooms of referrals need."""

import uuid
from collections.abc import Callable
from datetime import datetime

import pytest

from referrals.models import Bcu, Case, Decision, Submission
from referrals.places.actions.postcodes import load_postcodes
from referrals.places.actions.wards import load_places
from referrals.review.actions.submit import submit
from src_app.accounts.models import User
from tests.conftest import World
from tests.extracts import POSTCODES
from tests.factories import DecisionFactory, PostcodeFactory


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


@pytest.fixture
def bcu(world: World) -> Bcu:
    """South West, where SW19 7QP is in its first ward and CR4 2YE in its second; EN5 1AA is North's."""
    PostcodeFactory.create(pcds="SW19 7QP", ward=world.wards[0])
    PostcodeFactory.create(pcds="CR4 2YE", ward=world.wards[1])
    PostcodeFactory.create(pcds="EN5 1AA", ward=world.north_ward)
    return world.south_west


@pytest.fixture
def real_places(system: User) -> Bcu:
    """The 79 wards of South West and the 474 sample postcodes."""
    load_places(by=system)
    with POSTCODES.open(encoding="utf-8") as file:
        load_postcodes(files=[file], by=system)
    return Bcu.objects.get(code="SW")
