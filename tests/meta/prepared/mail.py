"""What the actions of mail need."""

from datetime import timedelta
from typing import Any

from referrals.health.actions import tell_of_faults
from referrals.mail.reminders import (
    remind_due,
    remind_of_call_backs,
    remind_of_notes,
    tell_of_late_decisions,
    tell_of_late_follow_ups,
)
from src_app.accounts.models import User
from tests import factories
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(remind_due)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral()
    return {"by": scene.system, "at": NOW + timedelta(days=9)}


@prepares(remind_of_call_backs)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral(call_back_at=NOW)
    return {"by": scene.system, "at": NOW}


@prepares(remind_of_notes)
def _(scene: Scene) -> dict[str, Any]:
    User.objects.filter(pk=scene.officer.pk).update(email="pc1001@example.police.uk")
    at = NOW - timedelta(days=2)
    contact = {"made_by": scene.officer, "result": "contact_made", "made_at": at, "logged_at": at}
    factories.ContactAttemptFactory.create(referral=scene.referral(), **contact)
    return {"by": scene.system, "at": NOW}


@prepares(tell_of_faults)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system, "at": NOW}


@prepares(tell_of_late_decisions)
def _(scene: Scene) -> dict[str, Any]:
    factories.DeadlinePolicyFactory.create(bcu=scene.world.south_west, decision_hours=1)
    User.objects.filter(pk=scene.hcop.pk).update(email="hcop@example.police.uk")
    scene.case(reported_at=NOW - timedelta(days=1))
    return {"by": scene.system, "at": NOW}


@prepares(tell_of_late_follow_ups)
def _(scene: Scene) -> dict[str, Any]:
    User.objects.filter(pk=scene.hcop.pk).update(email="hcop@example.police.uk")
    factories.FollowUpFactory.create(attempt__referral=scene.referral())
    return {"by": scene.system, "at": NOW + timedelta(days=9)}
