"""The world and the people that actions are prepared in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from referrals.models import (
    Allocation,
    Arm,
    Case,
    Leave,
    Trial,
    TrialStatus,
)
from referrals.rules.trial.allocation import Design, Scheme
from referrals.scope import today
from src_app.accounts.models import User
from tests import factories
from tests.conftest import World
from tests.factories import NOW

Act = Callable[..., Any]
# Each makes what the action needs and returns its arguments.
ARGUMENTS: dict[Act, Callable[["Scene"], dict[str, Any]]] = {}


class Scene:
    """The world and its people, for those who prepare an action."""

    def __init__(self, world: World, people: dict[str, User]) -> None:
        self.world = world
        self.hcop = people["hcop"]
        self.officer = people["officer"]
        self.supervisor = people["supervisor"]
        self.trial_lead = people["trial_lead"]
        self.leader = people["leader"]
        self.system = people["system"]

    def decided(self, case: Any) -> Any:
        """The case with a submitted decision."""
        submission = factories.SubmissionFactory.create(bcu=case.bcu)
        factories.DecisionFactory.create(case=case, submission=submission)
        Case.objects.filter(pk=case.pk).update(decided_at=NOW)
        return case

    def case(self, **fields: Any) -> Any:
        return factories.CaseFactory.create(ward=self.world.wards[0], **fields)

    def trial(self, status: TrialStatus) -> Trial:
        return factories.TrialFactory.create(bcu=self.world.south_west, status=status)

    def control(self) -> Allocation:
        """A control unit of a trial that recruits."""
        return factories.AllocationFactory.create(
            case=self.case(), trial=self.trial(TrialStatus.RECRUITING), arm=Arm.CONTROL
        )

    def step(self, status: TrialStatus) -> dict[str, Any]:
        """What the step after that status is told."""
        return {"trial_id": self.trial(status).pk, "by": self.trial_lead, "at": NOW}

    def terms(self) -> dict[str, Any]:
        """What a draft says."""
        wards = [ward.code for ward in self.world.wards]
        return {
            "name": "Pilot",
            "design": Design(Scheme.COMPLETE, target=250),
            "conduct": factories.conduct(wards),
        }

    def referral(self, **fields: Any) -> Any:
        return factories.ReferralFactory.create(case__ward=self.world.wards[0], **fields)


def prepares(action: Act) -> Callable[[Any], Any]:
    def keep(prepare: Callable[[Scene], dict[str, Any]]) -> Callable[[Scene], dict[str, Any]]:
        ARGUMENTS[action] = prepare
        return prepare

    return keep


def leave_of(scene: Scene) -> Leave:
    """The leave of the officer, who is away today."""
    return factories.LeaveFactory.create(
        user=scene.officer, starts_on=today(), back_on=today() + timedelta(days=1)
    )
