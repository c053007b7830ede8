"""What the actions of deadlines need."""

from datetime import time, timedelta
from typing import Any

from django.utils import timezone

from referrals.deadlines.actions import add_holiday, set_policy
from referrals.scope import today
from tests.meta.prepared.scene import Scene, prepares


@prepares(set_policy)
def _(scene: Scene) -> dict[str, Any]:
    asked = {
        "contact_working_days": 3,
        "refer_now_hours": 24,
        "attempts_no_reply": 3,
        "attempts_wrong_details": 2,
    }
    terms = {"bcu_id": scene.world.south_west.pk, "starts_on": today(), "asked": asked}
    return {**terms, "by": scene.system, "at": timezone.now()}


@prepares(add_holiday)
def _(scene: Scene) -> dict[str, Any]:
    day = next(day for n in range(9) if (day := today() + timedelta(days=n)).weekday() == 2)
    counted = {"counted_from": timezone.now() - timedelta(days=1), "working_days": 20, "day_ends": time(17)}
    scene.referral(due_at=timezone.now() + timedelta(days=20), **counted)
    return {"day": day, "name": "A day of thanks", "by": scene.system, "at": timezone.now()}
