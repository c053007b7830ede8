"""Writing down a night's counts, and comparing the counts that pages read with what they count."""

from collections import defaultdict
from dataclasses import asdict
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from outcomes.models import RateSnapshot
from outcomes.rates.counts import fold_outcomes, mend_outcomes
from outcomes.rates.readers import Outcomes, outcomes_by
from referrals.compliance.counts import fold_contacts, mend_contacts, mend_states
from referrals.compliance.readers.contact import Contact, contact_by_ward
from referrals.models import Bcu, Case, Ward
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.database import RECOUNT_LOCK, wait_for_advisory_lock

log = structlog.get_logger()


def compute_rates(*, by: User, at: datetime) -> int:
    """Writes the day's counts of every ward and BCU; returns how many rows that is.

    The day is London's. The same day again replaces its counts. A case whose ward is not known counts for
    its BCU alone. The counts that pages read are compared with what they count first.
    """
    check_authority(by, Permission.COMPUTE_RATES)
    with transaction.atomic():
        recount(by=by)
        contact = contact_by_ward(at)
        outcomes = outcomes_by(Case.objects.all(), "bcu", "ward")
        wards = list(Ward.objects.values_list("pk", "borough__bcu"))
        bcu_contact: dict[int, Contact] = defaultdict(Contact)
        for ward, bcu in wards:
            bcu_contact[bcu] += contact.get(ward, Contact())
        bcu_outcomes: dict[int | None, Outcomes] = defaultdict(Outcomes)
        ward_outcomes: dict[int | None, Outcomes] = defaultdict(Outcomes)
        for (case_bcu, case_ward), counts in outcomes.items():
            bcu_outcomes[case_bcu] += counts
            ward_outcomes[case_ward] += counts
        places = [
            *((bcu, None) for bcu in Bcu.objects.values_list("pk", flat=True)),
            *((bcu, ward) for ward, bcu in wards),
        ]
        snapshots = [
            RateSnapshot(
                day=timezone.localdate(at),
                computed_at=at,
                bcu_id=bcu,
                ward_id=ward,
                **_counts_of(bcu_contact[bcu] if ward is None else contact.get(ward, Contact())),
                **asdict(bcu_outcomes[bcu] if ward is None else ward_outcomes[ward]),
            )
            for bcu, ward in places
        ]
        _replace(snapshots)
        record(
            Action.RATES_COMPUTED,
            by=by,
            purpose=Purpose.EVALUATION,
            subject="rates",
            fields=sorted(_COUNTS),
        )
    return len(snapshots)


def _counts_of(contact: Contact) -> dict[str, int]:
    """As a snapshot has them: those whose clock is stopped are among those that are not yet due."""
    counts = asdict(contact)
    counts["not_yet_due"] += counts.pop("stopped")
    return counts


def recount(*, by: User) -> int:
    """Counts anew what the database keeps count of, mends what differs, and folds the rows it added.

    Returns how many counts, and states of cases, were wrong: 0 unless something went past the triggers.
    """
    check_authority(by, Permission.COMPUTE_RATES)
    with transaction.atomic():
        # Two at once would both add what one of them lacks.
        wait_for_advisory_lock(RECOUNT_LOCK)
        mended = {"contacts": mend_contacts(), "outcomes": mend_outcomes(), "states": mend_states()}
        fold_contacts()
        fold_outcomes()
        wrong = [name for name, number in mended.items() if number]
        if wrong:
            log.error("counts_mended", **mended)
            record(
                Action.RATES_COMPUTED,
                by=by,
                purpose=Purpose.EVALUATION,
                subject="counts",
                fields=wrong,
            )
    return sum(mended.values())


_COUNTS = (*_counts_of(Contact()), *asdict(Outcomes()))


def _replace(snapshots: list[RateSnapshot]) -> None:
    RateSnapshot.objects.bulk_create(
        snapshots,
        update_conflicts=True,
        unique_fields=["day", "bcu", "ward"],
        update_fields=["computed_at", *_COUNTS],
        batch_size=1_000,
    )
