"""What the actions of contact need."""

import uuid
from datetime import timedelta
from typing import Any

from referrals.contact.actions.absence import return_work
from referrals.contact.actions.attempts import log_attempt, settle_attempt, withdraw_attempt
from referrals.contact.actions.closing import choose_safe_method, close_without_contact
from referrals.contact.actions.follow_ups import acknowledge, chase, finish, undo
from referrals.contact.actions.notices import read_notices
from referrals.contact.actions.reopening import reopen
from referrals.contact.actions.stopping import let_clock_go_on, stop_clock
from referrals.contact.actions.taking import give, give_back, take
from referrals.contact.actions.transfer import transfer
from referrals.models import (
    CloseReason,
    HandOverReason,
    Method,
    Result,
)
from src_app.accounts.models import User
from tests import factories
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, leave_of, prepares


@prepares(read_notices)
def _(scene: Scene) -> dict[str, Any]:
    notice = factories.ReferralNoticeFactory.create(referral=scene.referral())
    return {
        "referral_id": notice.referral_id,
        "notice_ids": [notice.pk],
        "by": scene.officer,
        "at": NOW,
    }


@prepares(take)
def _(scene: Scene) -> dict[str, Any]:
    return {"referral_id": scene.referral().pk, "by": scene.officer, "at": NOW}


@prepares(give_back)
def _(scene: Scene) -> dict[str, Any]:
    taken = scene.referral(taken_at=NOW, taken_by=scene.officer)
    return {"referral_id": taken.pk, "by": scene.officer}


@prepares(give)
def _(scene: Scene) -> dict[str, Any]:
    given = [scene.referral().pk]
    return {"referral_ids": given, "to": scene.officer, "by": scene.supervisor, "at": NOW}


@prepares(return_work)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral(taken_at=NOW, taken_by=scene.officer)
    leave_of(scene)
    return {"by": User.objects.system(), "at": NOW}


@prepares(log_attempt)
def _(scene: Scene) -> dict[str, Any]:
    attempt = {"method": Method.TELEPHONE, "result": Result.CONTACT_MADE, "made_at": NOW, "note": "Well"}
    return {
        "referral_id": scene.referral().pk,
        "key": uuid.uuid4(),
        **attempt,
        "by": scene.officer,
        "at": NOW,
    }


@prepares(withdraw_attempt)
def _(scene: Scene) -> dict[str, Any]:
    attempt = factories.ContactAttemptFactory.create(referral=scene.referral(), made_by=scene.officer)
    return {"attempt_id": attempt.pk, "key": uuid.uuid4(), "by": scene.officer, "at": NOW}


@prepares(settle_attempt)
def _(scene: Scene) -> dict[str, Any]:
    attempt = factories.ContactAttemptFactory.create(referral=scene.referral(), made_by=scene.officer)
    return {"attempt_id": attempt.pk, "by": scene.officer, "at": NOW}


@prepares(close_without_contact)
def _(scene: Scene) -> dict[str, Any]:
    referral = scene.referral()
    factories.ContactAttemptFactory.create(referral=referral, result=Result.DECLINED, made_by=scene.officer)
    reason = CloseReason.DECLINED
    return {"referral_id": referral.pk, "reason": reason, "by": scene.officer, "at": NOW}


@prepares(acknowledge)
def _(scene: Scene) -> dict[str, Any]:
    follow_up = factories.FollowUpFactory.create(attempt__referral=scene.referral())
    return {"follow_up_id": follow_up.pk, "by": scene.supervisor, "at": NOW}


@prepares(choose_safe_method)
def _(scene: Scene) -> dict[str, Any]:
    return {"referral_id": scene.referral().pk, "method": Method.VIDEO, "by": scene.supervisor, "at": NOW}


@prepares(reopen)
def _(scene: Scene) -> dict[str, Any]:
    referral = scene.referral(closed=True, close_reason="declined")
    return {"referral_id": referral.pk, "reason": "mistake", "by": scene.supervisor, "at": NOW}


@prepares(finish)
def _(scene: Scene) -> dict[str, Any]:
    owned = {"acknowledged_at": NOW, "acknowledged_by": scene.supervisor}
    follow_up = factories.FollowUpFactory.create(attempt__referral=scene.referral(), **owned)
    return {"follow_up_id": follow_up.pk, "result": "arranged", "by": scene.supervisor, "at": NOW}


@prepares(undo)
def _(scene: Scene) -> dict[str, Any]:
    done = {
        "acknowledged_at": NOW,
        "acknowledged_by": scene.supervisor,
        "done_at": NOW,
        "done_by": scene.supervisor,
    }
    follow_up = factories.FollowUpFactory.create(attempt__referral=scene.referral(), **done)
    return {"follow_up_id": follow_up.pk, "by": scene.supervisor, "at": NOW}


@prepares(chase)
def _(scene: Scene) -> dict[str, Any]:
    return {"referral_id": scene.referral().pk, "key": uuid.uuid4(), "by": scene.supervisor, "at": NOW}


@prepares(stop_clock)
def _(scene: Scene) -> dict[str, Any]:
    stop = {"reason": "victim_asked", "until": NOW + timedelta(days=3)}
    return {"referral_id": scene.referral().pk, **stop, "by": scene.officer, "at": NOW}


@prepares(let_clock_go_on)
def _(scene: Scene) -> dict[str, Any]:
    referral = scene.referral()
    factories.ClockStopFactory.create(referral=referral)
    return {"referral_id": referral.pk, "by": scene.officer, "at": NOW + timedelta(hours=1)}


@prepares(transfer)
def _(scene: Scene) -> dict[str, Any]:
    referral = scene.referral()
    place = {"ward": scene.world.north_ward, "reason": HandOverReason.WRONG_TEAM}
    return {"referral_id": referral.pk, "seen": referral.ward_id, **place, "by": scene.hcop, "at": NOW}
