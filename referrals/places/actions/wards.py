"""Reference data: the BCU, its boroughs and wards, a team for each ward, and each ward's first mode."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

from django.db import transaction
from django.utils.text import slugify

from referrals.models import Bcu, Borough, Team, Ward, WardMode
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

WARDS = Path(__file__).resolve().parents[2] / "data" / "wards.csv"
BCU_CODE, BCU_NAME = "SW", "South West"
MAIL_DOMAIN = "example.police.uk"
# Before the first report there can be.
MODES_START = date(2020, 1, 1)


def load_places(*, by: User, path: Path = WARDS) -> int:
    """Adds what is missing and returns how many wards got something; what people changed stays as it is."""
    check_authority(by, Permission.MANAGE_PLACES)
    with path.open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    with transaction.atomic():
        added = _add_wards(listed)
        added |= _add_modes(listed)
        if added:
            record(
                Action.REFERENCE_DATA_LOADED,
                by=by,
                purpose=Purpose.ADMINISTRATION,
                subject="ward",
                references=sorted(added),
                fields=["borough", "mode", "name", "team"],
            )
    return len(added)


def _add_wards(listed: list[dict[str, str]]) -> set[str]:
    known = set(Ward.objects.values_list("code", flat=True))
    missing = [row for row in listed if row["ward_code"] not in known]
    if not missing:
        return set()
    bcu, _ = Bcu.objects.get_or_create(code=BCU_CODE, defaults={"name": BCU_NAME})
    boroughs: dict[str, Borough] = {}
    for row in missing:
        code = row["borough_code"]
        if code not in boroughs:
            defaults = {"name": row["borough_name"], "bcu": bcu}
            boroughs[code], _ = Borough.objects.get_or_create(code=code, defaults=defaults)
    named = Counter(row["ward_name"] for row in listed)
    for row in missing:
        borough = boroughs[row["borough_code"]]
        team, _ = Team.objects.get_or_create(
            borough=borough,
            name=f"{row['ward_name']} ward team",
            defaults={"mailbox": _mailbox(row, shared=named[row["ward_name"]] > 1)},
        )
        Ward.objects.create(code=row["ward_code"], name=row["ward_name"], borough=borough, team=team)
    return {row["ward_code"] for row in missing}


def _mailbox(row: dict[str, str], *, shared: bool) -> str:
    """The ward's name as an address; with the borough's where two boroughs have a ward of that name."""
    name = f"{row['ward_name']} {row['borough_name']}" if shared else row["ward_name"]
    return f"{slugify(name)}.snt@{MAIL_DOMAIN}"


def _add_modes(listed: list[dict[str, str]]) -> set[str]:
    modes = {row["ward_code"]: row["mode"] for row in listed}
    without = list(Ward.objects.filter(code__in=modes, modes__isnull=True))
    WardMode.objects.bulk_create(
        WardMode(ward=ward, mode=modes[ward.code], starts_on=MODES_START) for ward in without
    )
    return {ward.code for ward in without}
