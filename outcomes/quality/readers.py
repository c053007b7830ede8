"""Reports that lack something, outcomes that do not move, and files that did not come."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from outcomes.models import RecordedOutcome
from referrals.cases.readers import latest_cases
from referrals.health.readers import Seen, extracts, outcome_file
from referrals.models import Bcu, Case, CaseState
from referrals.scope import places_of
from src_app.accounts.models import User

REPORTED_WITHIN = timedelta(weeks=12)
# An investigation that is older than this is no longer looked after here.
LOOKED_AFTER_FOR = timedelta(days=365)
LACKS = {
    "ward": "No ward",
    "strand": "No strand",
    "victim": "No victim key",
    "officer": "No officer in the case",
    "outcome": "No outcome yet",
}
_LACKING = {
    "ward": Q(ward__isnull=True),
    "strand": Q(strands=[]),
    "victim": Q(victim_hash=""),
    "officer": Q(officer_in_case=""),
}


def _without_outcome(at: datetime) -> Q:
    """A condition for suitable cases that should have an outcome by now, and have none."""
    latest = RecordedOutcome.objects.filter(case=OuterRef("pk")).order_by("-recorded_at", "-pk")
    return _due_an_outcome(at) & Q(IsNull(Subquery(latest.values("code")[:1]), True))


def _due_an_outcome(at: datetime) -> Q:
    return Q(
        state__in=[CaseState.REFERRED, CaseState.USUAL_SERVICE],
        reported_at__gte=at - LOOKED_AFTER_FOR,
        reported_at__lt=at - settings.OUTCOME_STUCK_AFTER,
    )


def lacking(user: User, at: datetime, what: str = "") -> "QuerySet[Case]":
    """Cases of the account's BCUs that lack that, or anything; the latest report first."""
    return latest_cases(user).filter(_condition(at, what) if what else _anything(at))


def _condition(at: datetime, what: str) -> Q:
    if what == "outcome":
        return _without_outcome(at)
    return _LACKING[what] & Q(reported_at__gte=at - REPORTED_WITHIN)


def _anything(at: datetime) -> Q:
    found = Q()
    for what in LACKS:
        found |= _condition(at, what)
    return found


@dataclass(frozen=True)
class Lack:
    """How many cases lack something, of how many; ``what`` names it in an address."""

    what: str
    words: str
    number: int
    of: int


@dataclass(frozen=True)
class Quality:
    """All that is known of it. ``late``: files that did not come when they should have."""

    lacks: list[Lack]
    files: list[Seen]

    @property
    def is_well(self) -> bool:
        return not any(lack.number for lack in self.lacks) and not any(file.is_late for file in self.files)


def quality(user: User, at: datetime) -> Quality:
    """In five queries."""
    cases = latest_cases(user).order_by()
    recent = cases.filter(reported_at__gte=at - REPORTED_WITHIN).aggregate(
        all=Count("pk"), **{what: Count("pk", filter=condition) for what, condition in _LACKING.items()}
    )
    due = cases.filter(_due_an_outcome(at))
    stuck = lacking(user, at, "outcome").count()
    lacks = [Lack(what, LACKS[what], recent[what], recent["all"]) for what in _LACKING]
    own = set(Bcu.objects.filter(pk__in=places_of(user).bcus).values_list("code", flat=True))
    files = [replace(each, what=f"Extract of {each.what}") for each in extracts(at) if each.code in own]
    return Quality(
        lacks=[*lacks, Lack("outcome", LACKS["outcome"], stuck, due.count())],
        files=[*files, outcome_file(at)],
    )
