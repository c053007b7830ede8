"""What of a trial goes outside: the bundle that anybody can verify, and the head of its chain."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from referrals.models import Trial
from referrals.queries import trials_to_export
from referrals.rules.draws import DOMAIN, Canonical
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record


def export_trial(*, trial: Trial, by: User) -> dict[str, Canonical]:
    """The bundle of a trial that is not revealed: protocol, commitment, and the links of the chain.

    Neither seed nor arm is in it: whoever knows the past arms guesses the next better than chance.
    """
    check_may_export(trial, by)
    with transaction.atomic():
        links = trial.allocations.order_by("number").values_list("number", "previous_hash", "row_hash")
        bundle: dict[str, Canonical] = {
            "format": DOMAIN,
            "protocol": trial.protocol,
            "commitment": trial.commitment,
            "seed": None,
            "allocations": [
                {"number": number, "previous": previous, "hash": own} for number, previous, own in links
            ],
        }
        record(Action.DOWNLOADED, by=by, purpose=Purpose.EVALUATION, subject="trial", fields=["allocations"])
    return bundle


def head_of(*, trial: Trial, by: User, at: datetime) -> dict[str, Canonical]:
    """How many allocations there are, and the last hash: noted outside, it shows a tail cut off later."""
    check_may_export(trial, by)
    with transaction.atomic():
        last = trial.allocations.order_by("-number").first()
        head: dict[str, Canonical] = {
            "count": last.number if last else 0,
            "hash": last.row_hash if last else "",
            "on": timezone.localtime(at).date().isoformat(),
        }
        record(Action.DOWNLOADED, by=by, purpose=Purpose.EVALUATION, subject="trial", fields=["head"])
    return {"format": DOMAIN, "commitment": trial.commitment, "heads": [head]}


def check_may_export(trial: Trial, by: User) -> None:
    """Raises :class:`NotAllowed` unless the account may give this trial outside."""
    check_authority(by, Permission.EXPORT_TRIALS)
    if not trials_to_export(by).filter(pk=trial.pk).exists():
        raise NotAllowed
