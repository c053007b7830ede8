"""What the overnight review shows: the cases that wait for a decision, with everything that bears on it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Count,
    Exists,
    F,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
)
from django.db.models.functions import JSONObject

from referrals.cases.readers import report_of
from referrals.models import (
    Bcu,
    Case,
    CrimeRecordEvent,
    CrimeRecordKind,
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
from referrals.rules.duplicates import WITHIN, may_be_one
from referrals.rules.eligibility import barred, warnings
from referrals.scope import bcus_of, cases_visible_to, submissions_visible_to
from src_app.accounts.models import User

# So long a case that was put right after it was found not suitable is shown.
PUT_RIGHT_SHOWN_FOR = timedelta(days=7)
# Both reports of an offence come within days of it.
LATEST_REPORT = timedelta(days=7)


# Row number and crime reference of each.
Reports = list[tuple[int, str]]


def put_right(user: User, at: datetime) -> list[CrimeRecordEvent]:
    """Cases that were found not suitable and whose crime record was put right since: nobody has them.

    Their decision stays. The latest first, for a week.
    """
    later = CrimeRecordEvent.objects.filter(case=OuterRef("case"), pk__gt=OuterRef("pk"))
    events = CrimeRecordEvent.objects.filter(
        ~Exists(later),
        kind=CrimeRecordKind.REINSTATED,
        noticed_at__gt=at - PUT_RIGHT_SHOWN_FOR,
        case__in=cases_visible_to(user),
        case__decision__suitable=False,
        case__referral__isnull=True,
    )
    return list(events.select_related("case").order_by("-noticed_at", "-pk"))


@dataclass(frozen=True)
class Row:
    """One case of the list. ``linked`` share its incident or victim; ``alike`` may be the same offence."""

    case: Case
    decision: Decision | None
    notes: list[str]
    wishes: str
    communication_need: str
    warnings: list[str]
    barred: str
    linked: Reports
    alike: Reports

    @property
    def references(self) -> list[str]:
        """The case's own and those of the reports it is shown with."""
        return [self.case.crime_reference, *(reference for _, reference in (*self.linked, *self.alike))]

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
    """Cases without a submitted decision, the longest waiting first, with all that a row shows."""
    return (
        cases_visible_to(user)
        .filter(decided_at__isnull=True)
        .select_related("ward__borough", "decision__drafted_by", "decision__team__borough")
        .prefetch_related("texts")
        .order_by("reported_at", "pk")
    )


def progress_of(rows: list[Row]) -> Progress:
    """Counts over rows that are all that waits, the longest waiting first."""
    suitable = [row.decision.suitable for row in rows if row.decision]
    return Progress(
        waiting=len(rows),
        suitable=sum(suitable),
        not_suitable=len(suitable) - sum(suitable),
        oldest=rows[0].case.reported_at if rows else None,
    )


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
    """Those of the ``waiting`` cases with their linked reports, in a fixed number of queries."""
    listed = list(cases)
    linked = _linked(user, listed)
    alike = _alike(user, listed, linked)
    return [_row(case, linked[case.pk], alike[case.pk]) for case in listed]


def together(listed: list[Row]) -> list[Row]:
    """The rows in their order, but those that belong together, by links or likeness, after their first."""
    by_case = {row.case.pk: row for row in listed}
    placed: dict[int, Row] = {}
    for row in listed:
        following = [row.case.pk]
        while following:
            pk = following.pop(0)
            if pk in by_case and pk not in placed:
                placed[pk] = by_case[pk]
                following += [other for other, _ in (*placed[pk].linked, *placed[pk].alike)]
    return list(placed.values())


def _row(case: Case, linked: Reports, alike: Reports) -> Row:
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


Others = dict[int, Reports]


def shown_with(user: User, case: Case) -> tuple[Reports, Reports]:
    """Row number and crime reference of others in sight: those linked to it, and those that may be it again.

    Linked ones share its incident or victim; of the others, what may be the same offence reported twice. One
    query, of which each half has an index of its own.
    """
    around = Case.objects.none()
    if case.ward_id:
        around = _around(
            user,
            ward=case.ward_id,
            reported_at=case.reported_at,
            # Where it is not known when it happened, reports are compared by when they came.
            occurred_at=case.occurred_at or case.reported_at,
        )
    names = [field.name for field in fields(_Found)]
    sharing = _sharing(user, {case.incident_hash}, {case.victim_hash})
    found = (_Found(*row) for row in sharing.values_list(*names).union(around.values_list(*names)))
    others = sorted((other for other in found if other.pk != case.pk), key=lambda other: other.order)
    linked = [other for other in others if _is_linked(case, other)]
    alike = [other for other in others if other not in linked and may_be_one(case, other)]
    return [other.report for other in linked], [other.report for other in alike]


def _is_linked(case: Case, other: "_Found") -> bool:
    same_incident = case.incident_hash and case.incident_hash == other.incident_hash
    return bool(same_incident or (case.victim_hash and case.victim_hash == other.victim_hash))


def _alike(user: User, cases: list[Case], linked: Others) -> Others:
    """Of the same ward, and perhaps one offence; what is linked already is left out."""
    nearby = _nearby(user, cases)
    return {
        case.pk: [
            (other.pk, other.crime_reference)
            for other in nearby[case.pk]
            if (other.pk, other.crime_reference) not in linked[case.pk] and may_be_one(case, other)
        ]
        for case in cases
    }


@dataclass(frozen=True)
class _Other:
    """What ``may_be_one`` compares, of a case nearby."""

    pk: int
    crime_reference: str
    offence: str
    reported_at: datetime
    occurred_at: datetime | None


@dataclass(frozen=True)
class _Found(_Other):
    """One that was found for a single case, and the keys by which it may be linked."""

    incident_hash: str
    victim_hash: str

    @property
    def order(self) -> tuple[str, int]:
        return (self.crime_reference, self.pk)

    @property
    def report(self) -> tuple[int, str]:
        return (self.pk, self.crime_reference)


def _nearby(user: User, cases: list[Case]) -> dict[int, list[_Other]]:
    """For each case the others of its ward at about the same time, by reference.

    The database looks around each case by itself: it reads no more of a busy district than of a quiet one.
    """
    around = _around(
        user,
        ward=OuterRef("ward"),
        reported_at=OuterRef("reported_at"),
        occurred_at=OuterRef("occurred_at"),
    ).exclude(pk=OuterRef("pk"))
    names = [field.name for field in fields(_Other)]
    found = (
        Case.objects.filter(pk__in=[case.pk for case in cases])
        .annotate(
            others=ArraySubquery(
                around.order_by("crime_reference").values(whole=JSONObject(**{n: n for n in names}))
            )
        )
        .values_list("pk", "others")
    )
    return {pk: [_other(**other) for other in others] for pk, others in found}


def _around(user: User, *, ward: Any, reported_at: Any, occurred_at: Any) -> QuerySet[Case]:
    """Cases of a ward at about that time; each is given, or is one of a query around this."""
    return cases_visible_to(user).filter(
        Q(reported_at__range=_about(reported_at, LATEST_REPORT)),
        Q(occurred_at__range=_about(occurred_at, WITHIN)) | Q(reported_at__range=_about(reported_at, WITHIN)),
        ward=ward,
    )


def _about(moment: Any, span: timedelta) -> tuple[Any, Any]:
    return moment - span, moment + span


def _other(*, reported_at: str, occurred_at: str | None, **others: Any) -> _Other:
    return _Other(
        reported_at=datetime.fromisoformat(reported_at),
        occurred_at=datetime.fromisoformat(occurred_at) if occurred_at else None,
        **others,
    )


def _linked(user: User, cases: list[Case]) -> Others:
    by_key: dict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
    sharing = _sharing(user, {case.incident_hash for case in cases}, {case.victim_hash for case in cases})
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


def _sharing(user: User, incidents: set[str], victims: set[str]) -> QuerySet[Case]:
    """Cases of one of the incidents or one of the victims; empty keys are none."""
    # Of more than a hundred keys PostgreSQL does not see by itself that none is empty; where it does not, it
    # reads no index that leaves the empty ones out, but every case.
    return cases_visible_to(user).filter(
        Q(~Q(incident_hash=""), incident_hash__in=incidents - {""})
        | Q(~Q(victim_hash=""), victim_hash__in=victims - {""})
    )


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


def latest_submissions(user: User) -> QuerySet[Submission]:
    """The last five days submitted, the latest first."""
    return (
        submissions_visible_to(user)
        .select_related("bcu", "submitted_by")
        .order_by("-submitted_at", "-pk")[:5]
    )
