"""What the actions of compliance need."""

from datetime import timedelta
from typing import Any

from referrals.compliance.actions import drop_view, note_change, save_view, set_goal
from referrals.models import SavedView
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(note_change)
def _(scene: Scene) -> dict[str, Any]:
    place = scene.world.teams[0]
    return {"happened_on": NOW.date(), "text": "Moved.", "place": place, "by": scene.supervisor, "at": NOW}


@prepares(set_goal)
def _(scene: Scene) -> dict[str, Any]:
    goal = {"team_id": scene.world.teams[0].pk, "percent": 80, "by_day": NOW.date() + timedelta(days=30)}
    return {**goal, "by": scene.supervisor, "at": NOW}


@prepares(save_view)
def _(scene: Scene) -> dict[str, Any]:
    return {"name": "Mine", "asked": "period=last-month", "by": scene.supervisor}


@prepares(drop_view)
def _(scene: Scene) -> dict[str, Any]:
    view = SavedView.objects.create(user=scene.supervisor, name="Mine", asked="")
    return {"view_id": view.pk, "by": scene.supervisor}
