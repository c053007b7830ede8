"""What the actions of review need."""

import uuid
from typing import Any

from referrals.models import (
    ContactBy,
    OrderReason,
    Question,
    Reason,
    ReopenReason,
    Restriction,
)
from referrals.review.actions.drafts import (
    answer_questions,
    choose_team,
    clear_draft,
    draft_not_suitable,
    draft_suitable,
    set_safety,
)
from referrals.review.actions.put_right import (
    correct_finding,
    find_not_suitable,
    move_referral,
    reopen_decision,
)
from referrals.review.actions.refer_now import ask_to_ring_again, refer_now
from referrals.review.actions.submit import submit
from tests import factories
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(draft_suitable)
def _(scene: Scene) -> dict[str, Any]:
    return {"case_id": scene.case().pk, "version": None, "by": scene.hcop, "at": NOW}


@prepares(draft_not_suitable)
def _(scene: Scene) -> dict[str, Any]:
    why = {"reason": Reason.CLOSED, "contact_by": ContactBy.INVESTIGATOR}
    return {"case_id": scene.case().pk, "version": None, **why, "by": scene.hcop, "at": NOW}


@prepares(choose_team)
def _(scene: Scene) -> dict[str, Any]:
    chosen = {"team": scene.world.teams[1], "why": "Hotel"}
    return {"case_id": scene.case().pk, "version": None, **chosen, "by": scene.hcop, "at": NOW}


@prepares(refer_now)
def _(scene: Scene) -> dict[str, Any]:
    case = scene.decided(scene.control().case)
    order = {"key": uuid.uuid4(), "reason": OrderReason.HIGH_RISK}
    return {"case_id": case.pk, **order, "by": scene.hcop, "at": NOW}


@prepares(ask_to_ring_again)
def _(scene: Scene) -> dict[str, Any]:
    referral = scene.referral(completed=True)
    return {"case_id": referral.case_id, "reason": OrderReason.HIGH_RISK, "by": scene.hcop, "at": NOW}


@prepares(reopen_decision)
def _(scene: Scene) -> dict[str, Any]:
    case = scene.decided(scene.case())
    return {"case_id": case.pk, "because": ReopenReason.WRONG_MARK, "by": scene.hcop, "at": NOW}


@prepares(find_not_suitable)
def _(scene: Scene) -> dict[str, Any]:
    case = scene.decided(scene.control().case)
    found = {"reason": Reason.CLOSED, "contact_by": ContactBy.INVESTIGATOR}
    return {"case_id": case.pk, **found, "by": scene.hcop, "at": NOW}


@prepares(correct_finding)
def _(scene: Scene) -> dict[str, Any]:
    referral = scene.referral(closed=True)
    wrong = factories.FoundNotSuitableFactory.create(referral=referral)
    right = {"reason": Reason.CLOSED, "contact_by": ContactBy.HOME_BCU}
    return {"case_id": referral.case_id, "seen": wrong.pk, **right, "by": scene.hcop, "at": NOW}


@prepares(move_referral)
def _(scene: Scene) -> dict[str, Any]:
    referral = scene.referral()
    given = {"seen": referral.ward_id, "ward": scene.world.wards[1], "why": "Hotel"}
    return {"case_id": referral.case_id, **given, "by": scene.hcop, "at": NOW}


@prepares(clear_draft)
def _(scene: Scene) -> dict[str, Any]:
    decision = factories.DecisionFactory.create(case=scene.case())
    return {"case_id": decision.case_id, "version": decision.version, "by": scene.hcop, "at": NOW}


@prepares(set_safety)
def _(scene: Scene) -> dict[str, Any]:
    safety = {"restrictions": [Restriction.NO_HOME_VISIT], "note": "Dog", "seen": None}
    return {"case_id": scene.case().pk, **safety, "by": scene.hcop, "at": NOW}


@prepares(answer_questions)
def _(scene: Scene) -> dict[str, Any]:
    case = scene.case(questions=[Question.REPEAT_VICTIM])
    return {"case_id": case.pk, "repeat_victim": True, "by": scene.hcop, "at": NOW}


@prepares(submit)
def _(scene: Scene) -> dict[str, Any]:
    decision = factories.DecisionFactory.create(case=scene.case())
    seen = {decision.case_id: decision.version}
    return {"bcu": scene.world.south_west, "seen": seen, "key": uuid.uuid4(), "by": scene.hcop, "at": NOW}
