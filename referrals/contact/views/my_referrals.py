"""The officer's list, and the page of one referral."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from referrals.contact.actions import notices, taking
from referrals.contact.forms import KeyForm
from referrals.contact.readers.briefing import briefing_of
from referrals.contact.readers.cards import (
    Part,
    Summary,
    call_back_of,
    card_of,
    due_of,
    holder_of,
    ring_again_cards,
    safe_way_of,
    summary_of,
    unread_of,
    urgency_of,
)
from referrals.contact.readers.choices import attempts_of, choices_for
from referrals.contact.readers.linked import linked_to
from referrals.contact.readers.referrals import (
    asked_to_ring,
    open_referrals,
    own_figures,
    referrals_ended_since,
    referrals_linked_to,
    referrals_to_open,
    tell_cards,
)
from referrals.contact.readers.to_do import left_to_do
from referrals.contact.readers.went_elsewhere import went_from_own_teams
from referrals.contact.views.opening import record_opening
from referrals.models import ReferralStatus, Strand
from referrals.scope import referrals_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.paging import page_of
from src_app.refused import Refused
from src_app.whole_numbers import whole_numbers

PER_PAGE = 50
DONE_FOR = timedelta(days=7)
MOST_DONE = 20


@requires(Permission.CONTACT_VICTIMS)
@require_safe
def my_referrals(request: SignedInRequest) -> HttpResponse:
    """What there is to do: one's own, what nobody has, what colleagues have; each the first due first."""
    now = timezone.now()
    summary, ring_again = summary_of(request.user, now), ring_again_cards(request.user, now)
    parts = _parts(request, summary, now)
    rows = [referral for part in parts for referral in part.paged.rows]
    done = list(referrals_ended_since(request.user, now - DONE_FOR)[:MOST_DONE])
    left = left_to_do(request.user, now - DONE_FOR, MOST_DONE)
    went = went_from_own_teams(request.user, now - DONE_FOR, MOST_DONE)
    shown = [each.number for each in [*rows, *done, *(each.attempt.referral for each in left.shown)]]
    shown += [*(card.task.name for card in ring_again), *(each.number for each in went)]
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.CONTACT,
        subject="referral",
        references=dict.fromkeys(
            [*shown, *(name for part in parts for card in part.cards for name in card.linked.numbers)]
        ),
    )
    context = {
        "summary": summary,
        "parts": parts,
        "ring_again": ring_again,
        "left_to_ring": sum(card.task.done_at is None for card in ring_again),
        "left": left,
        "done": done,
        "own": own_figures(request.user, now),
        "went": went,
        "supervises": request.user.can(Permission.CHASE_REFERRALS),
    }
    return render(request, "contact/my_referrals.html", context)


def _parts(request: SignedInRequest, summary: Summary, now: datetime) -> list[Part]:
    """The parts of the list that are not empty, with a page of each."""
    user, referrals = request.user, open_referrals(request.user)
    others = referrals.exclude(taken_by=user).filter(taken_by__isnull=False)
    asked = [
        ("Yours", referrals.filter(taken_by=user), "yours", summary.yours),
        ("Nobody has these yet", referrals.filter(taken_by__isnull=True), "page", summary.nobodys),
        ("Colleagues have these", others, "colleagues", summary.colleagues),
    ]
    pages = [page_of(request, rows, PER_PAGE, name=name) for _, rows, name, _ in asked]
    shown = [referral for page in pages for referral in page.rows]
    tell_cards(shown)
    linked = linked_to(shown, user, now)
    return [
        Part(
            title=title,
            cards=[card_of(each, user, now, linked[each.pk]) for each in page.rows],
            paged=page,
            count=count,
            folded=name == "colleagues",
        )
        for (title, _, name, count), page in zip(asked, pages, strict=True)
        if page.rows
    ]


@requires(Permission.VIEW_REFERRALS)
@require_safe
def referral(request: SignedInRequest, number: str) -> HttpResponse:
    """What must be known first, then the rest; for the team, its supervisor and the HCOP."""
    user, now = request.user, timezone.now()
    contacts = user.can(Permission.CONTACT_VICTIMS)
    referral = get_object_or_404(referrals_to_open(user), number=number)
    linked = list(referrals_linked_to(referral, user))
    record_opening(request, referral, [other.number for other in linked])
    context = {
        "referral": referral,
        "urgency": urgency_of(referral),
        "unread": unread_of(referral, user),
        "ring_again": [] if referral.status == ReferralStatus.OPEN else asked_to_ring(referral),
        "briefing": briefing_of(referral.case),
        "due": due_of(referral, now),
        "call_back": call_back_of(referral, now),
        "safe_way": safe_way_of(referral),
        "holder": holder_of(referral, user),
        "strands": [Strand(each).label for each in referral.case.strands],
        "all_linked": linked,
        "linked": linked_to([referral], user, now)[referral.pk] if contacts else None,
        "stops": referral.stops.select_related("stopped_by", "ended_by").order_by("starts_at"),
        "is_open": referral.status == ReferralStatus.OPEN,
        "contacts": contacts,
        "acknowledges": user.can(Permission.ACKNOWLEDGE_FOLLOW_UPS),
        "choices": choices_for(referral, user),
        "attempts": attempts_of(referral, user),
        "reminder": KeyForm(),
        "flag_name": settings.FLAG_NAME,
    }
    return render(request, "contact/referral.html", context)


@requires(Permission.CONTACT_VICTIMS)
@require_POST
def take_referral(request: SignedInRequest, number: str) -> HttpResponse:
    """Takes it, then shows what must be known before contact."""
    referral = get_object_or_404(referrals_visible_to(request.user), number=number)
    try:
        taking.take(referral_id=referral.pk, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("referral", number=number)


@requires(Permission.CONTACT_VICTIMS)
@require_POST
def return_referral(request: SignedInRequest, number: str) -> HttpResponse:
    """Hands it back to the team."""
    referral = get_object_or_404(referrals_visible_to(request.user), number=number)
    try:
        taking.give_back(referral_id=referral.pk, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("referral", number=number)
    messages.success(request, f"{number} is back with the team: a colleague can take it.")
    return redirect("my_referrals")


@requires(Permission.CONTACT_VICTIMS)
@require_POST
def read_changes(request: SignedInRequest, number: str) -> HttpResponse:
    """Takes away what was shown as changed, once it has been read."""
    referral = get_object_or_404(referrals_visible_to(request.user), number=number)
    ids = whole_numbers(request.POST.getlist("notice"))
    try:
        notices.read_notices(referral_id=referral.pk, notice_ids=ids, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    back_to = "log_contact" if request.POST.get("back_to") == "log_contact" else "referral"
    return redirect(back_to, number=number)
