"""The mode of a ward from a day on."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction

from referrals.models import Mode, Trial, TrialStatus, Ward, WardMode
from referrals.scope import trials_visible_to
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused


def set_ward_mode(
    *,
    wards: Iterable[Ward],
    mode: Mode,
    starts_on: date,
    by: User,
    trial: Trial | None = None,
    within: Trial | None = None,
) -> int:
    """Gives wards a mode from a day on; returns how many changed. A day's earlier choice is replaced.

    ``within``: a trial whose protocol names all the wards. Whoever manages trials may then set every mode:
    that wards begin, and give SRC to all again, is planned in one hand. Raises :class:`Refused` where the
    mode, the trial and the wards do not go together.
    """
    of_a_trial = mode == Mode.TRIAL or within is not None
    check_authority(by, Permission.MANAGE_TRIALS if of_a_trial else Permission.MANAGE_PLACES)
    if (mode == Mode.TRIAL) != (trial is not None):
        raise Refused("Name the trial for wards in trial mode, and only for those.")
    wards = list(wards)
    if within is not None:
        _check_wards(within, wards, by)
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
    if trial.status not in (TrialStatus.SEALED, TrialStatus.RECRUITING):
        raise Refused(f"{trial.name} is {trial.get_status_display().lower()}: no ward can join it.")
    _check_wards(trial, wards, by)


def _check_wards(trial: Trial, wards: list[Ward], by: User) -> None:
    if not trials_visible_to(by).filter(pk=trial.pk).exists():
        raise NotAllowed
    elsewhere = Ward.objects.filter(pk__in=[ward.pk for ward in wards]).exclude(code__in=trial.conduct.wards)
    if names := ", ".join(elsewhere.order_by("name").values_list("name", flat=True)):
        raise Refused(f"{names}: not in the protocol of the trial. Leave out the wards that are not.")
