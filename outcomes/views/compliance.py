"""Who has not been contacted, and where?"""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from outcomes.charts import weekly_chart
from outcomes.filters import OverdueFilter
from outcomes.rates import Compliance, Period, compliance_of, default_period, outcomes_so_far, overdue, weeks
from outcomes.run_chart import finding
from outcomes.tables import OverdueTable, WardContactTable
from referrals.models import Borough
from referrals.queries import wards_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
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
    reference="number",
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


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance(request: SignedInRequest) -> HttpResponseBase:
    """The answer above the fold, the overdue by name, then the wards, the weeks and the outcomes."""
    now = timezone.now()
    form, period, counted = _asked(request)
    borough = form.cleaned_data.get("borough", "")
    late = OVERDUE.asked(request, overdue(request.user, at=now, borough=borough))
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
        "wards": wards,
        "weeks": series,
        "finding": finding([week.share for week in series]),
        "outcomes": outcomes_so_far(request.user) if request.user.can(Permission.VIEW_OUTCOMES) else None,
        "query": request.GET.urlencode(),
    }
    return render(request, "outcomes/compliance.html", context)


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_chart(request: SignedInRequest) -> HttpResponse:
    """The weekly run chart, as a picture."""
    form, period, _ = _asked(request)
    series = weeks(
        request.user, period=period, at=timezone.now(), borough=form.cleaned_data.get("borough", "")
    )
    return HttpResponse(weekly_chart(series), content_type="image/svg+xml")


def _asked(request: SignedInRequest) -> tuple[PeriodForm, Period, Compliance]:
    """The form, its period and the counts; what makes no sense falls back to the usual and says so."""
    now = timezone.now()
    usual = default_period(now)
    form = PeriodForm(request.GET, usual=usual, user=request.user)
    period = form.period(usual) if form.is_valid() else usual
    counted = compliance_of(
        request.user,
        period=period,
        at=now,
        borough=form.cleaned_data.get("borough", ""),
        order=form.cleaned_data.get("order") or "name",
    )
    return form, period, counted
