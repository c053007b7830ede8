"""Referrals by how they stand towards their due time."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from referrals.models import Referral

MakeReferral = Callable[..., Referral]
HOUR = timedelta(hours=1)


@pytest.fixture
def due(make_referral: MakeReferral, now: datetime) -> MakeReferral:
    """Makes a referral due so many hours from now (before now: negative), ended after that many more."""

    def due(
        hours: float, *, contacted: float | None = None, closed: float | None = None, **fields: object
    ) -> Referral:
        due_at = now + hours * HOUR
        fields |= {"made_at": due_at - 72 * HOUR, "due_at": due_at}
        if contacted is not None:
            at = due_at + contacted * HOUR
            return make_referral(completed=True, contacted_at=at, closed_at=at, **fields)
        if closed is not None:
            return make_referral(closed=True, closed_at=due_at + closed * HOUR, **fields)
        return make_referral(**fields)

    return due
