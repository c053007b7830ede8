"""What became of all suitable cases, SRC and usual service together."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from outcomes.rates.forms import DayForm
from outcomes.rates.readers import night_of, outcomes_so_far, weekly_nights
from referrals.compliance.charts import share_chart
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record


@requires(Permission.VIEW_OUTCOMES)
@require_safe
def outcomes(request: SignedInRequest) -> HttpResponse:
    """The totals so far, or those of one past night as they were computed, and the weekly trend."""
    form = DayForm(request.GET)
    day = form.cleaned_data["day"] if form.is_valid() else None
    night = night_of(request.user, day) if day else None
    weeks = weekly_nights(request.user, at=timezone.now())
    record(Action.LIST_SHOWN, by=request.user, purpose=Purpose.EVALUATION, subject="rates")
    context = {
        "form": form,
        "day": day,
        "night": night,
        "outcomes": night.outcomes if night else outcomes_so_far(request.user),
        "weeks": weeks,
        "with_closed": [week for week in weeks if week.outcomes.closed],
    }
    return render(request, "rates/outcomes.html", context)


@requires(Permission.VIEW_OUTCOMES)
@require_safe
def outcomes_chart(request: SignedInRequest) -> HttpResponse:
    """The share of closed cases in which the victim withdrew support, week by week, as a picture."""
    points = [
        (f"{night.day.day} {night.day:%b}", night.outcomes.attrition / night.outcomes.closed)
        for night in weekly_nights(request.user, at=timezone.now())
        if night.outcomes.closed
    ]
    return HttpResponse(share_chart(points, title="Counted on"), content_type="image/svg+xml; charset=utf-8")
