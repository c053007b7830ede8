"""What every action on a trial begins and ends with: the lock, shared refusals, the audit row."""

from collections.abc import Collection
from datetime import datetime, timedelta

from referrals.models import STEPS, Trial, TrialStatus
from referrals.scope import trials_visible_to
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import moment

# So long somebody may have waited for a lock after the clock was read; a clock further behind is wrong.
WAIT_FOR_LOCK = timedelta(minutes=5)


def lock_trial(trial_id: int, by: User, permission: Permission) -> Trial:
    """The trial, locked, without its seed; raises ``Trial.DoesNotExist`` for another BCU's."""
    check_authority(by, permission)
    return trials_visible_to(by).select_for_update(of=("self",)).get(pk=trial_id)


def lock_draft(trial_id: int, by: User) -> Trial:
    """A trial that can still be changed; raises :class:`Refused` for one that is sealed."""
    trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
    expect(trial, TrialStatus.DRAFT)
    return trial


def expect(trial: Trial, *statuses: TrialStatus) -> None:
    """Raises :class:`Refused` unless the trial is in one of the statuses."""
    if trial.status not in statuses:
        raise Refused(
            f"{trial.name} is {trial.get_status_display().lower()} by now: open its page again to see what "
            "can be done."
        )


def refuse_early(at: datetime, after: datetime | None) -> None:
    """Raises :class:`Refused` where the clock is behind what has been recorded."""
    if after is not None and at < after:
        raise Refused(
            f"The clock of this system is behind: something was recorded on {moment(after)}. Nothing was "
            "saved: tell the administrator."
        )


def take_step(trial: Trial, status: TrialStatus, by: User, at: datetime, *fields: str) -> None:
    """Moves the locked trial on to its next status, with who and when; ``fields`` were changed with it."""
    name = STEPS[status]
    trial.status = status
    setattr(trial, f"{name}_at", at)
    setattr(trial, f"{name}_by", by)
    trial.save(update_fields=["status", f"{name}_at", f"{name}_by", *fields])


def record_trial(
    action: Action,
    trial: Trial,
    by: User,
    fields: Collection[str] = (),
    *,
    recipients: Collection[str] = (),
) -> None:
    """The audit row of an act on a trial, under its number."""
    record(
        action,
        by=by,
        purpose=Purpose.EVALUATION,
        subject="trial",
        references=[f"trial {trial.pk}"],
        fields=fields,
        recipients=recipients,
    )
