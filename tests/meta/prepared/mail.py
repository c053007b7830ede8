"""What the actions of mail need."""

from datetime import timedelta
from typing import Any

from referrals.health.actions import tell_of_faults
from referrals.mail.outbox import remind_due
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(remind_due)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral()
    return {"by": scene.system, "at": NOW + timedelta(days=9)}


@prepares(tell_of_faults)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system, "at": NOW}
