"""The steps of a trial from proposal to reveal; none goes back. Locking is in ``outcomes``."""

import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from referrals.mail.outbox import queue
from referrals.models import MailKind, Mode, NoticeKind, Pause, Trial, TrialStatus
from referrals.rules.trial.draws import sha256
from referrals.rules.trial.seal import commitment
from referrals.trial.actions.design import refuse_unallocated
from referrals.trial.actions.registry import note_head, tell_registrars
from referrals.trial.actions.trial_lock import (
    WAIT_FOR_LOCK,
    expect,
    lock_draft,
    lock_trial,
    record_trial,
    refuse_clock_behind,
    take_step,
)
from referrals.trial.readers.approvals import lacking
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.keys import WrongKey, open_seed, seal_seed
from src_app.refused import Refused


def propose(*, trial_id: int, tell: str = "", by: User, at: datetime) -> Trial:
    """Puts the draft before whoever is to seal it: another person. Refused while something is missing.

    ``tell``: the e-mail address of that person, if they are told that it waits.
    """
    with transaction.atomic():
        trial = lock_draft(trial_id, by)
        if missing := lacking(trial):
            raise Refused(f"Still missing: {', '.join(missing)}. Record it, then propose the trial.")
        trial.proposed_at, trial.proposed_by = at, by
        trial.save(update_fields=["proposed_at", "proposed_by"])
        if tell:
            queue(
                kind=MailKind.TRIAL_PROPOSED,
                trial=trial,
                recipient=tell,
                unique_key=f"{MailKind.TRIAL_PROPOSED}:{trial.pk}:{at.isoformat()}",
                at=at,
            )
        fields = ["proposed_at", "proposed_by"]
        record_trial(Action.TRIAL_PROPOSED, trial, by, fields, recipients=[tell] if tell else [])
    return trial


def seal(*, trial_id: int, digest: str, by: User, at: datetime) -> Trial:
    """Draws the 256-bit seed, freezes the protocol and publishes the commitment to both.

    ``digest``: that of what was read, :func:`proposal_digest`. Refused for whoever proposed the trial, and
    for a protocol, approval or registrar that changed since.
    """
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.SEAL_TRIALS)
        expect(trial, TrialStatus.DRAFT)
        if trial.proposed_at is None or proposal_digest(trial) != digest:
            raise Refused("Something was changed after you opened this page: read it again.")
        if trial.proposed_by == by:
            raise Refused("You proposed this trial: somebody else has to seal it.")
        if missing := lacking(trial):
            raise Refused(f"Still missing: {', '.join(missing)}. The trial lead has to propose it anew.")
        # Wards may have gone to another borough since it was drafted.
        refuse_unallocated(trial.bcu, trial.design, trial.stratified_by, trial.conduct)
        refuse_clock_behind(at, trial.proposed_at)
        seed = secrets.token_bytes(32)
        trial.commitment = commitment(trial.protocol, seed)
        try:
            trial.seed_encrypted = seal_seed(seed)
        except WrongKey as error:
            raise Refused(
                "This system has no key to seal a trial with: nothing was sealed. Tell the administrator."
            ) from error
        take_step(trial, TrialStatus.SEALED, by, at, "commitment", "seed_encrypted")
        content = {"name": trial.name, "protocol": trial.protocol}
        tell_registrars(trial=trial, kind=NoticeKind.SEALED, content=content, by=by, at=at)
        record_trial(Action.TRIAL_SEALED, trial, by, ["status", "commitment"])
    return trial


def proposal_digest(trial: Trial) -> str:
    """What a seal is to freeze, in 64 hex digits: protocol, approvals and registrars as they are."""
    approvals = trial.approvals.order_by("kind")
    return sha256(
        [
            trial.protocol,
            [[a.kind, a.reference, a.given_by, a.given_on.isoformat(), a.allows_strand] for a in approvals],
            [[registrar.name, registrar.email] for registrar in trial.registrars.order_by("email")],
        ]
    )


def open_recruitment(*, trial_id: int, by: User, at: datetime) -> Trial:
    """From now on cases of the trial's wards are allocated, on the days that the protocol gives."""
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
        expect(trial, TrialStatus.SEALED)
        refuse_clock_behind(at, trial.sealed_at)
        conduct, today = trial.conduct, timezone.localdate(at)
        if today < conduct.recruits_from:
            raise Refused(f"The protocol lets this trial recruit from {conduct.recruits_from:%-d %B %Y} on.")
        if today > conduct.recruits_until:
            raise Refused(
                f"The protocol's last day of recruitment was {conduct.recruits_until:%-d %B %Y}: this trial "
                "cannot be opened any more. Draft another."
            )
        take_step(trial, TrialStatus.RECRUITING, by, at)
        record_trial(Action.TRIAL_OPENED, trial, by, ["status"])
    return trial


def pause(*, trial_id: int, reason: str, meanwhile: Mode, by: User, at: datetime) -> Pause:
    """Stops recruitment. ``meanwhile``, SRC for all or not started, is the mode of its wards until then."""
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
        expect(trial, TrialStatus.RECRUITING)
        if trial.pauses.filter(resumed_at__isnull=True).exists():
            raise Refused(f"{trial.name} is paused already.")
        refuse_clock_behind(at, trial.opened_at)
        pause = Pause.objects.create(
            trial=trial, reason=reason, meanwhile=meanwhile, paused_at=at, paused_by=by
        )
        record_trial(Action.TRIAL_PAUSED, trial, by, ["pauses"])
    return pause


def resume(*, trial_id: int, by: User, at: datetime) -> Trial:
    """Lets a paused trial recruit again."""
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
        expect(trial, TrialStatus.RECRUITING)
        if not _end_pause(trial, by, at):
            raise Refused(f"{trial.name} is not paused.")
        record_trial(Action.TRIAL_RESUMED, trial, by, ["pauses"])
    return trial


def _end_pause(trial: Trial, by: User, at: datetime) -> bool:
    """Ends the pause that lasts, if one does; the clock may have been read while it was begun."""
    pause = trial.pauses.filter(resumed_at__isnull=True).first()
    if pause is None:
        return False
    refuse_clock_behind(at + WAIT_FOR_LOCK, pause.paused_at)
    pause.resumed_at, pause.resumed_by = max(at, pause.paused_at), by
    pause.save(update_fields=["resumed_at", "resumed_by"])
    return True


def close(*, trial_id: int, because: str, by: User, at: datetime) -> Trial:
    """Ends recruitment for good; linked reports of those allocated still follow their arm."""
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
        expect(trial, TrialStatus.RECRUITING)
        close_locked(trial=trial, because=because, by=by, at=at)
    return trial


def close_locked(*, trial: Trial, because: str, by: User, at: datetime) -> None:
    """Closes a recruiting trial whose lock the caller holds, and sends the head of its chain."""
    refuse_clock_behind(at, trial.opened_at)
    trial.closed_because = because
    _end_pause(trial, by, at)
    take_step(trial, TrialStatus.CLOSED, by, at, "closed_because")
    note_head(trial=trial, by=by, at=at)
    record_trial(Action.TRIAL_CLOSED, trial, by, ["status", "closed_because"])


def close_ended(*, by: User, at: datetime) -> int:
    """Closes trials whose last day of recruitment is over; returns how many.

    Each by itself: where one is refused, the others are closed before the refusal is raised.
    """
    check_authority(by, Permission.RUN_TRIALS)
    closed, refusals = 0, []
    for trial_id in Trial.objects.filter(status=TrialStatus.RECRUITING).values_list("pk", flat=True):
        try:
            with transaction.atomic():
                trial = Trial.objects.select_for_update().get(pk=trial_id)
                closed += close_if_ended(trial=trial, at=at)
        except Refused as refused:
            refusals.append(f"{trial_id}: {refused}")
    if refusals:
        raise Refused(" ".join(refusals))
    return closed


def close_if_ended(*, trial: Trial, at: datetime) -> bool:
    """Closes a recruiting trial whose last day is over, as this system; the caller holds its lock."""
    over = timezone.localdate(at) > trial.conduct.recruits_until
    if trial.status != TrialStatus.RECRUITING or not over:
        return False
    because = "The last day of recruitment in the protocol is over."
    close_locked(trial=trial, because=because, by=User.objects.system(), at=at)
    return True


def reveal(*, trial_id: int, by: User, at: datetime) -> Trial:
    """Publishes the seed: anybody can replay every arm from now on. Refused where it was not sealed."""
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
        expect(trial, TrialStatus.LOCKED)
        refuse_clock_behind(at, trial.locked_at)
        try:
            seed = open_seed(trial.seed_encrypted)
        except WrongKey as error:
            raise Refused(
                "The key that sealed this trial is missing: nothing was revealed. Tell the administrator."
            ) from error
        if commitment(trial.protocol, seed) != trial.commitment:
            raise Refused(
                "Protocol and seed are not those that were sealed: nothing was revealed. Tell the auditor."
            )
        trial.revealed_seed = seed.hex()
        take_step(trial, TrialStatus.REVEALED, by, at, "revealed_seed")
        content = {"seed": trial.revealed_seed}
        tell_registrars(trial=trial, kind=NoticeKind.REVEALED, content=content, by=by, at=at)
        record_trial(Action.TRIAL_REVEALED, trial, by, ["status", "revealed_seed"])
    return trial
