"""The case list, a report as the rules see it, and reports that are linked to it."""

from django.db.models import (
    Q,
    QuerySet,
)

from referrals.models import (
    Case,
    Referral,
    VictimType,
)
from referrals.rules.eligibility import Report
from referrals.scope import cases_visible_to
from src_app.accounts.models import User


def report_of(case: Case) -> Report:
    """The case as the rules see it."""
    return Report(
        is_crime=case.is_crime,
        crime_status=case.crime_status,
        hate_flag=case.hate_flag,
        individual_victim=case.victim_type == VictimType.INDIVIDUAL,
        under_18=case.victim_under_18,
        ward_known=case.ward_id is not None,
    )


def of_linked_cases(case: Case) -> Q:
    """A condition on rows that have a ``case``: that case shares the given one's incident or victim."""
    linked = Q(pk__in=[])
    if case.incident_hash:
        linked |= Q(case__incident_hash=case.incident_hash)
    if case.victim_hash:
        linked |= Q(case__victim_hash=case.victim_hash)
    return linked


def references_holding(part: str, most: int) -> list[str]:
    """Crime references and referral numbers that hold this part, for the audit log, which names them all."""
    written = Q(crime_reference__contains=part) | Q(crime_reference__contains=part.upper())
    cases = Case.objects.filter(written).values_list("crime_reference")
    referrals = Referral.objects.filter(number__contains=part.upper()).values_list("number")
    return [reference for (reference,) in cases.union(referrals, all=True)[:most]]


def latest_cases(user: User) -> QuerySet[Case]:
    """Cases with all that tells what became of each, the latest report first."""
    return (
        cases_visible_to(user)
        .select_related("ward__borough", "decision", "referral")
        .order_by("-reported_at", "-pk")
    )
