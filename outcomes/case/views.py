"""One case, on one time line."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from outcomes.case.readers import records_of
from outcomes.case.timeline import timeline
from referrals.cases.readers import report_of
from referrals.contact.readers.briefing import briefing
from referrals.models import Case, Strand, TextKind
from referrals.review.readers.linked import shown_with
from referrals.review.readers.put_right import (
    why_not_correct,
    why_not_find_unsuitable,
    why_not_move,
    why_not_reopen,
)
from referrals.review.readers.refer_now import why_not_refer, why_not_ring_again
from referrals.rules.eligibility import warnings_of_record
from referrals.scope import cases_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record


@requires(Permission.VIEW_CASES)
@require_safe
def case(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Restrictions and safety first, then everything that happened; who looked is on record."""
    found = get_object_or_404(_complete(request.user), pk=case_id)
    linked, alike = shown_with(request.user, found)
    record(
        Action.CASE_OPENED,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[found.crime_reference, *(reference for _, reference in [*linked, *alike])],
    )
    records = records_of(found)
    texts = {text["kind"]: text["body"] for text in records.texts}
    may_find_unsuitable = not why_not_find_unsuitable(found)
    context = {
        "case": found,
        "strands": [Strand(strand).label for strand in found.strands],
        "briefing": briefing(found, texts),
        "team_reason": texts.get(TextKind.TEAM_REASON, ""),
        "linked": linked,
        "alike": alike,
        "events": timeline(found, records),
        "grounds": warnings_of_record(report_of(found)),
        "reviews": request.user.can(Permission.REVIEW_CASES),
        "why_not_refer": why_not_refer(found),
        "may_ring_again": not why_not_ring_again(found),
        "may_reopen": not why_not_reopen(found),
        "may_find_unsuitable": may_find_unsuitable,
        "may_correct_finding": not may_find_unsuitable and not why_not_correct(found),
        "may_move": not why_not_move(found),
        # Named to those alone who may record a deviation from it.
        "trial": records.trial if request.user.can(Permission.RECORD_DEVIATIONS) else "",
        "now": timezone.now(),
    }
    return render(request, "case/case.html", context)


def _complete(user: User) -> QuerySet[Case]:
    """The account's cases, each with what it has at most one of; ``records_of`` reads the rest."""
    related = ("ward__borough", "decision__submission", "referral__team__borough", "allocation")
    return cases_visible_to(user).select_related(*related)
