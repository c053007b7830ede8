"""What the actions of outcomes need."""

from typing import Any

from outcomes.evaluation.actions import correct_data_set, lock_outcomes, open_look
from outcomes.rates.actions import compute_rates, recount
from outcomes.recording.actions import import_outcomes
from outcomes.recording.reference import load_outcome_codes
from referrals.models import (
    ContactCount,
    TrialStatus,
)
from tests import factories
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(lock_outcomes)
def _(scene: Scene) -> dict[str, Any]:
    return scene.step(TrialStatus.CLOSED)


@prepares(correct_data_set)
def _(scene: Scene) -> dict[str, Any]:
    """The digest of the first is none of what is recorded."""
    trial = scene.trial(TrialStatus.LOCKED)
    factories.DataSetFactory.create(trial=trial)
    return {"trial_id": trial.pk, "reason": "Why", "by": scene.trial_lead, "at": NOW}


@prepares(open_look)
def _(scene: Scene) -> dict[str, Any]:
    return {**scene.step(TrialStatus.RECRUITING), "planned_on": None, "reason": "Why"}


@prepares(import_outcomes)
def _(scene: Scene) -> dict[str, Any]:
    factories.OutcomeCodeFactory.create(code=16)
    reference = scene.case().crime_reference
    content = f"crime_reference,outcome_code,recorded_at\r\n{reference},16,22/11/2026 10:00\r\n".encode()
    return {"content": content, "by": scene.hcop, "at": NOW}


@prepares(compute_rates)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system, "at": NOW}


@prepares(recount)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral(completed=True)
    ContactCount.objects.all().delete()
    return {"by": scene.system}


@prepares(load_outcome_codes)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system}
