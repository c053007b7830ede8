"""What the actions of teams, wards and mailboxes need."""

from typing import Any

from django.utils import timezone

from referrals.places.actions.mailboxes import change_mailbox, confirm_mailbox
from referrals.places.actions.membership import end_memberships, move_members
from referrals.places.actions.teams import add_team, close_team, rename_team
from referrals.places.actions.wards import change_ward
from referrals.teams.actions.moves import carry_out_moves, drop_move, merge_team, move_wards
from tests import factories
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(add_team)
def _(scene: Scene) -> dict[str, Any]:
    place = {"borough": scene.world.wards[0].borough, "mailbox": "new@example.police.uk"}
    return {"name": "New team", **place, "by": scene.system, "at": NOW}


@prepares(rename_team)
def _(scene: Scene) -> dict[str, Any]:
    return {"team": scene.world.teams[0], "name": "Other name", "by": scene.system}


@prepares(close_team)
def _(scene: Scene) -> dict[str, Any]:
    return {"team": factories.TeamFactory.create(), "by": scene.system, "at": NOW}


@prepares(change_mailbox)
def _(scene: Scene) -> dict[str, Any]:
    address = "new@example.police.uk"
    return {"team": scene.world.teams[0], "address": address, "by": scene.system, "at": NOW}


@prepares(confirm_mailbox)
def _(scene: Scene) -> dict[str, Any]:
    test = factories.MailboxTestFactory.create(team=scene.world.teams[0], address="new@example.police.uk")
    return {"code": test.code, "by": scene.officer, "at": NOW}


@prepares(change_ward)
def _(scene: Scene) -> dict[str, Any]:
    return {"ward": scene.world.wards[0], "name": "Abbey Road", "code": "E05099999", "by": scene.system}


@prepares(end_memberships)
def _(scene: Scene) -> dict[str, Any]:
    return {"team": scene.world.teams[0], "on": timezone.localdate(), "by": scene.system}


@prepares(move_members)
def _(scene: Scene) -> dict[str, Any]:
    teams = {"from_team": scene.world.teams[0], "to_team": scene.world.teams[1]}
    return {**teams, "on": timezone.localdate(), "by": scene.system}


@prepares(move_wards)
def _(scene: Scene) -> dict[str, Any]:
    return {**_moving(scene), "wards": scene.world.wards[:1]}


@prepares(merge_team)
def _(scene: Scene) -> dict[str, Any]:
    return _moving(scene)


@prepares(drop_move)
def _(scene: Scene) -> dict[str, Any]:
    return {"move_id": factories.PlaceMoveFactory.create().pk, "by": scene.system, "at": NOW}


@prepares(carry_out_moves)
def _(scene: Scene) -> dict[str, Any]:
    factories.PlaceMoveFactory.create(from_team=scene.world.teams[0], starts_on=timezone.localdate())
    return {"by": scene.system, "at": NOW}


def _moving(scene: Scene) -> dict[str, Any]:
    scene.referral()
    teams = {"from_team": scene.world.teams[0], "to_team": scene.world.teams[1]}
    return {**teams, "starts_on": timezone.localdate(), "by": scene.system, "at": NOW}
