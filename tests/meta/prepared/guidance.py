"""What the actions of briefings and of the banner need."""

from datetime import timedelta
from typing import Any

from referrals.guidance.actions import end_banner, record_briefing, set_attendance, set_banner
from tests import factories
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(record_briefing)
def _(scene: Scene) -> dict[str, Any]:
    session = {"title": "Parade", "held_on": NOW.date(), "people": [scene.officer]}
    return {**session, "by": scene.supervisor, "at": NOW}


@prepares(set_attendance)
def _(scene: Scene) -> dict[str, Any]:
    briefing = factories.BriefingFactory.create()
    return {"briefing_id": briefing.pk, "people": [scene.officer], "by": scene.supervisor}


@prepares(set_banner)
def _(scene: Scene) -> dict[str, Any]:
    return {"text": "Be quick.", "ends_at": NOW + timedelta(days=1), "by": scene.system, "at": NOW}


@prepares(end_banner)
def _(scene: Scene) -> dict[str, Any]:
    factories.BannerFactory.create()
    return {"by": scene.system, "at": NOW}
