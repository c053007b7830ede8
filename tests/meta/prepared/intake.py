"""What the actions of intake need."""

import uuid
from datetime import timedelta
from typing import Any

from referrals.intake.held.holding import (
    delete_expired_extracts,
    discard_extract,
    hold_extract,
    note_refused,
    save_extract,
)
from referrals.intake.held.matching import match_columns, match_strands, remember_headings
from referrals.intake.held.report import report_of
from referrals.intake.held.work import resume_work
from referrals.intake.saving.save import import_cases
from referrals.models import (
    CaseImport,
    ImportStatus,
    Strand,
)
from tests.extracts import extract, row
from tests.factories import NOW
from tests.meta.prepared.scene import ARGUMENTS, Scene, prepares


@prepares(hold_extract)
def _(scene: Scene) -> dict[str, Any]:
    upload = {"key": uuid.uuid4(), "content": extract(row()), "bcu": scene.world.south_west}
    return {**upload, "by": scene.hcop, "at": NOW}


@prepares(note_refused)
def _(scene: Scene) -> dict[str, Any]:
    file = {"key": uuid.uuid4(), "file_name": "night.csv", "size": 9, "problem": "It is no table."}
    return {**file, "bcu": scene.world.south_west, "by": scene.system, "at": NOW}


def _held(scene: Scene) -> uuid.UUID:
    arguments = ARGUMENTS[hold_extract](scene)
    return uuid.UUID(str(hold_extract(**arguments).pk))


@prepares(save_extract)
def _(scene: Scene) -> dict[str, Any]:
    held = CaseImport.objects.get(pk=_held(scene))
    return {"import_id": held.pk, "seen": report_of(held).digest, "by": scene.hcop, "at": NOW}


@prepares(match_columns)
def _(scene: Scene) -> dict[str, Any]:
    meanings = {"Ref": "crime_reference", "When": "reported_at"}
    upload = {**ARGUMENTS[hold_extract](scene), "content": b"Ref,When\r\n01/7300001/26,22/11/2026 18:07\r\n"}
    held = hold_extract(**upload)
    return {"import_id": held.pk, "sheet": "", "meanings": meanings, "by": scene.hcop, "at": NOW}


@prepares(match_strands)
def _(scene: Scene) -> dict[str, Any]:
    held = hold_extract(**ARGUMENTS[hold_extract](scene))
    return {"import_id": held.pk, "meanings": {"RI": [Strand.RACE]}, "by": scene.hcop, "at": NOW}


@prepares(remember_headings)
def _(scene: Scene) -> dict[str, Any]:
    return {
        "bcu": scene.world.south_west,
        "meanings": {"Ref": "crime_reference"},
        "by": scene.hcop,
        "at": NOW,
    }


@prepares(resume_work)
def _(scene: Scene) -> dict[str, Any]:
    CaseImport.objects.filter(pk=_held(scene)).update(status=ImportStatus.READING, attempts=3)
    return {"by": scene.system, "at": NOW + timedelta(minutes=5)}


@prepares(discard_extract)
def _(scene: Scene) -> dict[str, Any]:
    return {"import_id": _held(scene), "by": scene.hcop, "at": NOW}


@prepares(delete_expired_extracts)
def _(scene: Scene) -> dict[str, Any]:
    _held(scene)
    return {"by": scene.system, "at": NOW + timedelta(days=2)}


@prepares(import_cases)
def _(scene: Scene) -> dict[str, Any]:
    return {"content": extract(row()), "bcu": scene.world.south_west, "by": scene.hcop, "at": NOW}
