"""Wards: reference data adds them, each with a team and a first mode; later a name or code may change."""

import csv
import re
from collections import Counter
from datetime import date
from pathlib import Path

from django.db import transaction
from django.utils.text import slugify

from referrals.models import Bcu, Borough, Team, Trial, TrialStatus, Ward, WardMode
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

WARDS = Path(__file__).resolve().parents[2] / "data" / "wards.csv"
BCU_CODE, BCU_NAME = "SW", "South West"
MAIL_DOMAIN = "example.police.uk"
# Before the first report there can be.
MODES_START = date(2020, 1, 1)
_CODE = re.compile(r"E0[0-9]{7}", re.ASCII)


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
            closed_at=None,
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


def change_ward(*, ward: Ward, name: str, code: str, by: User) -> bool:
    """Gives a ward another name, or the new code that the Office for National Statistics gave it.

    Says whether that is a change. Its postcodes, its history and its team stay. Raises :class:`Refused` for a
    code that another ward has, and while a trial that has not closed names the old one in its protocol.
    """
    check_authority(by, Permission.MANAGE_PLACES)
    with transaction.atomic():
        ward = Ward.objects.select_for_update().get(pk=ward.pk)
        changed = {
            field: new
            for field, old, new in (("name", ward.name, name), ("code", ward.code, code))
            if new != old
        }
        if not changed:
            return False
        if "code" in changed:
            _refuse_code(ward, code)
        old_code = ward.code
        ward.name, ward.code = name, code
        ward.save(update_fields=list(changed))
        record(
            Action.WARD_CHANGED,
            by=by,
            purpose=Purpose.ADMINISTRATION,
            subject="ward",
            references=dict.fromkeys([old_code, code]),
            fields=sorted(changed),
        )
    return True


def _refuse_code(ward: Ward, code: str) -> None:
    if not _CODE.fullmatch(code):
        raise Refused("A ward's code is E0 and seven digits, such as E05013810: give it as the ONS has it.")
    if other := Ward.objects.filter(code=code).first():
        raise Refused(f"{other} has the code {code} already: look which ward it is.")
    running = Trial.objects.filter(
        status__in=[TrialStatus.DRAFT, TrialStatus.SEALED, TrialStatus.RECRUITING], bcu=ward.borough.bcu_id
    ).defer("seed_encrypted")
    for trial in running:
        if ward.code in trial.conduct.wards:
            raise Refused(f"{trial.name} names the ward by its code {ward.code}: wait until it has closed.")
