"""What the actions of deadlines need."""

from datetime import date, time, timedelta
from typing import Any

from django.utils import timezone

from referrals.deadlines.actions import add_holiday, recount_due_times, set_policy
from referrals.scope import today
from tests.factories import BankHolidayFactory
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
    day = _reached_over(scene)
    return {"day": day, "name": "A day of thanks", "by": scene.system, "at": timezone.now()}


@prepares(recount_due_times)
def _(scene: Scene) -> dict[str, Any]:
    BankHolidayFactory.create(day=_reached_over(scene))
    return {"by": scene.system, "at": timezone.now()}


def _reached_over(scene: Scene) -> date:
    """A day to come that the working days of a referral reach over."""
    counted = {"counted_from": timezone.now() - timedelta(days=1), "working_days": 20, "day_ends": time(17)}
    scene.referral(due_at=timezone.now() + timedelta(days=20), **counted)
    return next(day for n in range(9) if (day := today() + timedelta(days=n)).weekday() == 2)
