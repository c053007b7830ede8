"""What registrars outside the force are told of a trial, through the outbox."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from referrals.mail.outbox import queue
from referrals.models import MailKind, NoticeKind, Trial, TrialNotice, TrialStatus
from referrals.rules.trial.draws import DOMAIN, Canonical
from referrals.trial.actions.trial_lock import WAIT_FOR_LOCK, record_trial, refuse_clock_behind
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.refused import Refused


def tell_registrars(
    *, trial: Trial, kind: NoticeKind, content: Mapping[str, Canonical], by: User, at: datetime
) -> TrialNotice:
    """Puts one message to each registrar in the outbox; the caller holds the trial's lock."""
    notice = TrialNotice.objects.create(
        trial=trial,
        kind=kind,
        on=timezone.localdate(at),
        content={"format": DOMAIN, "commitment": trial.commitment, **content},
        noticed_at=at,
        noticed_by=by,
    )
    registrars = list(trial.registrars.order_by("pk"))
    for registrar in registrars:
        queue(
            kind=MailKind.TRIAL_NOTICE,
            trial_notice=notice,
            recipient=registrar.email,
            unique_key=f"{kind}:{notice.pk}:{registrar.pk}",
            at=at,
        )
    recipients = [registrar.email for registrar in registrars]
    record_trial(Action.REGISTRARS_TOLD, trial, by, [kind], recipients=recipients)
    return notice


def note_head(*, trial: Trial, by: User, at: datetime) -> TrialNotice | None:
    """Sends how many allocations there are and the last hash; the caller holds the trial's lock.

    One a day, unless there are more since. Raises :class:`~src_app.refused.Refused` where the clock is
    behind the last head by more than somebody may have waited for the lock.
    """
    last = trial.notices.filter(kind=NoticeKind.HEAD).order_by("-pk").first()
    if last is not None:
        refuse_clock_behind(at + WAIT_FOR_LOCK, last.noticed_at)
        at = max(at, last.noticed_at)
    head = head_at(trial, at)
    if last is not None and last.content["heads"] == [head]:
        return None
    return tell_registrars(trial=trial, kind=NoticeKind.HEAD, content={"heads": [head]}, by=by, at=at)


def head_at(trial: Trial, at: datetime) -> dict[str, Canonical]:
    """The count of the trial's allocations, the last one's hash, and the day."""
    last = trial.allocations.order_by("-number").first()
    return {
        "count": last.number if last else 0,
        "hash": last.row_hash if last else "",
        "on": timezone.localdate(at).isoformat(),
    }


def send_heads(*, by: User, at: datetime) -> int:
    """The day's head of every trial that may allocate; returns how many were sent.

    Each by itself: where one is refused, the others are sent before the refusal is raised.
    """
    check_authority(by, Permission.RUN_TRIALS)
    sent, refusals = 0, []
    may_allocate = (TrialStatus.RECRUITING, TrialStatus.CLOSED)
    for trial_id in Trial.objects.filter(status__in=may_allocate).order_by("pk").values_list("pk", flat=True):
        try:
            with transaction.atomic():
                trial = Trial.objects.select_for_update().get(pk=trial_id)
                sent += note_head(trial=trial, by=by, at=at) is not None
        except Refused as refused:
            refusals.append(f"{trial_id}: {refused}")
    if refusals:
        raise Refused(" ".join(refusals))
    return sent
