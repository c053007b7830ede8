"""What came up in a contact, or on the crime record, that somebody must act on."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from referrals.contact.actions import follow_ups
from referrals.contact.readers.follow_ups import follow_ups_acknowledged_since, follow_ups_open
from referrals.models import FollowUp, FollowUpKind
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.paging import page_of
from src_app.refused import Refused

PER_PAGE = 50
SHOWN_FOR = timedelta(days=7)
MOST_SHOWN = 20
URGENT = (
    FollowUpKind.THREAT,
    FollowUpKind.NEW_OFFENCE,
    FollowUpKind.BARRED_METHOD,
    FollowUpKind.TRANSFERRED,
)


@requires(Permission.ACKNOWLEDGE_FOLLOW_UPS)
@require_safe
def follow_up_list(request: SignedInRequest) -> HttpResponse:
    """What nobody has acknowledged yet, the longest waiting first."""
    now = timezone.now()
    paged = page_of(request, follow_ups_open(request.user), PER_PAGE)
    acknowledged = list(follow_ups_acknowledged_since(request.user, now - SHOWN_FOR)[:MOST_SHOWN])
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.SUPERVISION,
        subject="referral",
        references=sorted({each.referral.number for each in [*paged.rows, *acknowledged]}),
    )
    waiting = follow_ups_open(request.user).count() if paged.is_part else len(paged.rows)
    context = {
        "paged": paged,
        "waiting": waiting,
        # The navigation's count, which is the same.
        "follow_ups_waiting": waiting,
        "acknowledged": acknowledged,
        "urgent": URGENT,
        "now": now,
    }
    return render(request, "contact/follow_up_list.html", context)


@requires(Permission.ACKNOWLEDGE_FOLLOW_UPS)
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
        messages.success(
            request, f"{acknowledged.referral.number}: {acknowledged}. It is yours to deal with now."
        )
    return redirect("follow_up_list")
