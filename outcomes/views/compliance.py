"""Who has not been contacted, and where?"""

import csv
import uuid
from datetime import date, datetime

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from outcomes.charts import weekly_chart
from outcomes.rates import Compliance, Period, compliance_of, default_period, outcomes_so_far, overdue, weeks
from outcomes.run_chart import finding
from referrals.models import Borough
from referrals.queries import wards_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

MOST_OVERDUE = 20
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
# Beyond these a day's end is no date any more.
DAYS = (
    MinValueValidator(date(2000, 1, 1), "Choose a day from 2000 on."),
    MaxValueValidator(date(2099, 12, 31), "Choose a day before 2100."),
)
ORDERS = {"name": "Ward", "overdue": "Overdue now", "share": "Contacted in time"}


class PeriodForm(forms.Form):
    """Which due dates, which borough, and in what order."""

    first = forms.DateField(label="Due from", required=False, widget=DAY, validators=DAYS)
    last = forms.DateField(label="Due to", required=False, widget=DAY, validators=DAYS)
    borough = forms.ChoiceField(label="Borough", required=False)
    order = forms.ChoiceField(label="Order of wards", required=False, choices=list(ORDERS.items()))

    def __init__(self, data: QueryDict, *, usual: Period, user: User) -> None:
        """What is not asked for is shown as it is taken: the usual days."""
        days = {"first": usual.first.isoformat(), "last": usual.last.isoformat()}
        super().__init__({**days, **{name: value for name, value in data.items() if value}})
        boroughs = Borough.objects.filter(wards__in=wards_visible_to(user)).distinct().order_by("name")
        choices = [("", "All boroughs"), *boroughs.values_list("code", "name")]
        self.fields["borough"].choices = choices  # type: ignore[attr-defined]

    def period(self, default: Period) -> Period:
        """The days asked for, and the usual ones for what was left out; the earlier day first."""
        days: list[date] = sorted(
            [
                self.cleaned_data.get("first") or default.first,
                self.cleaned_data.get("last") or default.last,
            ]
        )
        return Period(*days)

    @property
    def borough_code(self) -> str:
        """The ONS code of the borough asked for; empty where all are, or the one asked for is not known."""
        code: str = self.cleaned_data.get("borough", "")
        return code


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance(request: SignedInRequest) -> HttpResponse:
    """The answer above the fold, the overdue by name, then the wards, the weeks and the outcomes."""
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
        "outcomes": outcomes_so_far(request.user) if request.user.can(Permission.VIEW_OUTCOMES) else None,
        "query": request.GET.urlencode(),
        "now": now,
    }
    return render(request, "outcomes/compliance.html", context)


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
