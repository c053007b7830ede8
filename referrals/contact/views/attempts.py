"""Logging contact, and ending a referral without it."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.contact.actions import attempts, closing, follow_ups, reopening
from referrals.contact.forms import AttemptForm, CloseForm, KeyForm, ReopenForm, SafetyForm
from referrals.contact.readers.briefing import SAFETY_NOTES, briefing_of
from referrals.contact.readers.cards import call_back_of, due_of, safe_way_of, unread_of, urgency_of
from referrals.contact.readers.choices import AttemptChoices, attempt_choices_for, reasons_to_close
from referrals.contact.readers.linked import linked_to
from referrals.contact.readers.referrals import is_officer_in_case, referrals_to_open
from referrals.contact.readers.to_do import to_do_after
from referrals.contact.views.opening import record_opening
from referrals.models import CloseReason, ContactAttempt, Method, Referral, ReferralStatus, Result, TextKind
from referrals.places.readers import members_since
from referrals.rules.contact import method_wished
from referrals.scope import referrals_led_by, today
from src_app.accounts.guards import SignedInRequest, check_authority, requires
from src_app.accounts.roles import Permission
from src_app.lists.back import back_to
from src_app.refused import Refused

# Contacts of colleagues who have left the team since are logged for so long.
TEAM_KNOWN_FOR = timedelta(days=14)


@requires(Permission.CONTACT_VICTIMS)
@require_http_methods(["GET", "HEAD", "POST"])
def log_contact(request: SignedInRequest, number: str) -> HttpResponse:
    """From the card: log contact, what came of it, save. Three taps for a telephone call, and no typing."""
    referral = get_object_or_404(referrals_to_open(request.user), number=number)
    choices = attempt_choices_for(referral)
    form = AttemptForm(
        request.POST if request.method == "POST" else None,
        case=referral.case,
        colleagues=members_since(referral.team, today() - TEAM_KNOWN_FOR).exclude(pk=request.user.pk),
        initial=_wished(referral, choices),
    )
    if request.method == "POST":
        if form.is_valid() and (attempt := _logged(request, referral, form)):
            return _after(request, referral, attempt)
    elif referral.status == ReferralStatus.COMPLETED or is_officer_in_case(referral, request.user):
        # The page of the referral says why there is nothing to log.
        return redirect("referral", number=number)
    now = timezone.now()
    linked = linked_to([referral], request.user, now)[referral.pk]
    record_opening(request, referral, linked.numbers)
    context = {
        "referral": referral,
        "linked": linked,
        "urgency": urgency_of(referral),
        "unread": unread_of(referral, request.user),
        "briefing": briefing_of(referral.case),
        "due": due_of(referral, now),
        "call_back": call_back_of(referral, now),
        "safe_way": safe_way_of(referral),
        "choices": choices,
        "is_open": referral.status == ReferralStatus.OPEN,
        "form": form,
    }
    return render(request, "contact/log_contact.html", context)


def _wished(referral: Referral, choices: AttemptChoices) -> dict[str, str | None]:
    """What is chosen already: the way that the victim wishes, and no visit where a safety note stands."""
    texts = {text.kind: text.body for text in referral.case.texts.all()}
    offered = [value for value, _ in (*choices.methods, *choices.methods_other)]
    if any(texts.get(kind) for kind in SAFETY_NOTES):
        offered = [each for each in offered if each != Method.HOME_VISIT]
    return {"method": method_wished(texts.get(TextKind.CONTACT_WISHES, ""), offered)}


def _logged(request: SignedInRequest, referral: Referral, form: AttemptForm) -> ContactAttempt | None:
    given = dict(form.cleaned_data)
    at = timezone.now()
    try:
        return attempts.log_attempt(
            referral_id=referral.pk,
            by=request.user,
            at=at,
            made_at=given.pop("made_at") or at,
            **given,
        )
    except attempts.UsedBefore as refused:
        form.add_error(None, str(refused))
        form.renew_key()
        return None
    except Refused as refused:
        form.add_error(None, str(refused))
        return None


def _after(request: SignedInRequest, referral: Referral, attempt: ContactAttempt) -> HttpResponse:
    """Says what was kept, and leads to what is left to do."""
    number = referral.number
    if attempt.result == Result.CONTACT_MADE:
        messages.success(request, f"{number}: contact made.")
    else:
        messages.success(request, f"{number}: attempt logged. It stays open.")
    if attempt.barred_method:
        messages.warning(
            request, "The restrictions rule out what you did. It is recorded, and your supervisor is told."
        )
    return redirect("attempt_saved", number=number, attempt_id=attempt.pk)


@requires(Permission.CONTACT_VICTIMS)
@require_safe
def attempt_saved(request: SignedInRequest, number: str, attempt_id: int) -> HttpResponse:
    """What is left to do after an attempt, with words for the crime record."""
    referral, attempt = _attempt_of(request, number, attempt_id)
    if hasattr(attempt, "withdrawn_by"):
        return redirect("referral", number=number)
    record_opening(request, referral)
    to_do = to_do_after(attempt, referral, request.user, timezone.now())
    context = {"referral": referral, "attempt": attempt, "to_do": to_do}
    return render(request, "contact/attempt_saved.html", context)


@requires(Permission.CONTACT_VICTIMS)
@require_POST
def settle_attempt(request: SignedInRequest, number: str, attempt_id: int) -> HttpResponse:
    """Takes what an attempt left to do off the list."""
    referral, attempt = _attempt_of(request, number, attempt_id)
    try:
        attempts.settle_attempt(attempt_id=attempt.pk, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("referral", number=number)
    still_open = referral.status == ReferralStatus.OPEN
    rest = f"{number} is still open: try again." if still_open else "Nothing more is to be done."
    messages.success(request, f"Noted for {number}. {rest}")
    return redirect("my_referrals")


def _attempt_of(request: SignedInRequest, number: str, attempt_id: int) -> tuple[Referral, ContactAttempt]:
    referral = get_object_or_404(referrals_to_open(request.user), number=number)
    for attempt in referral.attempts.all():
        if attempt.pk == attempt_id:
            return referral, attempt
    raise Http404("No such attempt.")


@requires(Permission.CONTACT_VICTIMS)
@require_http_methods(["GET", "HEAD", "POST"])
def close_referral(request: SignedInRequest, number: str) -> HttpResponse:
    """Asks once why it ends without contact; the last attempt's reason is chosen already."""
    referral = get_object_or_404(referrals_to_open(request.user), number=number)
    reasons = reasons_to_close(referral, request.user)
    form = CloseForm(
        request.POST if request.method == "POST" else None,
        initial={"reason": reasons[0] if reasons else ""},
    )
    if request.method == "POST":
        if form.is_valid() and _closed(request, referral, form):
            messages.success(request, f"{number} is closed without contact.")
            return redirect("my_referrals")
    elif referral.status != ReferralStatus.OPEN:
        return redirect("referral", number=number)
    record_opening(request, referral)
    context = {"referral": referral, "form": form, "reasons": reasons}
    return render(request, "contact/close_referral.html", context)


def _closed(request: SignedInRequest, referral: Referral, form: CloseForm) -> bool:
    try:
        closing.close_without_contact(
            referral_id=referral.pk,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    return True


@requires(Permission.CONTACT_VICTIMS)
@require_http_methods(["GET", "HEAD", "POST"])
def decide_safety(request: SignedInRequest, number: str) -> HttpResponse:
    """Asks the supervisor whether another way of contact is safe, before it is closed as unsafe."""
    check_authority(request.user, Permission.CHASE_REFERRALS)
    referral = get_object_or_404(referrals_to_open(request.user), number=number)
    choices = attempt_choices_for(referral)
    form = SafetyForm(
        request.POST if request.method == "POST" else None,
        methods=[*choices.methods, *choices.methods_other],
    )
    if request.method == "POST":
        if form.is_valid() and _safety_decided(request, referral, form):
            return redirect("referral", number=number)
    elif referral.status != ReferralStatus.OPEN:
        return redirect("referral", number=number)
    record_opening(request, referral)
    context = {"referral": referral, "form": form, "briefing": briefing_of(referral.case)}
    return render(request, "contact/decide_safety.html", context)


def _safety_decided(request: SignedInRequest, referral: Referral, form: SafetyForm) -> bool:
    method = form.cleaned_data["answer"]
    pk, by, at = referral.pk, request.user, timezone.now()
    try:
        if method is None:
            closing.close_without_contact(referral_id=pk, reason=CloseReason.UNSAFE, by=by, at=at)
            messages.success(request, f"{referral.number} is closed without contact: no way is safe.")
        else:
            closing.choose_safe_method(referral_id=pk, method=method, by=by, at=at)
            messages.success(request, f"{referral.number} stays open: the team is told which way is safe.")
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    return True


@requires(Permission.CONTACT_VICTIMS)
@require_http_methods(["GET", "HEAD", "POST"])
def reopen_referral(request: SignedInRequest, number: str) -> HttpResponse:
    """Asks the supervisor why an ended referral is open again."""
    check_authority(request.user, Permission.CHASE_REFERRALS)
    referral = get_object_or_404(referrals_to_open(request.user), number=number)
    form = ReopenForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if form.is_valid() and _reopened(request, referral, form):
            messages.success(request, f"{number} is open again. The team's mailbox is told.")
            return redirect("referral", number=number)
    elif referral.status == ReferralStatus.OPEN:
        return redirect("referral", number=number)
    record_opening(request, referral)
    return render(request, "contact/reopen_referral.html", {"referral": referral, "form": form})


def _reopened(request: SignedInRequest, referral: Referral, form: ReopenForm) -> bool:
    reason = form.cleaned_data["reason"]
    try:
        reopening.reopen(referral_id=referral.pk, reason=reason, by=request.user, at=timezone.now())
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    return True


@requires(Permission.CONTACT_VICTIMS)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_attempt(request: SignedInRequest, number: str, attempt_id: int) -> HttpResponse:
    """Asks once before an attempt logged by mistake is struck out."""
    referral, attempt = _attempt_of(request, number, attempt_id)
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            attempts.withdraw_attempt(
                attempt_id=attempt_id,
                key=form.cleaned_data["key"],
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, f"The attempt is withdrawn. Check how {number} stands now.")
        return redirect("referral", number=number)
    record_opening(request, referral)
    context = {"referral": referral, "attempt": attempt, "form": form}
    return render(request, "contact/withdraw_attempt.html", context)


@requires(Permission.CHASE_REFERRALS)
@require_POST
def chase_referral(request: SignedInRequest, number: str) -> HttpResponse:
    """Sends the team's mailbox a reminder."""
    referral = get_object_or_404(referrals_led_by(request.user), number=number)
    form = KeyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was sent: press “Send a reminder” again.")
        return _after_reminder(request, referral)
    try:
        follow_ups.chase(
            referral_id=referral.pk,
            key=form.cleaned_data["key"],
            by=request.user,
            at=timezone.now(),
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"A reminder about {number} is on its way to the team's mailbox.")
    return _after_reminder(request, referral)


def _after_reminder(request: SignedInRequest, referral: Referral) -> HttpResponse:
    """Where the button was pressed."""
    match request.POST.get("back_to"):
        case "compliance":
            return redirect(f"{back_to(request, 'compliance')}#overdue")
        case "compliance_ward":
            return redirect(f"{back_to(request, 'compliance_ward', referral.ward.code)}#overdue")
    return redirect("referral", number=referral.number)
