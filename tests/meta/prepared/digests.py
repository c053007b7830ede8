"""What the actions of digests need."""

from typing import Any

from referrals.digests.actions import choose_digests, send_digests
from referrals.models import DigestKind
from tests import factories
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(choose_digests)
def _(scene: Scene) -> dict[str, Any]:
    team = scene.world.teams[0]
    return {"kinds": [DigestKind.WEEK], "teams": [team], "by": scene.supervisor, "at": NOW}


@prepares(send_digests)
def _(scene: Scene) -> dict[str, Any]:
    scene.referral()
    factories.DigestChoiceFactory.create(user=None, team=scene.world.teams[0])
    return {"by": scene.system, "at": NOW}
