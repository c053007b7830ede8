"""Trials with units for the tests of what becomes of them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from outcomes.models import Look
from referrals.models import Allocation, Arm, Bcu, Trial, TrialStatus
from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.analysis import Plan
from referrals.rules.trial.protocol import protocol_of
from src_app.accounts.models import User
from tests.factories import (
    NOW,
    AllocationFactory,
    ControlCheckFactory,
    LookFactory,
    OutcomeCodeFactory,
    RecordedOutcomeFactory,
    ReferralFactory,
    TrialFactory,
    WardFactory,
    advance,
    conduct,
)

# Each arm's outcome codes; none: open.
Codes = Iterable[int | None]


def planned_trial(bcu: Bcu, plan: Plan, **fields: Any) -> Trial:
    """A trial that follows each case for 30 days and is analysed by that plan."""
    ward = WardFactory.create(borough__bcu=bcu)
    protocol = protocol_of(
        name="Planned",
        bcu=bcu.code,
        design=Design(Scheme.COMPLETE, target=250),
        conduct=conduct([ward.code], plan=plan),
    )
    return TrialFactory.create(bcu=bcu, protocol=protocol, **fields)


def allocate(
    trial: Trial, make_case: Callable[..., Any], arm: Arm, codes: Codes, *, at: datetime = NOW
) -> list[Allocation]:
    """Units of an arm, allocated then, each with an outcome recorded at once; SRC is referred."""
    made = []
    for code in codes:
        allocation = AllocationFactory.create(trial=trial, case=make_case(), arm=arm, allocated_at=at)
        if code is not None:
            outcome = OutcomeCodeFactory.create(code=code)
            RecordedOutcomeFactory.create(case=allocation.case, code=outcome, recorded_at=at)
        if arm == Arm.SRC:
            ReferralFactory.create(case=allocation.case, allocation=allocation)
        made.append(allocation)
    return made


def close(trial: Trial, by: User) -> None:
    """Closes it to recruitment at ``NOW``."""
    advance(trial, TrialStatus.CLOSED, by=by, at=NOW)


def check(controls: Iterable[Allocation]) -> None:
    """None of them was contacted."""
    for control in controls:
        ControlCheckFactory.create(allocation=control)


def look_of(trial: Trial, by: User, **fields: Any) -> Look:
    """A look at a trial without a unit."""
    nothing = {"units": 0, "closed": 0, "attrition": 0, "charge": 0, "positive": 0}
    return LookFactory.create(
        **{
            "trial": trial,
            "opened_by": by,
            "content": {"src": nothing, "control": nothing},
            **fields,
        }
    )
