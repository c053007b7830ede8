"""What the overnight review shows: the cases that wait for a decision, with everything that bears on it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, Prefetch, Q, QuerySet

from referrals.models import (
    Bcu,
    Case,
    Decision,
    MailKind,
    Notification,
    Referral,
    ReferralStatus,
    Restriction,
    Strand,
    Submission,
    TextKind,
)
from referrals.queries import bcus_of, cases_visible_to, report_of
from referrals.rules.duplicates import may_be_one
from referrals.rules.eligibility import barred, warnings
from src_app.accounts.models import User

# Both reports of an offence come within days of it.
LATEST_REPORT = timedelta(days=7)


@dataclass(frozen=True)
class Row:
    """One case of the list."""

    case: Case
    decision: Decision | None
    notes: list[str]
    wishes: str
    communication_need: str
    warnings: list[str]
    barred: str
    linked: list[str]
    alike: list[str]

    @property
    def references(self) -> list[str]:
        """The case's own and those of the reports it is shown with."""
        return [self.case.crime_reference, *self.linked, *self.alike]

    @property
    def version(self) -> str:
        """The draft's version, as a form sends it back; empty where there is none."""
        return str(self.decision.version) if self.decision else ""

    @property
    def restrictions(self) -> list[str]:
        return [Restriction(restriction).label for restriction in self.case.restrictions]

    @property
    def strands(self) -> str:
        return ", ".join(Strand(strand).label for strand in self.case.strands)


@dataclass(frozen=True)
class Progress:
    """How far the morning's work has come."""

    waiting: int
    suitable: int
    not_suitable: int
    oldest: datetime | None

    @property
    def marked(self) -> int:
        return self.suitable + self.not_suitable

    @property
    def unmarked(self) -> int:
        return self.waiting - self.marked


def waiting(user: User) -> QuerySet[Case]:
    """Cases without a submitted decision, the longest waiting first."""
    return cases_visible_to(user).filter(decided_at__isnull=True).order_by("reported_at", "pk")


def with_open_referral(user: User) -> QuerySet[Case]:
    """Decided cases whose victim somebody is to contact still."""
    return cases_visible_to(user).filter(referral__status=ReferralStatus.OPEN)


def progress(user: User) -> Progress:
    """Counts over all that waits."""
    counts = waiting(user).aggregate(
        waiting=Count("pk"),
        suitable=Count("pk", filter=Q(decision__suitable=True)),
        not_suitable=Count("pk", filter=Q(decision__suitable=False)),
        oldest=Min("reported_at"),
    )
    return Progress(**counts)


def rows(user: User, cases: Iterable[Case]) -> list[Row]:
    """The cases with their drafts, texts and linked reports, in a fixed number of queries."""
    listed = list(cases)
    complete = (
        Case.objects.filter(pk__in=[case.pk for case in listed])
        .select_related("ward__borough", "decision__drafted_by", "decision__team__borough")
        .prefetch_related("texts")
        .in_bulk()
    )
    linked = _linked(user, list(complete.values()))
    alike = _alike(user, list(complete.values()), linked)
    return [_row(complete[case.pk], _names(linked[case.pk]), _names(alike[case.pk])) for case in listed]


def _names(others: list[tuple[int, str]]) -> list[str]:
    return [reference for _, reference in others]


def _row(case: Case, linked: list[str], alike: list[str]) -> Row:
    texts = {text.kind: text.body for text in case.texts.all()}
    notes = (texts.get(kind, "") for kind in (TextKind.SAFETY_NOTE, TextKind.REVIEW_SAFETY))
    report = report_of(case)
    return Row(
        case=case,
        decision=getattr(case, "decision", None),
        notes=[note for note in notes if note],
        wishes=texts.get(TextKind.CONTACT_WISHES, ""),
        communication_need=texts.get(TextKind.COMMUNICATION_NEED, ""),
        warnings=warnings(report),
        barred=barred(report),
        linked=linked,
        alike=alike,
    )


def linked_cases(user: User, case: Case) -> list[tuple[int, str]]:
    """Row number and crime reference of the others in sight that share the case's incident or victim."""
    return _linked(user, [case])[case.pk]


def alike_cases(user: User, case: Case) -> list[tuple[int, str]]:
    """Row number and crime reference of those in sight that may be the same offence reported twice."""
    return _alike(user, [case], _linked(user, [case]))[case.pk]


def _alike(
    user: User, cases: list[Case], linked: dict[int, list[tuple[int, str]]]
) -> dict[int, list[tuple[int, str]]]:
    """Of the same ward, and perhaps one offence; what is linked already is left out."""
    times = [case.reported_at for case in cases if case.ward_id]
    others: dict[int | None, list[Case]] = defaultdict(list)
    if times:
        nearby = cases_visible_to(user).filter(
            ward__in={case.ward_id for case in cases if case.ward_id},
            reported_at__range=(min(times) - LATEST_REPORT, max(times) + LATEST_REPORT),
        )
        for other in nearby.only(
            "crime_reference", "ward_id", "offence", "occurred_at", "reported_at"
        ).order_by("crime_reference"):
            others[other.ward_id].append(other)
    found = {}
    for case in cases:
        known = {case.pk, *(pk for pk, _ in linked[case.pk])}
        found[case.pk] = [
            (other.pk, other.crime_reference)
            for other in others[case.ward_id]
            if other.pk not in known and may_be_one(case, other)
        ]
    return found


def _linked(user: User, cases: list[Case]) -> dict[int, list[tuple[int, str]]]:
    incidents = {case.incident_hash for case in cases} - {""}
    victims = {case.victim_hash for case in cases} - {""}
    by_key: dict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
    sharing = cases_visible_to(user).filter(Q(incident_hash__in=incidents) | Q(victim_hash__in=victims))
    for pk, reference, incident, victim in sharing.values_list(
        "pk", "crime_reference", "incident_hash", "victim_hash"
    ):
        by_key["incident", incident].add((reference, pk))
        by_key["victim", victim].add((reference, pk))
    found = {}
    for case in cases:
        others: set[tuple[str, int]] = set()
        if case.incident_hash:
            others |= by_key["incident", case.incident_hash]
        if case.victim_hash:
            others |= by_key["victim", case.victim_hash]
        found[case.pk] = [(pk, reference) for reference, pk in sorted(others) if pk != case.pk]
    return found


@dataclass(frozen=True)
class Day:
    """The drafts of one BCU, to be checked and submitted together."""

    bcu: Bcu
    rows: list[Row]

    @property
    def suitable(self) -> list[Row]:
        return [row for row in self.rows if row.decision and row.decision.suitable]

    @property
    def refer_now(self) -> list[Row]:
        """Not for chance to decide: referred outside any trial as soon as they are submitted."""
        return [row for row in self.rows if row.decision and row.decision.referred_anyway]

    @property
    def not_suitable(self) -> list[Row]:
        going = self.suitable + self.refer_now
        return [row for row in self.rows if row not in going]

    @property
    def without_team(self) -> list[Row]:
        """Cases that go to a team, with neither a ward nor a team chosen: they hold up the submission."""
        return [
            row
            for row in self.suitable + self.refer_now
            if row.case.ward is None and row.decision and row.decision.team is None
        ]


def drafted_days(user: User) -> list[Day]:
    """The drafts that wait for submission, by BCU."""
    drafted = rows(user, waiting(user).filter(decision__isnull=False))
    return [
        Day(bcu=bcu, rows=[row for row in drafted if row.case.bcu_id == bcu.pk])
        for bcu in bcus_of(user).order_by("name")
        if any(row.case.bcu_id == bcu.pk for row in drafted)
    ]


@dataclass(frozen=True)
class Fate:
    """What became of one submitted case."""

    decision: Decision
    referral: Referral | None


def fates(submission: Submission) -> list[Fate]:
    """What became of each case of a submission, in order of report time, with the mail that told the team."""
    told = Notification.objects.filter(kind=MailKind.REFERRAL_MADE)
    decisions = (
        submission.decisions.select_related("case__ward", "case__referral__team", "case__referral__ward")
        .prefetch_related(Prefetch("case__referral__notifications", told))
        .order_by(F("case__reported_at"), "case__crime_reference")
    )
    return [Fate(decision, getattr(decision.case, "referral", None)) for decision in decisions]
