"""What each BCU asks of its teams, and bank holidays: for the administrator."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.deadlines import actions
from referrals.deadlines.forms import HolidayForm, PolicyForm
from referrals.deadlines.readers import (
    by_policy,
    deadlines_of_bcu,
    holidays_from,
    moved_by,
    open_in,
    open_over,
    policy_rows,
    words_of,
)
from referrals.models import Bcu, DeadlinePolicy
from referrals.rules.bank_holidays import list_ends_on
from referrals.scope import today
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.refused import Refused
from src_app.templatetags.words import counted, day
from src_app.whole_numbers import whole_numbers


@requires(Permission.MANAGE_PLACES)
@require_safe
def deadline_list(request: SignedInRequest) -> HttpResponse:
    """What holds in each BCU and what is to come, and the bank holidays."""
    return _page(request, HolidayForm())


def _page(request: SignedInRequest, form: HolidayForm) -> HttpResponse:
    context = {
        "rows": policy_rows(request.user, today()),
        "holidays": holidays_from(today()),
        "list_ends_on": list_ends_on(),
        "form": form,
    }
    return render(request, "deadlines/list.html", context)


@requires(Permission.MANAGE_PLACES)
@require_http_methods(["GET", "HEAD", "POST"])
def set_deadlines(request: SignedInRequest) -> HttpResponse:
    """Asks what is to hold from a day on; then says what follows; once confirmed saves it."""
    if request.method != "POST":
        asked_for = whole_numbers(request.GET.getlist("bcu"))
        bcu = Bcu.objects.filter(pk__in=asked_for).first() or Bcu.objects.order_by("name", "pk").first()
        if bcu is None:
            messages.info(request, "There is no BCU yet: ask an operator to run load_reference_data.")
            return redirect("deadline_list")
        begins = PolicyForm.begins_with(deadlines_of_bcu(bcu.pk, timezone.now()), bcu, today())
        return render(request, "deadlines/set.html", {"form": PolicyForm(initial=begins)})
    form = PolicyForm(request.POST)
    if not form.is_valid() or "change" in request.POST:
        return render(request, "deadlines/set.html", {"form": form})
    bcu, starts_on = form.cleaned_data["bcu"], form.cleaned_data["starts_on"]
    try:
        if "confirmed" in request.POST:
            actions.set_policy(
                bcu_id=bcu.pk, starts_on=starts_on, asked=form.asked, by=request.user, at=timezone.now()
            )
            messages.success(request, f"Deadlines of {bcu} are set from {day(starts_on)}.")
            return redirect("deadline_list")
        actions.refuse_past(starts_on)
    except Refused as refused:
        form.add_error(None, str(refused))
        return render(request, "deadlines/set.html", {"form": form})
    context = {
        "form": form,
        "bcu": bcu,
        "starts_on": starts_on,
        "words": words_of(by_policy(DeadlinePolicy(**form.asked))),
        "open": open_in(bcu),
        "replaces": DeadlinePolicy.objects.filter(bcu=bcu, starts_on=starts_on).exists(),
    }
    return render(request, "deadlines/check.html", context)


@requires(Permission.MANAGE_PLACES)
@require_POST
def add_holiday(request: SignedInRequest) -> HttpResponse:
    """Says which due times would be moved; once confirmed adds the day and moves them."""
    form = HolidayForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    holiday, name = form.cleaned_data["day"], form.cleaned_data["name"]
    try:
        if "confirmed" in request.POST:
            moved = actions.add_holiday(day=holiday, name=name, by=request.user, at=timezone.now())
            told = counted(len(moved), "referral is,referrals are")
            messages.success(request, f"{name} is added. {told} due later.")
            return redirect("deadline_list")
        actions.refuse_known(holiday)
    except Refused as refused:
        form.add_error(None, str(refused))
        return _page(request, form)
    context = {"form": form, "day": holiday, "name": name, "moved": moved_by(holiday, open_over(holiday))}
    return render(request, "deadlines/check_holiday.html", context)
