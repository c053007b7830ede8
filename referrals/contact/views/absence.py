"""Who has what: referrals given to a colleague, and days of leave."""

from django.contrib import messages
from django.db.models import F, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from referrals.contact.actions import taking
from referrals.contact.forms import GiveForm, LeaveForm
from referrals.contact.readers.cards import due_of, holder_of
from referrals.contact.readers.colleagues import colleagues_of
from referrals.contact.readers.referrals import open_referrals
from referrals.models import Leave, Team
from referrals.places.actions import leave
from referrals.places.readers import leave_to_come, people_led_by
from referrals.scope import today
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import counted

MOST_GIVEN = 30


@requires(Permission.CONTACT_VICTIMS)
@require_http_methods(["GET", "HEAD", "POST"])
def give_referrals(request: SignedInRequest) -> HttpResponse:
    """Open referrals, one or many, to a named officer: a supervisor's teams', or one's own."""
    user, now = request.user, timezone.now()
    mine_to_give = open_referrals(user)
    if not user.can(Permission.CHASE_REFERRALS):
        mine_to_give = mine_to_give.filter(taken_by=user)
    asked = request.GET.get("number", "")
    listed = mine_to_give.filter(number=asked) if asked else mine_to_give
    by_need = F("taken_by").asc(nulls_first=True)
    shown = list(listed.select_related("team").order_by(by_need, "act_by", "pk")[:MOST_GIVEN])
    # What is asked for may be no number at all, or not theirs to give.
    number = shown[0].number if asked and shown else ""
    teams = Team.objects.filter(pk__in={referral.team_id for referral in shown})
    colleagues = [each for each in colleagues_of(teams) if each.user != user or not number]
    form = GiveForm(
        request.POST if request.method == "POST" else None,
        referrals=mine_to_give,
        colleagues=colleagues,
        initial={"referrals": [each.pk for each in shown] if number else []},
    )
    if request.method == "POST" and form.is_valid() and _given(request, form):
        return redirect("give_referrals" if not number else "my_referrals")
    record(
        Action.LIST_SHOWN,
        by=user,
        purpose=Purpose.SUPERVISION,
        subject="referral",
        references=[referral.number for referral in shown],
    )
    ticked = {str(value) for value in form["referrals"].value() or ()}
    context = {
        "form": form,
        "rows": [(each, due_of(each, now), holder_of(each, user), str(each.pk) in ticked) for each in shown],
        "number": number,
        "is_part": len(shown) == MOST_GIVEN,
        "most": MOST_GIVEN,
        "colleagues": colleagues,
    }
    return render(request, "contact/give_referrals.html", context)


def _given(request: SignedInRequest, form: GiveForm) -> bool:
    to: User = form.cleaned_data["to"]
    try:
        given = taking.give(
            referral_ids=[referral.pk for referral in form.cleaned_data["referrals"]],
            to=to,
            by=request.user,
            at=timezone.now(),
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    told = "" if to.email else " Their account has no e-mail address: tell them yourself."
    messages.success(request, f"{to} has {counted(len(given), 'more referral,more referrals')} now.{told}")
    return True


@requires(Permission.VIEW_REFERRALS)
@require_http_methods(["GET", "HEAD", "POST"])
def leave_list(request: SignedInRequest) -> HttpResponse:
    """Who is away and when: one's own leave, and that of those whose work the account sees to."""
    led = people_led_by(request.user, today())
    people = User.objects.filter(Q(pk=request.user.pk) | Q(pk__in=led.values("pk"))).order_by(
        "display_name", "pk"
    )
    form = LeaveForm(request.POST if request.method == "POST" else None, people=people)
    if request.method == "POST" and form.is_valid() and _leave_set(request, form):
        return redirect("leave_list")
    listed = list(leave_to_come(people, today()))
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.SUPERVISION,
        subject="account",
        references=dict.fromkeys(each.user.username for each in listed),
    )
    context = {
        "form": form,
        "listed": listed,
        "today": today(),
        "leads": led.exists(),
        "contacts": request.user.can(Permission.CONTACT_VICTIMS),
    }
    return render(request, "contact/leave_list.html", context)


def _leave_set(request: SignedInRequest, form: LeaveForm) -> bool:
    try:
        found = leave.set_leave(**form.cleaned_data, by=request.user, at=timezone.now())
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(request, f"Leave of {found.user} is set.")
    return True


@requires(Permission.VIEW_REFERRALS)
@require_POST
def end_leave(request: SignedInRequest, leave_id: int) -> HttpResponse:
    """Ends it today, or before it begins."""
    try:
        ended = leave.end_leave(leave_id=leave_id, by=request.user)
    except Leave.DoesNotExist as error:
        raise Http404("No such leave.") from error
    messages.success(request, f"Leave of {ended.user} is ended.")
    return redirect("leave_list")
