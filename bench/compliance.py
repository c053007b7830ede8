"""The counts of the compliance page beside a full scan written by hand that counts every referral."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.figures import Times, interleaved
from bench.measuring import WARM_UP, Place, WrongRows
from referrals.compliance.readers.contact import Contact, compliance_of
from referrals.compliance.readers.periods import default_period
from src_app.accounts.models import User

# Aims: how often faster than the scan, and how much slower than at the small size.
FASTER, GROWTH = 50, 1.2

_SCAN = """
    SELECT r.ward_id,
        count(*) FILTER (WHERE contacted_at <= due_at AND due_at >= %(begins)s) AS in_time,
        count(*) FILTER (WHERE contacted_at > due_at AND due_at >= %(begins)s) AS late,
        count(*) FILTER (WHERE closed_at IS NULL AND due_at < %(at)s AND due_at >= %(begins)s) AS overdue,
        count(*) FILTER (WHERE closed_at IS NULL AND due_at >= %(at)s) AS not_yet_due,
        count(*) FILTER (WHERE closed_at IS NOT NULL AND contacted_at IS NULL AND due_at >= %(begins)s)
            AS closed_without_contact
    FROM referrals_referral r WHERE r.made_at <= %(at)s GROUP BY 1
"""


def measure_compliance(place: Place, small: Place | None, repetitions: int) -> dict[str, Any]:
    """The page's counts at the small size and at the large, and the scan at the large, in turn."""

    def counts(of: Place) -> Callable[[], Contact]:
        of.database.use()
        user = User.objects.get(username=of.page.who)
        return lambda: compliance_of(user, period=default_period(timezone.now()), at=timezone.now()).total

    def scan() -> Contact:
        at = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(_SCAN, {"at": at, "begins": default_period(at).begins})
            return sum((Contact(*row[1:]) for row in cursor.fetchall()), Contact())

    runs: list[Callable[[], Any]] = [counts(place), scan]
    place.database.use()
    if runs[0]() != runs[1]():
        raise WrongRows(f"The page counts {runs[0]()}, and a full scan {runs[1]()}")
    before = [place.database.use]
    if small:
        runs.insert(0, counts(small))
        before = [small.database.use, place.database.use]
    interleaved(runs, min(WARM_UP, repetitions), before)
    *first, counted, scanned = interleaved(runs, repetitions, before)
    return _told(counted, scanned, first[0] if first else None)


def _told(counted: Times, scanned: Times, small: Times | None) -> dict[str, Any]:
    ratios = {"scan_to_counts": scanned.to(counted)}
    missed = []
    if ratios["scan_to_counts"] < FASTER:
        missed.append(f"{ratios['scan_to_counts']:.1f} times as fast as a full scan, aim {FASTER}")
    if small:
        ratios["large_to_small"] = counted.to(small)
        if ratios["large_to_small"] > GROWTH:
            missed.append(f"{ratios['large_to_small']:.2f} of the small size, aim {GROWTH}")
    return {
        "name": "compliance_counts",
        "rows": 0,
        "compared_with": "a full scan by hand",
        "milliseconds": {
            "counts": counted.as_json(),
            "full scan": scanned.as_json(),
            **({"counts at the small size": small.as_json()} if small else {}),
        },
        "ratios": ratios,
        "missed": "; ".join(missed),
    }
