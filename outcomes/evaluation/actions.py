"""Locking the outcomes of a trial, correcting what was locked, and looking by arm before it."""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from outcomes.evaluation.by_arm import by_arm
from outcomes.evaluation.readers.awaited import awaited
from outcomes.evaluation.readers.data_set import rows_of
from outcomes.evaluation.readers.looks import planned_look
from outcomes.models import DataSet, Look
from referrals.models import NoticeKind, Trial, TrialStatus
from referrals.rules.trial.draws import Canonical, sha256
from referrals.trial.actions.registry import tell_registrars
from referrals.trial.actions.trial_lock import (
    expect,
    lock_trial,
    record_trial,
    refuse_clock_behind,
    take_step,
)
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.refused import Refused
from src_app.templatetags.words import day, moment


def lock_outcomes(*, trial_id: int, by: User, at: datetime) -> DataSet:
    """Locks the outcomes of a closed trial, keeps what is analysed and sends its digest to the registrars.

    Refused, saying what is missing, while a unit's follow-up is not over or a control is not checked.
    """
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
        expect(trial, TrialStatus.CLOSED)
        refuse_clock_behind(at, trial.closed_at)
        if missing := awaited(trial, at).missing:
            raise Refused(f"The outcomes cannot be locked yet. {' '.join(missing)}")
        take_step(trial, TrialStatus.LOCKED, by, at)
        data_set = _keep(trial, rows_of(trial, at), number=1, reason="", by=by, at=at)
        record_trial(Action.TRIAL_LOCKED, trial, by, ["status", "data_sets"])
    return data_set


def correct_data_set(*, trial_id: int, reason: str, by: User, at: datetime) -> DataSet:
    """Makes a further data set of what is recorded by now, beside those before it.

    The registrars are told its digest and the reason. Refused without one, and where nothing changed.
    """
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
        expect(trial, TrialStatus.LOCKED, TrialStatus.REVEALED)
        reason = _said(reason, "Say why the data set is corrected.")
        last = trial.data_sets.order_by("number").last()
        assert last is not None, "the lock makes the first"
        refuse_clock_behind(at, last.made_at)
        rows = rows_of(trial, at)
        if sha256(rows) == last.digest:
            raise Refused(
                f"Nothing has changed since data set {last.number}: record what was wrong first, then "
                "correct the data set."
            )
        data_set = _keep(trial, rows, number=last.number + 1, reason=reason, by=by, at=at)
        record_trial(Action.DATA_SET_CORRECTED, trial, by, ["data_sets"])
    return data_set


def open_look(*, trial_id: int, planned_on: date | None, reason: str, by: User, at: datetime) -> Look:
    """Keeps the counts by arm as they are now, for whoever opens them, before outcomes are locked.

    ``planned_on``: a day of the protocol, from which on its one reader may open it, once, without a reason.
    Any other look is the trial lead's, for a reason, and counts against the p-values. The same reason again
    while nothing has changed is the same look.
    """
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.VIEW_TRIALS)
        expect(trial, TrialStatus.RECRUITING, TrialStatus.CLOSED)
        refuse_clock_behind(at, trial.opened_at)
        if planned_on is not None:
            _check_planned(trial, planned_on, by, at)
            reason = ""
        else:
            check_authority(by, Permission.MANAGE_TRIALS)
            reason = _said(reason, "Say why you have to see the arms before the lock.")
        counts = by_arm(rows_of(trial, at), trial.conduct.plan).document
        same = {"planned_on__isnull": True, "reason": reason, "content": counts, "opened_by": by}
        if planned_on is None and (earlier := trial.looks.filter(**same).first()):
            return earlier
        look = Look.objects.create(
            trial=trial, planned_on=planned_on, reason=reason, content=counts, opened_at=at, opened_by=by
        )
        record_trial(Action.LOOK_OPENED, trial, by, ["planned look" if planned_on else "look"])
    return look


def _check_planned(trial: Trial, planned_on: date, by: User, at: datetime) -> None:
    planned = planned_look(trial, planned_on)
    if planned is None:
        raise Refused(f"The protocol plans no look for {day(planned_on)}.")
    if planned.reader != by.username:
        raise Refused("The protocol names somebody else as the one reader of this look.")
    if timezone.localdate(at) < planned_on:
        raise Refused(f"The protocol plans this look for {day(planned_on)}: it cannot be opened before.")
    if earlier := trial.looks.filter(planned_on=planned_on).first():
        raise Refused(f"This look was opened on {moment(earlier.opened_at)}: it is opened once.")


def _keep(
    trial: Trial, rows: list[dict[str, Canonical]], *, number: int, reason: str, by: User, at: datetime
) -> DataSet:
    """Writes the data set, with its digest for the registrars; the caller holds the trial's lock."""
    digest = sha256(rows)
    data_set = DataSet.objects.create(
        trial=trial, number=number, reason=reason, content=rows, digest=digest, made_at=at, made_by=by
    )
    content: dict[str, Canonical] = {
        "data_set": number,
        "sha256": digest,
        "rows": len(rows),
        **({"reason": reason} if reason else {}),
    }
    tell_registrars(trial=trial, kind=NoticeKind.LOCKED, content=content, by=by, at=at)
    return data_set


def _said(reason: str, otherwise: str) -> str:
    if not reason.strip():
        raise Refused(otherwise)
    return reason.strip()
