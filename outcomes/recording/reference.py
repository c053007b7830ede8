"""The Home Office's outcome codes, 1 to 22."""

import csv
from pathlib import Path

from django.db import transaction

from outcomes.models import OutcomeCode
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

CODES = Path(__file__).resolve().parents[1] / "data" / "outcome_codes.csv"
_MEASURES = ("attrition", "charge", "positive")
_FIELDS = ["short_title", "description", *_MEASURES]


def load_outcome_codes(*, by: User, path: Path = CODES) -> int:
    """Makes the codes as the file has them, words and measures; returns how many were new or differed."""
    check_authority(by, Permission.MANAGE_PLACES)
    with path.open(encoding="utf-8-sig", newline="") as file:
        listed = [_code(row) for row in csv.DictReader(file)]
    with transaction.atomic():
        known = {code.code: code for code in OutcomeCode.objects.select_for_update()}
        changed = [code for code in listed if _content(code) != _content(known.get(code.code))]
        if changed:
            OutcomeCode.objects.bulk_create(
                changed, update_conflicts=True, unique_fields=["code"], update_fields=_FIELDS
            )
            record(
                Action.REFERENCE_DATA_LOADED,
                by=by,
                purpose=Purpose.ADMINISTRATION,
                subject="outcome code",
                references=[str(code.code) for code in changed],
                fields=_FIELDS,
            )
    return len(changed)


def _code(row: dict[str, str]) -> OutcomeCode:
    return OutcomeCode(
        code=int(row["code"]),
        short_title=row["short_title"],
        description=row["description"],
        **{measure: row[measure] == "1" for measure in _MEASURES},
    )


def _content(code: OutcomeCode | None) -> list[object]:
    return [getattr(code, field) for field in _FIELDS] if code else []
