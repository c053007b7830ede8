"""Decided cases that the overnight review still has to do with."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from referrals.cases.readers import standing_findings
from referrals.models import CrimeRecordEvent, CrimeRecordKind
from referrals.scope import cases_visible_to
from src_app.accounts.models import User

# A case that was found not suitable is listed for this long after its crime record was put right.
REINSTATED_SHOWN_FOR = timedelta(days=7)


def reinstated_cases(user: User, at: datetime) -> list[CrimeRecordEvent]:
    """The events that put a crime record right after its case was found not suitable; the latest first.

    The decision stays, so nobody contacts these victims: the HCOP is shown them for a week.
    """
    later = CrimeRecordEvent.objects.filter(case=OuterRef("case"), pk__gt=OuterRef("pk"))
    events = CrimeRecordEvent.objects.filter(
        ~Exists(later),
        Q(case__decision__suitable=False, case__referral__isnull=True)
        | Q(case__in=standing_findings().values("case")),
        kind=CrimeRecordKind.REINSTATED,
        noticed_at__gt=at - REINSTATED_SHOWN_FOR,
        case__in=cases_visible_to(user),
    )
    return list(events.select_related("case").order_by("-noticed_at", "-pk"))
