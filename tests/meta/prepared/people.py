"""What the actions of people need."""

from typing import Any

from referrals.models import (
    AccessAnswer,
)
from referrals.people.actions.access_review import confirm_access, end_review, start_review
from referrals.people.actions.importing import import_people, preview_people
from referrals.people.actions.people import (
    add_person,
    change_name_or_address,
    change_role,
    close_person,
    give_new_sign_in,
    reopen_person,
)
from src_app.accounts.actions import (
    change_details,
    close_account,
    make_account,
    reopen_account,
    reset_sign_in,
    set_role,
)
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Role
from tests import factories
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(close_account)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "because": ClosedBecause.LEFT, "by": scene.system}


@prepares(start_review)
def _(scene: Scene) -> dict[str, Any]:
    return {"by": scene.system, "at": NOW}


@prepares(confirm_access)
def _(scene: Scene) -> dict[str, Any]:
    factories.AccessReviewFactory.create()
    said = {scene.officer.pk: AccessAnswer.Said.CLOSE}
    return {"said": said, "by": scene.supervisor, "at": NOW}


@prepares(end_review)
def _(scene: Scene) -> dict[str, Any]:
    factories.AccessReviewFactory.create()
    return {"by": scene.system, "at": NOW}


@prepares(import_people)
def _(scene: Scene) -> dict[str, Any]:
    text = "User name,Name,Role,E-mail\npc1,PC 1,officer,pc1@example.police.uk\n"
    return {"text": text, "seen": preview_people(text).digest, "by": scene.system, "at": NOW}


@prepares(close_person)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "because": ClosedBecause.LEFT, "by": scene.system}


@prepares(reopen_account)
def _(scene: Scene) -> dict[str, Any]:
    User.objects.filter(pk=scene.officer.pk).update(is_active=False)
    return {"user": scene.officer, "password": "long and odd 78", "by": scene.system, "at": NOW}


@prepares(reopen_person)
def _(scene: Scene) -> dict[str, Any]:
    User.objects.filter(pk=scene.officer.pk).update(is_active=False)
    return {"user": scene.officer, "password": "long and odd 78", "by": scene.system, "at": NOW}


@prepares(change_details)
def _(scene: Scene) -> dict[str, Any]:
    details = {"display_name": "PS 1001", "email": "ps1001@example.police.uk"}
    return {"user": scene.officer, **details, "by": scene.system}


@prepares(change_name_or_address)
def _(scene: Scene) -> dict[str, Any]:
    details = {"display_name": "PS 1001", "email": "ps1001@example.police.uk"}
    return {"user": scene.officer, **details, "by": scene.system, "at": NOW}


@prepares(set_role)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "role": Role.SUPERVISOR, "by": scene.system}


@prepares(change_role)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "role": Role.AUDITOR, "by": scene.system}


@prepares(add_person)
def _(scene: Scene) -> dict[str, Any]:
    account = {"username": "pc1", "display_name": "PC 1", "role": Role.OFFICER, "password": "long and odd 77"}
    places = {"teams": scene.world.teams[:1], "bcus": []}
    return {**account, "email": "pc1@example.police.uk", **places, "by": scene.system, "at": NOW}


@prepares(give_new_sign_in)
@prepares(reset_sign_in)
def _(scene: Scene) -> dict[str, Any]:
    return {"user": scene.officer, "password": "long and odd 78", "by": scene.system, "at": NOW}


@prepares(make_account)
def _(scene: Scene) -> dict[str, Any]:
    account = {"username": "pc1", "display_name": "PC 1", "role": Role.OFFICER, "password": "long and odd 77"}
    account["email"] = "pc1@example.police.uk"
    return {**account, "by": scene.system, "at": NOW}
