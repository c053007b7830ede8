"""The counts of the compliance page beside a full scan written by hand that counts every referral.

And what the pages behind it cost, whose figures are read from the referrals of the period.
"""

import uuid
from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import replace
from typing import Any, cast

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from bench.figures import Times, interleaved
from bench.measuring import WARM_UP, Place, WrongRows
from referrals.compliance.readers.contact import Contact, compliance_of
from referrals.compliance.readers.periods import default_period
from referrals.contact.actions.attempts import log_attempt
from referrals.models import Method, Referral, ReferralStatus, Result
from referrals.scope import asked_once, places_of
from src_app.accounts.models import User
from src_app.audit.record import acting

# Aims: how often faster than the scan, and how much slower than at the small size.
FASTER, GROWTH = 50, 1.2
PAGES = {"in detail": "compliance_figures", "patterns": "compliance_patterns"}
# They are slow enough to be measured by fewer repetitions.
MOST_OF_PAGES = 10

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

    def scan() -> Contact:
        at = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(_SCAN, {"at": at, "begins": default_period(at).begins})
            return sum((Contact(*row[1:]) for row in cursor.fetchall()), Contact())

    runs: list[Callable[[], Any]] = [_counts(place), scan]
    if runs[0]() != runs[1]():
        raise WrongRows(f"The page counts {runs[0]()}, and a full scan {runs[1]()}")
    before = [place.database.use]
    if small:
        runs.insert(0, _counts(small))
        place.database.use()
        before = [small.database.use, place.database.use]
    interleaved(runs, min(WARM_UP, repetitions), before)
    *first, counted, scanned = interleaved(runs, repetitions, before)
    told = _told(counted, scanned, first[0] if first else None)
    for words, times in [
        *_pages(place, small, repetitions),
        ("an attempt, until it is counted", _shown(place, repetitions)),
    ]:
        told["milliseconds"][words] = times.as_json()
    return told


def _counts(of: Place) -> Callable[[], Contact]:
    """What the page counts, in a request that has read already where the account belongs."""
    of.database.use()
    user = User.objects.get(username=of.page.who)
    with asked_once():
        places_of(user)
        context = copy_context()

    def counts() -> Contact:
        at = timezone.now()
        return context.run(compliance_of, user, period=default_period(at), at=at).total

    return counts


def _pages(place: Place, small: Place | None, repetitions: int) -> Iterator[tuple[str, Times]]:
    """Each page behind the first one, at both sizes in turn."""
    for words, name in PAGES.items():
        sizes = {words: place} | ({f"{words} at the small size": small} if small else {})
        pages = [replace(of, page=replace(of.page, url=reverse(name))) for of in sizes.values()]
        runs, before = [page.open for page in pages], [page.database.use for page in pages]
        interleaved(runs, min(WARM_UP, repetitions), before)
        times = interleaved(runs, min(MOST_OF_PAGES, repetitions), before)
        yield from zip(sizes, times, strict=True)


def _shown(place: Place, repetitions: int) -> Times:
    """Logging a contact and counting with it; each time another of the open referrals that somebody has."""
    counts = _counts(place)
    taken = Referral.objects.filter(status=ReferralStatus.OPEN, taken_by__isnull=False)
    waiting = iter(taken.select_related("taken_by").order_by("pk")[:repetitions])
    before = found = counts()

    def attempt() -> None:
        nonlocal found
        referral, at = next(waiting), timezone.now()
        log_attempt(
            referral_id=referral.pk,
            key=uuid.uuid4(),
            method=Method.TELEPHONE,
            result=Result.CONTACT_MADE,
            made_at=at,
            by=cast(User, referral.taken_by),
            at=at,
        )
        found = counts()

    with acting("bench", by=None):
        (times,) = interleaved([attempt], repetitions)
    reached = found.in_time + found.late - before.in_time - before.late
    if reached != repetitions:
        raise WrongRows(f"Of {repetitions} contacts the page counts {reached}")
    return times


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
