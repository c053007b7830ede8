"""What the actions of crime record need."""

from typing import Any

from referrals.crime_record.actions.flags import (
    confirm_flags,
    confirm_flags_removed,
    reconcile_flags,
    unconfirm_flags,
    unconfirm_flags_removed,
)
from referrals.crime_record.actions.follow import follow_crime_record
from referrals.crime_record.readers import GivenList
from tests.factories import NOW
from tests.meta.prepared.scene import Scene, prepares


@prepares(confirm_flags)
def _(scene: Scene) -> dict[str, Any]:
    return {"referral_ids": [scene.referral().pk], "by": scene.hcop, "at": NOW}


@prepares(confirm_flags_removed)
def _(scene: Scene) -> dict[str, Any]:
    wrong = scene.referral(flag_confirmed_at=NOW, flag_confirmed_by=scene.hcop, ruled_out_since=NOW)
    return {"referral_ids": [wrong.pk], "by": scene.hcop, "at": NOW}


@prepares(reconcile_flags)
def _(scene: Scene) -> dict[str, Any]:
    given = GivenList(NOW.date(), 1, (scene.referral().case_id,))
    return {"bcu": scene.world.south_west, "given": given, "by": scene.hcop, "at": NOW}


@prepares(unconfirm_flags)
def _(scene: Scene) -> dict[str, Any]:
    confirmed = scene.referral(flag_confirmed_at=NOW, flag_confirmed_by=scene.hcop)
    return {"referral_ids": [confirmed.pk], "by": scene.hcop, "at": NOW}


@prepares(unconfirm_flags_removed)
def _(scene: Scene) -> dict[str, Any]:
    set_by = {"flag_confirmed_at": NOW, "flag_confirmed_by": scene.hcop, "ruled_out_since": NOW}
    removed = scene.referral(**set_by, flag_removed_at=NOW, flag_removed_by=scene.hcop)
    return {"referral_ids": [removed.pk], "by": scene.hcop, "at": NOW}


@prepares(follow_crime_record)
def _(scene: Scene) -> dict[str, Any]:
    cancelled = scene.referral(case__crime_status="cancelled").case_id
    moved = scene.referral(ward=scene.world.wards[1]).case_id
    noted = scene.referral().case_id
    changed = {cancelled: ["crime_status"], moved: ["ward"], noted: ["safety_note"]}
    return {"changed": changed, "by": scene.system, "at": NOW}
