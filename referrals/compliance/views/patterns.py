"""What may lie behind the figures: chance, dated changes, briefings, goals; and views by name."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.compliance import actions
from referrals.compliance.charts import funnel_chart, weekly_chart
from referrals.compliance.forms import ChangeForm, GoalForm, PeriodForm, ViewForm, narrowing_of
from referrals.compliance.readers import patterns
from referrals.compliance.readers.contact import compliance_of, weeks
from referrals.compliance.readers.figures import referrals_counted
from referrals.compliance.run_chart import finding
from referrals.compliance.views.addresses import (
    asked_with,
    opening_wards,
    opening_weeks,
    opens_of,
    periods_offered,
)
from referrals.scope import today
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.refused import Refused
from src_app.whole_numbers import whole_number

SVG = "image/svg+xml; charset=utf-8"
_ask_and_do = require_http_methods(["GET", "HEAD", "POST"])


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_patterns(request: SignedInRequest) -> HttpResponse:
    """What chance explains and what not, week by week and ward by ward; delivery; briefed and not."""
    now, user = timezone.now(), request.user
    form = PeriodForm(request.GET, user=user, at=now)
    period, chosen = form.shown, form.chosen
    opens = opens_of(user, request.GET)
    counted = compliance_of(user, period=period, at=now, chosen=chosen)
    counted = replace(counted, wards=opening_wards(opens, counted.wards))
    series = opening_weeks(opens, weeks(user, period=period, at=now, chosen=chosen))
    changes = patterns.changes_in_sight(user, today())
    change = _chosen(request, changes)
    begins = patterns.begins_anew(series, change)
    total = counted.total
    context = {
        "form": form,
        "periods": periods_offered(request.GET, form.word, "anew"),
        "period": period,
        "narrowed": chosen.names,
        "counted": counted,
        "opens": opens,
        "weeks": series,
        "begins": begins,
        "change": change,
        "changes": [
            (each, asked_with(request.GET, anew=each.key))
            for each in changes
            if period.first <= each.on <= period.last
        ],
        "without_change": asked_with(request.GET, anew=""),
        "finding": finding([week.share for week in series[begins:]]),
        "query": asked_with(request.GET, anew=change.key if change else ""),
        "funnel": patterns.funnel_of(counted),
        "delivered": total.in_time + total.late,
        "benchmark": patterns.BENCHMARK,
        "passed": patterns.TRIALS_PASSED,
        "trials": patterns.TRIALS,
        "briefed": patterns.briefed_of(referrals_counted(user, period, now, chosen), now),
        "chases": user.can(Permission.CHASE_REFERRALS),
        "now": now,
    }
    return render(request, "compliance/patterns.html", context)


def _chosen(request: SignedInRequest, changes: list[patterns.Change]) -> patterns.Change | None:
    asked = request.GET.get("anew")
    return next((each for each in changes if each.key == asked), None)


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_run_chart(request: SignedInRequest) -> HttpResponse:
    """The weekly run chart as a picture, its median starting anew from a change."""
    now = timezone.now()
    form = PeriodForm(request.GET, user=request.user, at=now)
    series = weeks(request.user, period=form.shown, at=now, chosen=form.chosen)
    change = _chosen(request, patterns.changes_in_sight(request.user, today()))
    return HttpResponse(weekly_chart(series, patterns.begins_anew(series, change)), content_type=SVG)


@requires(Permission.VIEW_COMPLIANCE)
@require_safe
def compliance_funnel(request: SignedInRequest) -> HttpResponse:
    """The funnel plot of wards as a picture."""
    now = timezone.now()
    form = PeriodForm(request.GET, user=request.user, at=now)
    counted = compliance_of(request.user, period=form.shown, at=now, chosen=form.chosen)
    return HttpResponse(funnel_chart(patterns.funnel_of(counted)), content_type=SVG)


@requires(Permission.CHASE_REFERRALS)
@_ask_and_do
def note_change(request: SignedInRequest) -> HttpResponse:
    """A dated change, in a sentence, from which the run chart can start anew."""
    form = ChangeForm(request.POST if request.method == "POST" else None, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            noted = actions.note_change(
                happened_on=form.cleaned_data["happened_on"],
                text=form.cleaned_data["text"],
                place=form.chosen,
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Noted. The run chart starts anew from it.")
            return redirect(f"{reverse('compliance_patterns')}?anew=noted-{noted.pk}")
    return render(request, "compliance/note_change.html", {"form": form})


@requires(Permission.CHASE_REFERRALS)
@_ask_and_do
def set_goal(request: SignedInRequest) -> HttpResponse:
    """The share that a team wants to have contacted in time, and by when."""
    form = GoalForm(request.POST if request.method == "POST" else None, by=request.user)
    if request.method == "POST" and form.is_valid():
        team = form.cleaned_data["team"]
        try:
            actions.set_goal(
                team_id=team.pk,
                percent=form.cleaned_data["percent"],
                by_day=form.cleaned_data["by_day"],
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"The goal of {team} is set.")
            return redirect("compliance")
    return render(request, "compliance/set_goal.html", {"form": form})


@requires(Permission.VIEW_COMPLIANCE)
@require_POST
def save_view(request: SignedInRequest) -> HttpResponse:
    """Keeps what the page shows, by a name, for this account alone."""
    form = ViewForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return redirect("compliance")
    try:
        view = actions.save_view(
            name=form.cleaned_data["name"],
            asked=narrowing_of(request.POST.get("shown", "")),
            by=request.user,
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("compliance")
    messages.success(request, f"Saved as “{view.name}”.")
    return redirect(f"{reverse('compliance')}?{view.asked}")


@requires(Permission.VIEW_COMPLIANCE)
@require_POST
def drop_view(request: SignedInRequest) -> HttpResponse:
    """Removes a view of this account."""
    view_id = whole_number(request.POST.get("view", ""))
    if view_id is not None:
        actions.drop_view(view_id=view_id, by=request.user)
        messages.success(request, "The view is removed.")
    return redirect("compliance")
