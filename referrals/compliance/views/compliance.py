"""Who has not been contacted, and where?"""

from dataclasses import replace
from datetime import timedelta

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from referrals.compliance.charts import weekly_chart
from referrals.compliance.filters import OverdueFilter
from referrals.compliance.forms import ViewForm, WardsForm
from referrals.compliance.readers.contact import (
    Chosen,
    Compliance,
    Contact,
    by_month,
    by_week,
    compliance_of,
    weeks,
)
from referrals.compliance.readers.figures import (
    asks_week,
)
from referrals.compliance.readers.overdue import overdue
from referrals.compliance.readers.overview import overview_of
from referrals.compliance.readers.patterns import goals_of, views_of
from referrals.compliance.readers.periods import default_period, last_months
from referrals.compliance.run_chart import finding
from referrals.compliance.tables import (
    MonthTable,
    OverdueTable,
    WardContactTable,
    WeekTable,
)
from referrals.compliance.views.addresses import (
    narrowed_to,
    opening_wards,
    opening_weeks,
    opens_of,
    periods_offered,
)
from referrals.contact.readers.stranded import stranded_work
from referrals.contact.readers.went_elsewhere import went_from_led_teams
from referrals.models import TeamGoal
from referrals.people.readers.access_review import left_to_confirm
from referrals.scope import today, wards_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.page import Empty, ListPage, answered

WENT_WITHIN = timedelta(days=7)
MOST_WENT = 20

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
WARD_OVERDUE = replace(OVERDUE, name="ward-overdue", url_name="compliance_ward")
OF_A_WARD = replace(
    BY_WARD,
    url_name="compliance_ward",
    per_page=20,
    empty=Empty("No referral was due", "None was due in this ward in the last twelve weeks or months."),
)
WARD_BY_WEEK = replace(OF_A_WARD, name="ward-by-week", caption="Week by week", table=WeekTable)
WARD_BY_MONTH = replace(OF_A_WARD, name="ward-by-month", caption="Month by month", table=MonthTable)


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance(request: SignedInRequest) -> HttpResponseBase:
    """The answer above the fold, the overdue by name, then the wards and the weeks."""
    now = timezone.now()
    form = WardsForm(request.GET, user=request.user, at=now)
    period, chosen = form.shown, form.chosen
    order = form.cleaned_data.get("order") or "name"
    counted = compliance_of(request.user, period=period, at=now, chosen=chosen, order=order)
    narrowing = [form[name] for name in ("borough", "team", "officer") if name in form.fields]
    late = OVERDUE.asked(request, overdue(request.user, at=now, chosen=chosen), also=narrowing)
    opens = opens_of(request.user, request.GET)
    wards = BY_WARD.computed(
        request,
        opening_wards(opens, counted.wards),
        form=form,
        key=lambda row: row.ward.pk,
        file_name=f"compliance-{period.first}-{period.last}",
    )
    if (part := answered(late, wards)) is not None:
        return part
    series = weeks(request.user, period=period, at=now, chosen=chosen)
    late.record_shown()
    went = went_from_led_teams(request.user, now - WENT_WITHIN, MOST_WENT)
    if went:
        record(
            Action.LIST_SHOWN,
            by=request.user,
            purpose=Purpose.SUPERVISION,
            subject="referral",
            references=dict.fromkeys(each.number for each in went),
        )
    chases = request.user.can(Permission.CHASE_REFERRALS)
    context = {
        "form": form,
        "periods": periods_offered(request.GET, form.word),
        "period": period,
        "narrowed": chosen.names,
        "to_today": period.reaches(now),
        "counted": counted,
        "opens": opens,
        "worst": max(counted.wards, key=lambda ward: ward.overdue_now, default=None),
        "overdue": late,
        "chases": chases,
        "stranded": stranded_work(request.user),
        "went": went,
        "contacts": request.user.can(Permission.CONTACT_VICTIMS),
        "overview": None if chases else overview_of(request.user, counted, period, now, chosen),
        "wards": wards,
        "weeks": opening_weeks(opens, series),
        "finding": finding([week.share for week in series]),
        "query": request.GET.urlencode(),
        "goals": _goals(request.user, counted, opens),
        "saved_views": views_of(request.user),
        "view_form": ViewForm(),
        "now": now,
        "access_to_confirm": left_to_confirm(request.user),
    }
    return render(request, "compliance/compliance.html", context)


def _goals(user: User, counted: Compliance, opens: str) -> list[tuple[TeamGoal, Contact, str]]:
    """The goals of the account's teams, each with how its wards that are counted stand, and their list."""
    return [
        (
            goal,
            sum((row.contact for row in counted.wards if row.ward.team_id == goal.team_id), Contact()),
            narrowed_to(opens, {"team": str(goal.team_id)}),
        )
        for goal in goals_of(user, today())
    ]


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_ward(request: SignedInRequest, code: str) -> HttpResponseBase:
    """One ward: what is overdue there, and how it went week by week or month by month."""
    now = timezone.now()
    ward = get_object_or_404(wards_visible_to(request.user).select_related("borough", "team"), code=code)
    chosen = Chosen(ward=ward)
    is_by_month = request.GET.get("by") == "month"
    page, spans, period = (
        (WARD_BY_MONTH, by_month, last_months(now))
        if is_by_month
        else (WARD_BY_WEEK, by_week, default_period(now))
    )
    opens = narrowed_to(opens_of(request.user, {}), {"list-ward": code})
    late = WARD_OVERDUE.of(code).asked(request, overdue(request.user, at=now, chosen=chosen))
    over_time = page.of(code).computed(
        request,
        [
            # A month that still runs counts what is due in it; its list would hold what is due later as well.
            span if is_by_month else replace(span, opens=narrowed_to(opens, asks_week(span.first)))
            for span in spans(request.user, at=now, chosen=chosen)[::-1]
        ],
        form=forms.Form(),
        key=lambda span: span.first.toordinal(),
        file_name=f"compliance-{code}-{page.name}-{timezone.localdate(now)}",
    )
    if (part := answered(late, over_time)) is not None:
        return part
    late.record_shown()
    context = {
        "ward": ward,
        "opens": "" if is_by_month else opens,
        "counted": compliance_of(request.user, period=period, at=now, chosen=chosen),
        "since": period.first,
        "overdue": late,
        "chases": request.user.can(Permission.CHASE_REFERRALS),
        "over_time": over_time,
        "is_by_month": is_by_month,
        "now": now,
    }
    return render(request, "compliance/ward.html", context)


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_chart(request: SignedInRequest) -> HttpResponse:
    """The weekly run chart, as a picture; the weeks alone are read for it."""
    now = timezone.now()
    form = WardsForm(request.GET, user=request.user, at=now)
    series = weeks(request.user, period=form.shown, at=now, chosen=form.chosen)
    return HttpResponse(weekly_chart(series), content_type="image/svg+xml; charset=utf-8")
