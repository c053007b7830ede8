"""The case list, a report as the rules see it, and reports that are linked to it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, StartsWith
from django.utils import timezone

from referrals.models import (
    CLOSED_BY_RECORD,
    Case,
    CloseReason,
    ContactBy,
    Decision,
    FoundNotSuitable,
    Referral,
    ReferralOrder,
    ReferralStatus,
    VictimType,
    backwards,
)
from referrals.rules.eligibility import Report
from referrals.scope import cases_to_find, cases_visible_to
from src_app.accounts.models import User

MOST_FOUND = 20


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


def of_linked_cases(*cases: Case) -> Q:
    """A condition on rows with a ``case``: it shares the incident or the victim of one of those given."""
    linked = Q(pk__in=[])
    if incidents := {case.incident_hash for case in cases} - {""}:
        linked |= Q(case__incident_hash__in=incidents)
    if victims := {case.victim_hash for case in cases} - {""}:
        linked |= Q(case__victim_hash__in=victims)
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


@dataclass(frozen=True)
class Found:
    """What a search found; ``by_whole``: the whole reference was given, and not an end of one."""

    cases: list[Case]
    by_whole: bool


def cases_found(user: User, signs: str) -> Found:
    """Cases whose crime reference or referral's number ends in ``signs``, the latest report first.

    ``signs`` are letters and digits, in capitals. Of a crime reference that ends in this year or the last,
    the digits before the year count as its end too. Those alone that the account may open, or open the
    referral of. Where ``signs`` are the whole of a reference, nothing else is found. At most ``MOST_FOUND``
    are returned, and one more if there are more.
    """
    end = signs[::-1]
    this_year = timezone.localdate().year
    by_reference = [
        Case.objects.filter(StartsWith(backwards("crime_reference"), f"{year}{end}")).values_list("pk")
        for year in ("", *(f"{each % 100:02}"[::-1] for each in (this_year, this_year - 1)))
    ]
    by_number = Referral.objects.filter(StartsWith(backwards("number"), end)).values_list("case_id")
    is_whole = Q(Exact(backwards("crime_reference"), end)) | Q(Exact(backwards("referral__number"), end))
    found = list(
        cases_to_find(user)
        .filter(pk__in=by_number.union(*by_reference))
        # Of a case without a referral it is unknown whether the number is the same.
        .annotate(is_whole=Coalesce(ExpressionWrapper(is_whole, BooleanField()), Value(False)))
        .select_related("ward", "referral__ward")
        .order_by("-is_whole", "-reported_at", "-pk")[: MOST_FOUND + 1]
    )
    whole: list[Case] = [case for case in found if case.is_whole]
    return Found(whole or [*found], by_whole=bool(whole))


def references_of(signs: str) -> list[str]:
    """The references and numbers whose signs these are, whoever may see them: for the audit log alone."""
    end = signs[::-1]
    cases = Case.objects.filter(Exact(backwards("crime_reference"), end)).values_list("crime_reference")
    referrals = Referral.objects.filter(Exact(backwards("number"), end)).values_list("number")
    return [reference for (reference,) in cases.union(referrals)]


def standing_findings() -> QuerySet[FoundNotSuitable]:
    """The latest finding of each case that it was not suitable, unless it was referred again since."""
    since = ReferralOrder.objects.filter(
        referral__case=OuterRef("case"), ordered_at__gte=OuterRef("found_at")
    )
    later = FoundNotSuitable.objects.filter(case=OuterRef("case"), pk__gt=OuterRef("pk"))
    return FoundNotSuitable.objects.filter(~Exists(since), ~Exists(later))


def cases_in_hand() -> QuerySet[Case]:
    """Cases that wait for their decision, and those whose victim a team contacts or has dealt with."""
    referral = Referral.objects.filter(case=OuterRef("pk"))
    ended = referral.filter(close_reason__in=(*CLOSED_BY_RECORD, CloseReason.NOT_SUITABLE))
    unsuitable = standing_findings().filter(case=OuterRef("pk"))
    spoken_with = referral.filter(status=ReferralStatus.COMPLETED)
    return Case.objects.filter(
        Q(decided_at__isnull=True)
        | Exists(spoken_with)
        | Q(Exists(referral), ~Exists(ended), ~Exists(unsuitable))
    )


def duplicates_left_to(cases: Iterable[Case]) -> QuerySet[Case]:
    """Decided cases whose victim is contacted for one of these, of which each is a duplicate.

    Without those whose own victim a team has contacted or contacts now.
    """
    references: dict[int, list[str]] = defaultdict(list)
    for case in cases:
        references[case.bcu_id].append(case.crime_reference)
    left = Q(pk__in=[])
    for bcu_id, others in references.items():
        said = {"case__bcu": bcu_id, "duplicate_of__in": others, "contact_by": ContactBy.OTHER_REPORT}
        found = FoundNotSuitable.objects.filter(case=OuterRef("case"))
        decided = Decision.objects.filter(~Exists(found), submission__isnull=False, **said)
        left |= Q(pk__in=decided.values("case")) | Q(pk__in=standing_findings().filter(**said).values("case"))
    return Case.objects.filter(left).exclude(pk__in=cases_in_hand().filter(left).values("pk"))
