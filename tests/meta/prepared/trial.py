"""What the actions of trial need."""

from datetime import date, timedelta
from typing import Any

from referrals.models import (
    ApprovalKind,
    DeviationKind,
    Mode,
    TrialStatus,
)
from referrals.rules.trial.rollout import Order
from referrals.trial.actions.design import (
    delete_draft,
    draft_trial,
    name_registrar,
    record_approval,
    remove_registrar,
    revise_trial,
)
from referrals.trial.actions.deviations import check_controls, record_deviation, withdraw_deviation
from referrals.trial.actions.life import (
    close,
    close_ended,
    open_recruitment,
    pause,
    proposal_digest,
    propose,
    resume,
    reveal,
    seal,
)
from referrals.trial.actions.registry import send_heads
from referrals.trial.actions.roll_out import plan_roll_out, set_trial_wards
from referrals.trial.actions.ward_modes import set_ward_mode
from referrals.trial.bundle import export_trial, head_of
from referrals.trial.check import check_trial
from tests import factories
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(draft_trial)
def _(scene: Scene) -> dict[str, Any]:
    return {"bcu": scene.world.south_west, **scene.terms(), "by": scene.trial_lead}


@prepares(revise_trial)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial_id": scene.trial(TrialStatus.DRAFT).pk, **scene.terms(), "by": scene.trial_lead}


@prepares(delete_draft)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial_id": scene.trial(TrialStatus.DRAFT).pk, "by": scene.trial_lead}


@prepares(record_approval)
def _(scene: Scene) -> dict[str, Any]:
    given = {"reference": "1", "given_by": "The committee", "given_on": date(2026, 11, 1)}
    trial = scene.trial(TrialStatus.DRAFT)
    return {"trial_id": trial.pk, "kind": ApprovalKind.ETHICS, **given, "by": scene.trial_lead, "at": NOW}


@prepares(name_registrar)
def _(scene: Scene) -> dict[str, Any]:
    registrar = {"name": "Library", "email": "library@example.org"}
    return {"trial_id": scene.trial(TrialStatus.DRAFT).pk, **registrar, "by": scene.trial_lead}


@prepares(remove_registrar)
def _(scene: Scene) -> dict[str, Any]:
    trial = scene.trial(TrialStatus.DRAFT)
    return {"trial_id": trial.pk, "registrar_id": trial.registrars.get().pk, "by": scene.trial_lead}


@prepares(propose)
def _(scene: Scene) -> dict[str, Any]:
    return {**scene.step(TrialStatus.DRAFT), "tell": "leader@example.org"}


@prepares(seal)
def _(scene: Scene) -> dict[str, Any]:
    trial = propose(**scene.step(TrialStatus.DRAFT))
    return {"trial_id": trial.pk, "digest": proposal_digest(trial), "by": scene.leader, "at": NOW}


@prepares(export_trial)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial": scene.trial(TrialStatus.RECRUITING), "by": scene.trial_lead}


@prepares(head_of)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial": scene.trial(TrialStatus.RECRUITING), "by": scene.trial_lead, "at": NOW}


@prepares(check_trial)
def _(scene: Scene) -> dict[str, Any]:
    return {"trial": scene.trial(TrialStatus.RECRUITING), "heads": {}, "by": scene.trial_lead}


@prepares(open_recruitment)
def _(scene: Scene) -> dict[str, Any]:
    return scene.step(TrialStatus.SEALED)


@prepares(pause)
def _(scene: Scene) -> dict[str, Any]:
    return {**scene.step(TrialStatus.RECRUITING), "reason": "Why", "meanwhile": Mode.SRC_FOR_ALL}


@prepares(resume)
def _(scene: Scene) -> dict[str, Any]:
    trial = scene.trial(TrialStatus.RECRUITING)
    factories.PauseFactory.create(trial=trial)
    return {"trial_id": trial.pk, "by": scene.trial_lead, "at": NOW}


@prepares(close)
def _(scene: Scene) -> dict[str, Any]:
    return {**scene.step(TrialStatus.RECRUITING), "because": "Why"}


@prepares(close_ended)
def _(scene: Scene) -> dict[str, Any]:
    scene.trial(TrialStatus.RECRUITING)
    return {"by": scene.system, "at": NOW + timedelta(days=365)}


@prepares(reveal)
def _(scene: Scene) -> dict[str, Any]:
    return scene.step(TrialStatus.LOCKED)


@prepares(record_deviation)
def _(scene: Scene) -> dict[str, Any]:
    what = {"kind": DeviationKind.BY_ACCIDENT, "happened_on": NOW.date()}
    return {"allocation_id": scene.control().pk, **what, "by": scene.hcop, "at": NOW}


@prepares(withdraw_deviation)
def _(scene: Scene) -> dict[str, Any]:
    deviation = factories.DeviationFactory.create(allocation=scene.control())
    return {"deviation_id": deviation.pk, "by": scene.hcop, "at": NOW}


@prepares(check_controls)
def _(scene: Scene) -> dict[str, Any]:
    control = scene.control()
    after = NOW + timedelta(days=31)
    return {"trial": control.trial, "allocation_ids": [control.pk], "by": scene.hcop, "at": after}


@prepares(send_heads)
def _(scene: Scene) -> dict[str, Any]:
    scene.trial(TrialStatus.RECRUITING)
    return {"by": scene.system, "at": NOW}


@prepares(set_ward_mode)
def _(scene: Scene) -> dict[str, Any]:
    mode = {"mode": Mode.NOT_STARTED, "starts_on": date(2026, 11, 23)}
    return {"wards": scene.world.wards, **mode, "by": scene.system}


@prepares(set_trial_wards)
def _(scene: Scene) -> dict[str, Any]:
    mode = {"mode": Mode.NOT_STARTED, "starts_on": NOW.date()}
    wards = [ward.code for ward in scene.world.wards]
    return {**scene.step(TrialStatus.RECRUITING), "wards": wards, **mode}


@prepares(plan_roll_out)
def _(scene: Scene) -> dict[str, Any]:
    pace = {"first_day": NOW.date(), "wards_a_step": 2, "days_between": 7}
    return {**scene.step(TrialStatus.SEALED), **pace, "order": Order.DRAWN}
