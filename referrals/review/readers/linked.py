"""The reports that a case is shown with: linked ones, and those that may be the same offence."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from referrals.cases.readers import cases_in_hand, latest_cases, standing_findings
from referrals.models import Case, CaseState, Decision, FoundNotSuitable, Referral, ReferralOrder
from referrals.rules.duplicates import WITHIN, may_be_one
from referrals.scope import cases_visible_to
from src_app.accounts.models import User
from src_app.templatetags.words import moment

# Two reports of one offence come within this time of each other.
LATEST_REPORT = timedelta(days=7)
# The others are linked by a key that is on too many reports: their references can be typed.
MOST_OFFERED = 10

# The primary key and crime reference of each report.
Reports = list[tuple[int, str]]
# The same for each of several cases, by their primary keys.
Others = dict[int, Reports]


def shown_with(user: User, case: Case) -> tuple[Reports, Reports]:
    """The reports linked to a case, and those that may be the same offence reported twice.

    Linked reports share its incident or victim; a report that is linked is not listed as alike too. Only
    reports that the account may see are returned. It takes one query, and each half of it has an index.
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


def offered(user: User, reports: Reports) -> list[tuple[str, str]]:
    """For a choice among reports: each one's crime reference, and it in words with what became of it.

    Of these the account is shown what it may see, the latest first, and at most ``MOST_OFFERED``.
    """
    cases = latest_cases(user).filter(pk__in=[pk for pk, _ in reports])[:MOST_OFFERED]
    return [
        (
            case.crime_reference,
            f"{case.crime_reference}, reported {moment(case.reported_at)}. {became(case)}",
        )
        for case in cases
    ]


def named_back(bcu_id: int, duplicates: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs of reports of a BCU that are each said to be a duplicate of the other.

    ``duplicates`` gives, by a report's crime reference, that of the other one.
    """
    about = {
        "case__bcu": bcu_id,
        "case__crime_reference__in": set(duplicates.values()),
        "duplicate_of__in": set(duplicates),
    }
    names = ("case__crime_reference", "duplicate_of")
    # What was decided first holds no longer where it was decided otherwise since.
    ordered = ReferralOrder.objects.filter(referral__case=OuterRef("case"))
    found = FoundNotSuitable.objects.filter(case=OuterRef("case"))
    marked = Decision.objects.filter(~Exists(ordered), ~Exists(found), **about).values_list(*names)
    said = {*marked, *standing_findings().filter(**about).values_list(*names)}
    return [(own, other) for own, other in duplicates.items() if (other, own) in said]


def why_not_left_to(bcu_id: int, reference: str) -> str:
    """Why the victim of a duplicate is not contacted for the other report; empty where it may be.

    So for one that is not kept here: what becomes of it is not known.
    """
    other = Case.objects.select_related("referral").filter(bcu=bcu_id, crime_reference=reference).first()
    if other is None or cases_in_hand().filter(pk=other.pk).exists():
        return ""
    return f"Nobody contacts the victim for {reference} ({became(other)}): choose who contacts them."


def became(case: Case) -> str:
    """What became of the case, as the case list says it, and of its referral."""
    if case.state == CaseState.WAITING:
        return "Waits for a decision"
    if case.state != CaseState.REFERRED:
        return f"{case.get_state_display()}: no team contacts the victim"
    referral: Referral = case.referral
    if referral.contacted_at:
        return f"SRC: contact made on {moment(referral.contacted_at)}"
    return "SRC: closed without contact" if referral.closed_at else f"SRC: due {moment(referral.due_at)}"


def _is_linked(case: Case, other: "_Found") -> bool:
    same_incident = case.incident_hash and case.incident_hash == other.incident_hash
    return bool(same_incident or (case.victim_hash and case.victim_hash == other.victim_hash))


def alike_to(user: User, cases: list[Case], linked: Others) -> Others:
    """For each case, the reports of its ward that may be the same offence, but for the linked ones."""
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
    """A report found for a single case, with the hashes by which the two may be linked."""

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
    """Cases of a ward that were reported, or happened, at about those times.

    The ward and the times are values or, inside a subquery, columns of the outer query.
    """
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


@dataclass(frozen=True)
class Linked:
    """The reports that share a case's incident or victim, and which of the two keys is on too many."""

    reports: Reports
    crowded: list[str]


def linked_to(user: User, cases: list[Case]) -> dict[int, Linked]:
    """For each case, the reports that share its incident or its victim, by reference."""
    by_key: dict[tuple[str, str], list[tuple[str, int, datetime]]] = defaultdict(list)
    sharing = _sharing(user, {case.incident_hash for case in cases}, {case.victim_hash for case in cases})
    for pk, reference, reported_at, incident, victim in sharing.values_list(
        "pk", "crime_reference", "reported_at", "incident_hash", "victim_hash"
    ):
        by_key["incident", incident].append((reference, pk, reported_at))
        by_key["victim", victim].append((reference, pk, reported_at))
    found = {}
    for case in cases:
        own = {"incident": case.incident_hash, "victim": case.victim_hash}
        shared = {kind: by_key[kind, value] for kind, value in own.items() if value}
        others = {
            (reference, pk) for several in shared.values() for reference, pk, _ in several if pk != case.pk
        }
        found[case.pk] = Linked(
            reports=[(pk, reference) for reference, pk in sorted(others)],
            crowded=[
                _CROWDED[kind]
                for kind, several in shared.items()
                if most_within([at for *_, at in several], case.reported_at) > settings.REPORTS_OF_A_KEY
            ],
        )
    return found


_CROWDED = {
    "incident": "Incident number on many reports",
    "victim": "Victim’s key on many reports: one person?",
}


def most_within(times: list[datetime], at: datetime) -> int:
    """How many of the times lie within ``REPORTS_OF_A_KEY_WITHIN`` of one another and of ``at``, at most."""
    span = settings.REPORTS_OF_A_KEY_WITHIN
    ends = [end for end in times if at <= end <= at + span]
    return max((sum(end - span <= time <= end for time in times) for end in ends), default=0)


def _sharing(user: User, incidents: set[str], victims: set[str]) -> QuerySet[Case]:
    """Cases of one of the incidents or one of the victims; empty keys are none."""
    # Of more than a hundred keys PostgreSQL does not see by itself that none is empty; where it does not, it
    # reads no index that leaves the empty ones out, but every case.
    return cases_visible_to(user).filter(
        Q(~Q(incident_hash=""), incident_hash__in=incidents - {""})
        | Q(~Q(victim_hash=""), victim_hash__in=victims - {""})
    )
