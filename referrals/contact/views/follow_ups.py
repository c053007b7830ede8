"""What came up in a contact, or on the crime record, that somebody must act on."""

from datetime import timedelta

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from referrals.contact.actions import follow_ups
from referrals.contact.filters import FollowUpFilter
from referrals.contact.readers.follow_ups import (
    follow_ups_done_since,
    follow_ups_open,
    may_undo,
    waiting_for,
)
from referrals.contact.tables import FollowUpTable
from referrals.models import FollowUp
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Purpose
from src_app.lists.back import back_to
from src_app.lists.page import Empty, ListPage
from src_app.refused import Refused

SHOWN_FOR = timedelta(days=7)
MOST_SHOWN = 20
FOLLOW_UPS = ListPage(
    name="follow-ups",
    url_name="follow_up_list",
    caption="Follow-ups that are not done",
    table=FollowUpTable,
    filters=FollowUpFilter,
    purpose=Purpose.SUPERVISION,
    subject="referral",
    references=("referral__number", "case__crime_reference"),
    empty=Empty(
        "Nothing waits for you",
        "What somebody must act on appears here: what victims say (a statement, a wish to withdraw, a new "
        "offence, a threat), and what changes on the crime record or in a case nobody is to contact.",
    ),
)


@requires(Permission.ACKNOWLEDGE_FOLLOW_UPS)
@require_safe
def follow_up_list(request: SignedInRequest) -> HttpResponseBase:
    """What is not done, the longest waiting first."""
    opened = follow_ups_open(request.user)
    listed = FOLLOW_UPS.asked(request, opened)
    if (part := listed.part()) is not None:
        return part
    now = timezone.now()
    done = list(follow_ups_done_since(request.user, now - SHOWN_FOR)[:MOST_SHOWN])
    listed.record_shown(*(each.name for each in done))
    counts = waiting_for(request.user, opened).aggregate(
        unowned=Count("pk", filter=Q(acknowledged_at__isnull=True)), own=Count("acknowledged_at")
    )
    context = {
        "list": listed,
        **counts,
        # The navigation's count, which is the same.
        "follow_ups_waiting": counts["unowned"] + counts["own"],
        "done": done,
        "to_undo": [each for each in done if may_undo(each, request.user, now)],
        "reviews": request.user.can(Permission.REVIEW_CASES),
    }
    return render(request, "contact/follow_up_list.html", context)


@requires(Permission.VIEW_REFERRALS)
@require_POST
def acknowledge(request: SignedInRequest, follow_up_id: int) -> HttpResponse:
    """Makes it the task of whoever pressed."""
    try:
        acknowledged = follow_ups.acknowledge(follow_up_id=follow_up_id, by=request.user, at=timezone.now())
    except FollowUp.DoesNotExist as error:
        raise Http404("No such follow-up.") from error
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{acknowledged.name}: {acknowledged}. It is yours to deal with now.")
    return redirect(_back(request))


@requires(Permission.VIEW_REFERRALS)
@require_POST
def finish(request: SignedInRequest, follow_up_id: int) -> HttpResponse:
    """Says that it is done, and what came of it."""
    try:
        finished = follow_ups.finish(
            follow_up_id=follow_up_id,
            result=request.POST.get("result", ""),
            by=request.user,
            at=timezone.now(),
        )
    except FollowUp.DoesNotExist as error:
        raise Http404("No such follow-up.") from error
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        undo_it = " A mistake? Undo it below." if finished.done_by == request.user else ""
        messages.success(request, f"{finished.name}: {finished}. Done: {finished.done_by}.{undo_it}")
    return redirect(_back(request))


@requires(Permission.VIEW_REFERRALS)
@require_POST
def undo(request: SignedInRequest, follow_up_id: int) -> HttpResponse:
    """Takes back that it is done."""
    try:
        undone = follow_ups.undo(follow_up_id=follow_up_id, by=request.user, at=timezone.now())
    except FollowUp.DoesNotExist as error:
        raise Http404("No such follow-up.") from error
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request, f"{undone.name}: {undone}. Undone: it is with {undone.acknowledged_by} again."
        )
    return redirect(_back(request))


def _back(request: SignedInRequest) -> str:
    """The list that it was on: officers have theirs on My referrals."""
    lists = request.user.can(Permission.ACKNOWLEDGE_FOLLOW_UPS)
    return back_to(request, "follow_up_list" if lists else "my_referrals")
