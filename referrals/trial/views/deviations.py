"""What did not go as a trial allocated it, recorded and taken back by the HCOP."""

from datetime import timedelta

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from referrals.models import CONTROL_CONTACTED, CONTROL_REFERRED, Allocation, Deviation, TrialStatus
from referrals.scope import allocations_visible_to
from referrals.trial.actions import deviations
from referrals.trial.forms.deviations import DeviationForm
from referrals.trial.readers.deviations import in_words, particulars, service_of, standing_deviations
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import day

# Where whoever looks controls up comes from, and goes back to: ``?back_to=controls``.
BACK_TO_CONTROLS = "controls"


@requires(Permission.RECORD_DEVIATIONS)
@require_http_methods(["GET", "HEAD", "POST"])
def record_deviation(request: SignedInRequest, case_id: int) -> HttpResponse:
    """What happened, and on which day; what is recorded already can be withdrawn here."""
    allocation = get_object_or_404(_allocations(request.user), case=case_id)
    data = request.POST if request.method == "POST" else None
    form = DeviationForm(data, allocation=allocation, at=timezone.now(), looked_up=_from_controls(request))
    if form.is_valid() and _recorded(request, allocation, form):
        if _from_controls(request):
            return redirect("controls", trial_id=allocation.trial_id)
        return redirect("case", case_id=case_id)
    record(
        Action.CASE_OPENED,
        by=request.user,
        purpose=Purpose.EVALUATION,
        subject="case",
        references=[allocation.case.crime_reference],
    )
    context = {
        "allocation": allocation,
        "service": service_of(allocation),
        "is_locked": allocation.trial.status in TrialStatus.since(TrialStatus.LOCKED),
        "first_day": deviations.first_day(allocation),
        "form": form,
        "from_controls": _from_controls(request),
        "never_withdrawn": CONTROL_REFERRED,
        "recorded": [
            (
                deviation,
                in_words(deviation.kind),
                particulars(why=deviation.why, ordered_by=deviation.ordered_by),
            )
            for deviation in standing_deviations([allocation]).select_related("recorded_by")
        ],
    }
    return render(request, "trial/deviations/record_deviation.html", context)


def _allocations(user: User) -> QuerySet[Allocation]:
    """The account's allocations with what the page shows; without the trial's seed."""
    return (
        allocations_visible_to(user)
        .select_related("case__ward", "trial", "follows")
        .defer("trial__seed_encrypted")
    )


def _from_controls(request: SignedInRequest) -> bool:
    return request.GET.get("back_to") == BACK_TO_CONTROLS


def _recorded(request: SignedInRequest, allocation: Allocation, form: DeviationForm) -> bool:
    try:
        deviation = deviations.record_deviation(
            allocation_id=allocation.pk, **form.cleaned_data, by=request.user, at=timezone.now()
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    reference = allocation.case.crime_reference
    messages.success(request, f"Recorded for {reference}: “{in_words(deviation.kind)}”.")
    unit = allocation.follows or allocation
    follow_up = timedelta(days=allocation.trial.conduct.follow_up_days)
    last = timezone.localdate(unit.allocated_at + follow_up)
    if deviation.kind in CONTROL_CONTACTED and deviation.happened_on > last:
        messages.info(
            request, f"The case was followed up until {day(last)}: a contact after that does not count."
        )
    return True


@requires(Permission.RECORD_DEVIATIONS)
@require_POST
def withdraw_deviation(request: SignedInRequest, case_id: int, deviation_id: int) -> HttpResponse:
    """Takes back what was recorded by mistake; both stay on the time line of the case."""
    of_case = Deviation.objects.filter(
        allocation__in=allocations_visible_to(request.user).filter(case=case_id), withdraws__isnull=True
    )
    deviation = get_object_or_404(of_case, pk=deviation_id)
    try:
        deviations.withdraw_deviation(deviation_id=deviation.pk, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("case", case_id=case_id)
    messages.success(request, f"Withdrawn: “{in_words(deviation.kind)}”.")
    return redirect("record_deviation", case_id=case_id)
