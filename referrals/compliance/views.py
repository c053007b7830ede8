"""Who has not been contacted, and where?"""

import csv
import uuid
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from referrals.compliance.charts import weekly_chart
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
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

MOST_OVERDUE = 20


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance(request: SignedInRequest) -> HttpResponse:
    """The answer above the fold, the overdue by name, then the wards and the weeks."""
    now = timezone.now()
    form, period = _asked(request, now)
    borough = form.borough_code
    counted = _counted(request, form, period, now)
    late = list(overdue(request.user, at=now, borough=borough)[: MOST_OVERDUE + 1])
    series = weeks(request.user, period=period, at=now, borough=borough)
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.SUPERVISION,
        subject="referral",
        references=[referral.number for referral in late[:MOST_OVERDUE]],
    )
    context = {
        "form": form,
        "period": period,
        "to_today": period.reaches(now),
        "counted": counted,
        "worst": max(counted.wards, key=lambda ward: ward.overdue_now, default=None),
        "overdue": [(referral, uuid.uuid4()) for referral in late[:MOST_OVERDUE]],
        "more_overdue": len(late) > MOST_OVERDUE,
        "weeks": series,
        "finding": finding([week.share for week in series]),
        "query": request.GET.urlencode(),
        "now": now,
    }
    return render(request, "compliance/compliance.html", context)


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_chart(request: SignedInRequest) -> HttpResponse:
    """The weekly run chart, as a picture; the weeks alone are read for it."""
    now = timezone.now()
    form, period = _asked(request, now)
    series = weeks(request.user, period=period, at=now, borough=form.borough_code)
    return HttpResponse(weekly_chart(series), content_type="image/svg+xml")


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_download(request: SignedInRequest) -> HttpResponse:
    """The table by ward, as a file."""
    now = timezone.now()
    form, period = _asked(request, now)
    counted = _counted(request, form, period, now)
    record(Action.DOWNLOADED, by=request.user, purpose=Purpose.SUPERVISION, subject="compliance")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"compliance-{period.first}-{period.last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(
        [
            "ward_code",
            "ward",
            "borough",
            "due",
            "in_time",
            "late",
            "closed_without_contact",
            "overdue",
            "not_yet_due",
        ]
    )
    for row in counted.wards:
        contact = row.contact
        writer.writerow(
            [
                row.ward.code,
                row.ward.name,
                row.ward.borough.name,
                contact.due,
                contact.in_time,
                contact.late,
                contact.closed_without_contact,
                contact.overdue,
                contact.not_yet_due,
            ]
        )
    return response


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
