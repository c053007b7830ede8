"""What is missing of reports and outcomes."""

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from outcomes.quality.filters import LackFilter
from outcomes.quality.readers import lacking, quality
from outcomes.quality.tables import LackTable
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Purpose
from src_app.lists.page import Empty, ListPage

LACKING = ListPage(
    name="lacking",
    url_name="data_quality",
    caption="Reports that lack something",
    table=LackTable,
    filters=LackFilter,
    purpose=Purpose.REVIEW,
    subject="case",
    references=("crime_reference",),
    empty=Empty("Nothing is missing", "A report appears here when something of it is missing."),
)


@requires(Permission.VIEW_CASES)
@require_safe
def data_quality(request: SignedInRequest) -> HttpResponseBase:
    """How many reports lack what, which outcomes do not move, which files did not come."""
    now = timezone.now()
    cases = LACKING.asked(request, lacking(request.user, now))
    if (part := cases.part()) is not None:
        return part
    cases.record_shown()
    context = {
        "quality": quality(request.user, now),
        "list": cases,
        "stuck_after": settings.OUTCOME_STUCK_AFTER.days,
        "at": now,
    }
    return render(request, "quality/data_quality.html", context)
