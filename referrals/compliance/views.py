"""Who has not been contacted, and where?"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from referrals.compliance.charts import weekly_chart
from referrals.compliance.filters import CountedFilter, OverdueFilter
from referrals.compliance.forms import PERIODS, PeriodForm
from referrals.compliance.readers.contact import Chosen, by_month, by_week, compliance_of, weeks
from referrals.compliance.readers.figures import (
    BOROUGH,
    OFFICER,
    TEAM,
    WARD,
    WEEK,
    asks_week,
    groups,
    referrals_counted,
    steps_of,
    tried,
)
from referrals.compliance.readers.overdue import overdue
from referrals.compliance.readers.overview import overview_of
from referrals.compliance.readers.periods import default_period, last_months
from referrals.compliance.run_chart import finding
from referrals.compliance.tables import (
    CountedTable,
    GroupTable,
    MonthTable,
    OverdueTable,
    WardContactTable,
    WeekTable,
)
from referrals.contact.readers.stranded import stranded_work
from referrals.contact.readers.went_elsewhere import went_from_led_teams
from referrals.people.readers.access_review import left_to_confirm
from referrals.scope import referrals_led_by, wards_visible_to
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
BY_GROUP = replace(
    BY_WARD,
    name="figures",
    url_name="compliance_figures",
    caption="In groups",
    table=GroupTable,
    prefix="groups",
)
COUNTED = ListPage(
    name="counted",
    prefix="list",
    url_name="compliance_referrals",
    caption="Referrals counted",
    table=CountedTable,
    filters=CountedFilter,
    purpose=Purpose.SUPERVISION,
    subject="referral",
    references=("number",),
    per_page=50,
    empty=Empty("No referral is counted here", "Choose other days, or another borough."),
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
    form = PeriodForm(request.GET, user=request.user, at=now)
    period, chosen = form.shown, form.chosen
    order = form.cleaned_data.get("order") or "name"
    counted = compliance_of(request.user, period=period, at=now, chosen=chosen, order=order)
    narrowing = [form[name] for name in ("borough", "team", "officer") if name in form.fields]
    late = OVERDUE.asked(request, overdue(request.user, at=now, chosen=chosen), also=narrowing)
    opens = _opens(request.user, request.GET)
    listed = [replace(row, opens=_narrowed(opens, {"list-ward": row.ward.code})) for row in counted.wards]
    wards = BY_WARD.computed(
        request,
        listed,
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
        "periods": _periods(request.GET, form.word),
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
        "weeks": series,
        "finding": finding([week.share for week in series]),
        "query": request.GET.urlencode(),
        "now": now,
        "access_to_confirm": left_to_confirm(request.user),
    }
    return render(request, "compliance/compliance.html", context)


_NARROWS = ("period", "first", "last", "borough", "team", "officer")


def _opens(user: User, asked: Mapping[str, str]) -> str:
    """The address of the list of what the page counts; empty where the account sees no list."""
    if not user.can(Permission.CHASE_REFERRALS):
        return ""
    kept = {name: value for name, value in asked.items() if name in _NARROWS and value}
    return f"{reverse('compliance_referrals')}?{urlencode({'list-order': 'latest', **kept})}"


def _narrowed(opens: str, asks: Mapping[str, str]) -> str:
    return f"{opens}&{urlencode(asks)}" if opens else ""


def _periods(asked: QueryDict, shown: str, *more: str) -> list[dict[str, Any]]:
    """The periods that have a word, each with its address, which keeps what else is asked."""
    names = ("borough", "team", "officer", "order", *more)
    kept = {name: value for name, value in asked.items() if name in names}
    return [
        {
            "words": words,
            "query": urlencode({"period": word, **kept}),
            "is_shown": word == shown,
        }
        for word, words in PERIODS.items()
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
    opens = _narrowed(_opens(request.user, {}), {"list-ward": code})
    late = WARD_OVERDUE.of(code).asked(request, overdue(request.user, at=now, chosen=chosen))
    over_time = page.of(code).computed(
        request,
        [
            # A month that still runs counts what is due in it; its list would hold what is due later as well.
            span if is_by_month else replace(span, opens=_narrowed(opens, asks_week(span.first)))
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
    form = PeriodForm(request.GET, user=request.user, at=now)
    series = weeks(request.user, period=form.shown, at=now, chosen=form.chosen)
    return HttpResponse(weekly_chart(series), content_type="image/svg+xml; charset=utf-8")


GROUPS = {TEAM: "Team", BOROUGH: "Borough", WARD: "Ward", WEEK: "Week", OFFICER: "Officer"}


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_figures(request: SignedInRequest) -> HttpResponseBase:
    """The figures in detail: in groups, how long it took, and how contact was tried.

    By officer for those officers' supervisors alone; officers read their own on their list.
    """
    now, user = timezone.now(), request.user
    form = PeriodForm(request.GET, user=user, at=now)
    period, chosen = form.shown, form.chosen
    offered = [by for by in GROUPS if by != OFFICER or user.can(Permission.VIEW_OFFICER_FIGURES)]
    by = request.GET.get("by", TEAM)
    by = by if by in offered else TEAM
    counted = compliance_of(user, period=period, at=now, chosen=chosen)
    opens = _opens(user, request.GET)
    rows = groups(by, user, counted, period=period, at=now, chosen=chosen)
    listed = BY_GROUP.computed(
        request,
        [replace(row, opens=_narrowed(opens, row.asks)) for row in rows],
        form=form,
        key=lambda row: row.key,
        file_name=f"compliance-by-{by}-{period.first}-{period.last}",
    )
    if (part := listed.part()) is not None:
        return part
    if by == OFFICER:
        record(
            Action.LIST_SHOWN,
            by=user,
            purpose=Purpose.SUPERVISION,
            subject="account",
            references=[row.asks["officer"] for row in rows],
        )
    referrals = referrals_counted(user, period, now, chosen)
    context = {
        "form": form,
        "periods": _periods(request.GET, form.word, "by"),
        "period": period,
        "narrowed": chosen.names,
        "counted": counted,
        "opens": opens,
        "groups": listed,
        "by": GROUPS[by],
        "ways": [
            {"words": GROUPS[each], "is_shown": each == by, "query": _with(request.GET, by=each)}
            for each in offered
        ],
        "steps": steps_of(referrals),
        "tried": tried(referrals),
        "now": now,
    }
    return render(request, "compliance/figures.html", context)


def _with(asked: QueryDict, **more: str) -> str:
    kept = {name: value for name, value in asked.items() if name in (*_NARROWS, "by")}
    return urlencode(kept | more)


@requires(Permission.CHASE_REFERRALS)
@require_safe
def compliance_referrals(request: SignedInRequest) -> HttpResponseBase:
    """The referrals that a number of these pages counts."""
    now, user = timezone.now(), request.user
    form = PeriodForm(request.GET, user=user, at=now)
    narrowing = [form[name] for name in ("borough", "team", "officer") if name in form.fields]
    rows = referrals_counted(user, form.shown, now, form.chosen).filter(
        pk__in=referrals_led_by(user).values("pk")
    )
    listed = COUNTED.asked(request, rows.select_related("ward"), also=narrowing)
    if (part := listed.part()) is not None:
        return part
    listed.record_shown()
    context = {
        "list": listed,
        "form": form,
        "period": form.shown,
        "narrowed": form.chosen.names,
        "back": _with(request.GET),
    }
    return render(request, "compliance/referrals.html", context)
