"""A trial while it is a draft: its protocol, its approvals, its registrars."""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from referrals.models import Approval, ApprovalKind, Bcu, Registrar, Trial, Ward
from referrals.rules.trial.allocation import Design
from referrals.rules.trial.protocol import YES_OR_NO, Conduct, protocol_of, why_not_allocated
from referrals.scope import bcus_of
from referrals.trial.actions.trial_lock import lock_draft, record_trial
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.refused import Refused


def draft_trial(
    *, bcu: Bcu, name: str, design: Design, stratified_by: str = "", conduct: Conduct, by: User
) -> Trial:
    """A new draft. Raises :class:`Refused` for a name that is taken or a ward of another BCU."""
    check_authority(by, Permission.MANAGE_TRIALS)
    if not bcus_of(by).filter(pk=bcu.pk).exists():
        raise NotAllowed
    with transaction.atomic():
        trial = Trial(bcu=bcu)
        _write(trial, name, design, stratified_by, conduct)
        record_trial(Action.TRIAL_DRAFTED, trial, by, ["name", "protocol"])
    return trial


def revise_trial(
    *, trial_id: int, name: str, design: Design, stratified_by: str = "", conduct: Conduct, by: User
) -> Trial:
    """The draft with another protocol; it has to be proposed anew."""
    with transaction.atomic():
        trial = lock_draft(trial_id, by)
        _write(trial, name, design, stratified_by, conduct)
        record_trial(Action.TRIAL_DRAFTED, trial, by, ["name", "protocol"])
    return trial


def _write(trial: Trial, name: str, design: Design, stratified_by: str, conduct: Conduct) -> None:
    if Trial.objects.filter(name=name).exclude(pk=trial.pk).exists():
        raise Refused("There is a trial of that name already: choose another name.")
    known = set(Ward.objects.filter(borough__bcu=trial.bcu_id).values_list("code", flat=True))
    if foreign := sorted(set(conduct.wards) - known):
        raise Refused(f"{', '.join(foreign)}: no ward of {trial.bcu}. Leave out the wards of others.")
    refuse_unallocated(trial.bcu, design, stratified_by, conduct)
    trial.name = name
    trial.protocol = protocol_of(
        name=name, bcu=trial.bcu.code, design=design, stratified_by=stratified_by, conduct=conduct
    )
    trial.proposed_at = trial.proposed_by = None
    trial.save()


def refuse_unallocated(bcu: Bcu, design: Design, stratified_by: str, conduct: Conduct) -> None:
    """Raises :class:`Refused` for a protocol under which a case of its wards could have no arm."""
    wards = Ward.objects.filter(borough__bcu=bcu, code__in=conduct.wards)
    boroughs = set(wards.values_list("borough__code", flat=True))
    levels = {"borough": boroughs, "repeat_victim": YES_OR_NO, "race": YES_OR_NO}
    if why_not := why_not_allocated(design, stratified_by, conduct, levels):
        raise Refused(why_not)


def delete_draft(*, trial_id: int, by: User) -> None:
    """Takes a draft away, with its approvals and registrars; what it was remains in the history."""
    with transaction.atomic():
        trial = lock_draft(trial_id, by)
        record_trial(Action.TRIAL_DELETED, trial, by)
        trial.delete()


def record_approval(
    *,
    trial_id: int,
    kind: ApprovalKind,
    reference: str,
    given_by: str,
    given_on: date,
    allows_strand: bool = False,
    by: User,
    at: datetime,
) -> Approval:
    """An approval as it was given, instead of one of its kind recorded before."""
    with transaction.atomic():
        trial = lock_draft(trial_id, by)
        if given_on > timezone.localdate(at):
            raise Refused("The approval is dated in the future: give the day on which it was given.")
        _propose_anew(trial)
        approval, _ = Approval.objects.update_or_create(
            trial=trial,
            kind=kind,
            defaults={
                "reference": reference,
                "given_by": given_by,
                "given_on": given_on,
                "allows_strand": allows_strand and kind == ApprovalKind.DATA_PROTECTION,
                "recorded_at": at,
                "recorded_by": by,
            },
        )
        record_trial(Action.TRIAL_APPROVED, trial, by, [kind])
    return approval


def name_registrar(*, trial_id: int, name: str, email: str, by: User) -> Registrar:
    """Somebody outside who keeps what the trial sends; the same address again gets the new name."""
    with transaction.atomic():
        trial = lock_draft(trial_id, by)
        _propose_anew(trial)
        registrar, _ = Registrar.objects.update_or_create(trial=trial, email=email, defaults={"name": name})
        record_trial(Action.REGISTRARS_NAMED, trial, by, ["registrars"], recipients=[email])
    return registrar


def remove_registrar(*, trial_id: int, registrar_id: int, by: User) -> None:
    """Takes a registrar off the draft; one that is gone already changes nothing."""
    with transaction.atomic():
        trial = lock_draft(trial_id, by)
        if not trial.registrars.filter(pk=registrar_id).delete()[0]:
            return
        _propose_anew(trial)
        record_trial(Action.REGISTRARS_NAMED, trial, by, ["registrars"])


def _propose_anew(trial: Trial) -> None:
    """Takes the proposal back, because the draft is no longer what was proposed."""
    if trial.proposed_at is not None:
        trial.proposed_at = trial.proposed_by = None
        trial.save(update_fields=["proposed_at", "proposed_by"])
