"""What the actions of places need."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from referrals.places.actions.leave import end_leave, set_leave
from referrals.places.actions.membership import (
    join_bcu,
    join_team,
    leave_bcu,
    leave_team,
    move,
)
from referrals.places.actions.postcodes import load_postcodes
from referrals.places.actions.wards import load_places
from referrals.scope import today
from tests.extracts import POSTCODES
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, leave_of, prepares


@prepares(set_leave)
def _(scene: Scene) -> dict[str, Any]:
    days = {"starts_on": today(), "back_on": today() + timedelta(days=1)}
    return {"user": scene.officer, **days, "by": scene.officer, "at": NOW}


@prepares(end_leave)
def _(scene: Scene) -> dict[str, Any]:
    return {"leave_id": leave_of(scene).pk, "by": scene.officer}


@prepares(join_team)
def _(scene: Scene) -> dict[str, Any]:
    place = {"team": scene.world.teams[4], "starts_on": NOW.date()}
    return {"user": scene.officer, **place, "by": scene.system}


@prepares(join_bcu)
def _(scene: Scene) -> dict[str, Any]:
    place = {"bcu": scene.world.north, "starts_on": NOW.date()}
    return {"user": scene.hcop, **place, "by": scene.system}


@prepares(leave_team)
def _(scene: Scene) -> dict[str, Any]:
    place = {"team": scene.world.teams[0], "on": NOW.date()}
    return {"user": scene.officer, **place, "by": scene.system}


@prepares(leave_bcu)
def _(scene: Scene) -> dict[str, Any]:
    place = {"bcu": scene.world.south_west, "on": NOW.date()}
    return {"user": scene.hcop, **place, "by": scene.system}


@prepares(move)
def _(scene: Scene) -> dict[str, Any]:
    places = {"teams": [scene.world.teams[4]], "bcus": []}
    return {"user": scene.officer, **places, "on": timezone.localdate(), "by": scene.system}


@prepares(load_places)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system}


@prepares(load_postcodes)
def _(scene: Scene) -> dict[str, Any]:
    load_places(by=scene.system)
    return {"files": [POSTCODES.open(newline="")], "by": scene.system}
