"""One case, on one time line."""

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from outcomes.case.timeline import timeline
from referrals.cases.readers import report_of
from referrals.contact.readers.cards import briefing_of
from referrals.models import Allocation, Case, FollowUp, Strand, TextKind
from referrals.review.readers import shown_with
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
    allocation: Allocation | None = getattr(found, "allocation", None)
    reasons = (text.body for text in found.texts.all() if text.kind == TextKind.TEAM_REASON)
    context = {
        "case": found,
        "strands": [Strand(strand).label for strand in found.strands],
        "briefing": briefing_of(found),
        "team_reason": next(reasons, ""),
        "linked": linked,
        "alike": alike,
        "events": timeline(found),
        "grounds": warnings_of_record(report_of(found)),
        "reviews": request.user.can(Permission.REVIEW_CASES),
        "allocation": allocation,
        "may_deviate": request.user.can(Permission.RECORD_DEVIATIONS) and allocation is not None,
        "now": timezone.now(),
    }
    return render(request, "case/case.html", context)


def _complete(user: User) -> QuerySet[Case]:
    """The account's cases with all that the page shows, in a fixed number of queries."""
    return (
        cases_visible_to(user)
        .select_related(
            "ward__borough",
            "restrictions_set_by",
            "decision__submission__submitted_by",
            "referral__team",
            "referral__ward",
            "referral__made_by",
            "referral__taken_by",
            "referral__closed_by",
            "referral__flag_confirmed_by",
            "referral__flag_removed_by",
            "allocation__trial",
            "allocation__control_check__checked_by",
        )
        .defer("allocation__trial__seed_encrypted", "allocation__trial__protocol")
        .prefetch_related(
            "texts",
            "outcomes__code",
            "outcomes__imported_by",
            "crime_record_events__noticed_by",
            "referral__attempts__made_by",
            "allocation__deviations__recorded_by",
            "referral__notifications",
            "referral__hand_overs__from_team",
            "referral__hand_overs__to_team",
            "referral__hand_overs__handed_by",
            "referral__notices__noticed_by",
            "referral__notices__read_by",
            Prefetch(
                "referral__follow_ups",
                FollowUp.objects.filter(attempt__isnull=True).select_related("acknowledged_by"),
            ),
        )
    )
