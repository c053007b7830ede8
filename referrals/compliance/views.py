"""Who has not been contacted, and where?"""

from datetime import datetime

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from referrals.compliance.charts import weekly_chart
from referrals.compliance.filters import OverdueFilter
from referrals.compliance.forms import PeriodForm
from referrals.compliance.readers import (
    Compliance,
    Period,
    compliance_of,
    default_period,
    overdue,
    weeks,
)
from referrals.compliance.run_chart import finding
from referrals.compliance.tables import OverdueTable, WardContactTable
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Purpose
from src_app.lists.page import Empty, ListPage, answered

OVERDUE = ListPage(
    name="overdue",
    prefix="overdue",
    url_name="compliance",
    caption="Overdue now",
    table=OverdueTable,
    filters=OverdueFilter,
    purpose=Purpose.SUPERVISION,
    subject="referral",
    references=("number",),
    per_page=20,
    empty=Empty("Nothing is overdue", "A referral appears here once its due time has passed."),
)
BY_WARD = ListPage(
    name="compliance",
    prefix="wards",
    url_name="compliance",
    caption="By ward",
    table=WardContactTable,
    purpose=Purpose.SUPERVISION,
    subject="compliance",
    per_page=100,
    empty=Empty("No referral was due", "Choose other days, or another borough."),
)


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance(request: SignedInRequest) -> HttpResponseBase:
    """The answer above the fold, the overdue by name, then the wards and the weeks."""
    now = timezone.now()
    form, period = _asked(request, now)
    borough = form.borough_code
    counted = _counted(request, form, period, now)
    late = OVERDUE.asked(request, overdue(request.user, at=now, borough=borough), also=[form["borough"]])
    wards = BY_WARD.computed(
        request,
        counted.wards,
        form=form,
        key=lambda row: row.ward.pk,
        file_name=f"compliance-{period.first}-{period.last}",
    )
    if (part := answered(late, wards)) is not None:
        return part
    series = weeks(request.user, period=period, at=now, borough=borough)
    late.record_shown()
    context = {
        "form": form,
        "period": period,
        "to_today": period.reaches(now),
        "counted": counted,
        "worst": max(counted.wards, key=lambda ward: ward.overdue_now, default=None),
        "overdue": late,
        "chases": request.user.can(Permission.CHASE_REFERRALS),
        "wards": wards,
        "weeks": series,
        "finding": finding([week.share for week in series]),
        "query": request.GET.urlencode(),
    }
    return render(request, "compliance/compliance.html", context)


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_chart(request: SignedInRequest) -> HttpResponse:
    """The weekly run chart, as a picture; the weeks alone are read for it."""
    now = timezone.now()
    form, period = _asked(request, now)
    series = weeks(request.user, period=period, at=now, borough=form.borough_code)
    return HttpResponse(weekly_chart(series), content_type="image/svg+xml; charset=utf-8")


def _asked(request: SignedInRequest, now: datetime) -> tuple[PeriodForm, Period]:
    """The form and its period; what makes no sense falls back to the usual and says so."""
    usual = default_period(now)
    form = PeriodForm(request.GET, usual=usual, user=request.user)
    return form, form.period(usual) if form.is_valid() else usual


def _counted(request: SignedInRequest, form: PeriodForm, period: Period, now: datetime) -> Compliance:
    """The counts by ward, in the order asked for."""
    return compliance_of(
        request.user,
        period=period,
        at=now,
        borough=form.borough_code,
        order=form.cleaned_data.get("order") or "name",
    )
