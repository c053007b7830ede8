"""Opening a trial, and the mode of a ward."""

import secrets
from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from referrals.actions import Refused
from referrals.models import Bcu, Borough, Mode, Trial, TrialStatus, Ward, WardMode
from referrals.queries import bcus_of, trials_visible_to
from referrals.rules.allocation import Design, ImpossibleDesign, Scheme
from referrals.rules.draws import Canonical
from referrals.rules.protocol import protocol_of
from referrals.rules.seal import commitment
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.keys import seal_seed

BLOCK_SIZES = (4, 6, 8)


def open_trial(*, bcu: Bcu, name: str, target: int, by: User, at: datetime) -> Trial:
    """A trial that recruits from now on, its 256-bit seed drawn here and seen by nobody.

    Blocks of 4, 6 or 8, stratified by borough, as in the pilot's place. Raises :class:`Refused`.
    """
    check_authority(by, Permission.MANAGE_TRIALS)
    if not bcus_of(by).filter(pk=bcu.pk).exists():
        raise NotAllowed
    with transaction.atomic():
        if Trial.objects.filter(name=name).exists():
            raise Refused("There is a trial of that name already: choose another name.")
        protocol = _protocol(bcu, name, target)
        seed = secrets.token_bytes(32)
        trial = Trial.objects.create(
            bcu=bcu,
            name=name,
            status=TrialStatus.RECRUITING,
            protocol=protocol,
            commitment=commitment(protocol, seed),
            seed_encrypted=seal_seed(seed),
            opened_at=at,
            opened_by=by,
        )
        record(
            Action.TRIAL_OPENED,
            by=by,
            purpose=Purpose.EVALUATION,
            subject="trial",
            fields=["status"],
        )
    return trial


def _protocol(bcu: Bcu, name: str, target: int) -> dict[str, Canonical]:
    boroughs = Borough.objects.filter(bcu=bcu).order_by("code").values_list("code", flat=True)
    try:
        design = Design(
            Scheme.STRATIFIED_BLOCKS, target=target, block_sizes=BLOCK_SIZES, strata=tuple(boroughs)
        )
    except ImpossibleDesign as impossible:
        raise Refused(str(impossible)) from None
    return protocol_of(name=name, bcu=bcu.code, design=design, stratified_by="borough")


def set_ward_mode(
    *, wards: Iterable[Ward], mode: Mode, starts_on: date, by: User, trial: Trial | None = None
) -> int:
    """Gives wards a mode from a day on; returns how many changed. A day's earlier choice is replaced.

    Raises :class:`Refused` where the mode, the trial and the wards do not go together.
    """
    check_authority(by, Permission.MANAGE_TRIALS if mode == Mode.TRIAL else Permission.MANAGE_PLACES)
    if (mode == Mode.TRIAL) != (trial is not None):
        raise Refused("Name the trial for wards in trial mode, and only for those.")
    wards = list(wards)
    if trial is not None:
        _check_trial(trial, wards, by)
    changed = []
    with transaction.atomic():
        for ward in wards:
            kept = WardMode.objects.select_for_update().filter(ward=ward, starts_on=starts_on).first()
            if kept is None:
                WardMode.objects.create(ward=ward, mode=mode, trial=trial, starts_on=starts_on)
            elif (kept.mode, kept.trial_id) != (mode, trial.pk if trial else None):
                kept.mode, kept.trial = mode, trial
                kept.save(update_fields=["mode", "trial"])
            else:
                continue
            changed.append(ward.code)
        if changed:
            record(
                Action.WARD_MODE_SET,
                by=by,
                purpose=Purpose.ADMINISTRATION,
                subject="ward",
                references=changed,
                fields=["mode", "trial", "starts_on"],
            )
    return len(changed)


def _check_trial(trial: Trial, wards: list[Ward], by: User) -> None:
    if not trials_visible_to(by).filter(pk=trial.pk).exists():
        raise NotAllowed
    if trial.status != TrialStatus.RECRUITING:
        raise Refused(f"{trial.name} does not recruit: open it first.")
    named = Ward.objects.filter(pk__in=[ward.pk for ward in wards])
    elsewhere = named.exclude(borough__bcu=trial.bcu_id, borough__code__in=trial.design.strata)
    if names := ", ".join(elsewhere.order_by("name").values_list("name", flat=True)):
        raise Refused(f"{names}: not in a borough of the trial. Leave out the wards of others.")
