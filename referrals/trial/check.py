"""Whether the database holds what was allocated: a trial replayed with its seed, before any reveal."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from referrals.models import Allocation, Trial
from referrals.rules.trial.draws import DOMAIN
from referrals.standalone.trial_verify import Difference, Replay, report_of, unlike
from referrals.trial.actions.allocate import case_digest, chained, moment_digest
from referrals.trial.bundle import check_may_export
from src_app.accounts.models import User
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.keys import open_seed


def check_trial(*, trial: Trial, heads: Mapping[str, Any], by: User) -> dict[str, Any]:
    """The report of the stand-alone program over every row, arms too; none of them is in it.

    ``heads``: files of heads, by name, each of the form that the program wants. Raises
    :class:`~src_app.keys.WrongKey`.
    """
    check_may_export(trial, by)
    with transaction.atomic():
        # No allocation is added meanwhile.
        sealed = Trial.objects.select_for_update().get(pk=trial.pk)
        rows = list(sealed.allocations.select_related("case", "follows").order_by("number"))
        record(Action.DOWNLOADED, by=by, purpose=Purpose.EVALUATION, subject="trial", fields=["check"])
    bundle = {
        "format": DOMAIN,
        "protocol": sealed.protocol,
        "commitment": sealed.commitment,
        "seed": open_seed(sealed.seed_encrypted).hex(),
        "allocations": [
            {**chained(row), "previous": row.previous_hash, "hash": row.row_hash} for row in rows
        ],
    }
    replay = Replay(bundle, dict(heads))
    differences = [difference for row in rows if (difference := _digests(row))]
    try:
        replay.run()
    except Difference as difference:
        differences.append(difference)
    # A difference of the whole trial comes before that of any row.
    return report_of(replay, min(differences, key=lambda each: each.allocation or 0, default=None))


def _digests(row: Allocation) -> Difference | None:
    """What the chain cannot see: whether case and moment are those that the digests are of."""
    if row.case_digest != case_digest(row.salt, row.case):
        return unlike(row.number, "is not of the case it was given to")
    if row.moment_digest != moment_digest(row.salt, row.allocated_at):
        return unlike(row.number, "was not made at the time it says")
    return None
