"""What of a trial goes outside: the bundle that anybody can verify, and the head of its chain."""

from datetime import datetime

from django.db import transaction

from referrals.models import Trial
from referrals.rules.trial.draws import DOMAIN, Canonical
from referrals.scope import trials_to_export
from referrals.trial.actions.allocate import chained
from referrals.trial.actions.registry import head_at
from referrals.trial.actions.trial_lock import record_trial
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action


def export_trial(*, trial: Trial, by: User) -> dict[str, Canonical]:
    """The bundle: protocol, commitment, seed, and every allocation in order, by pseudonyms and digests.

    Before the reveal neither seed nor arm is in it, and of the allocations the links of the chain alone:
    whoever knows the past arms guesses the next better than chance.
    """
    check_may_export(trial, by)
    with transaction.atomic():
        rows = trial.allocations.select_related("follows").order_by("number")
        bundle: dict[str, Canonical] = {
            "format": DOMAIN,
            "protocol": trial.protocol,
            "commitment": trial.commitment,
            "seed": trial.revealed_seed or None,
            "allocations": [
                {
                    **(chained(row) if trial.revealed_seed else {"number": row.number}),
                    "previous": row.previous_hash,
                    "hash": row.row_hash,
                }
                for row in rows
            ],
        }
        record_trial(Action.DOWNLOADED, trial, by, ["allocations"])
    return bundle


def head_of(*, trial: Trial, by: User, at: datetime) -> dict[str, Canonical]:
    """How many allocations there are, and the last hash: noted outside, it shows a tail cut off later."""
    check_may_export(trial, by)
    with transaction.atomic():
        head = head_at(trial, at)
        record_trial(Action.DOWNLOADED, trial, by, ["head"])
    return {"format": DOMAIN, "commitment": trial.commitment, "heads": [head]}


def check_may_export(trial: Trial, by: User) -> None:
    """Raises :class:`NotAllowed` unless the account may give this trial outside."""
    check_authority(by, Permission.EXPORT_TRIALS)
    if not trials_to_export(by).filter(pk=trial.pk).exists():
        raise NotAllowed
