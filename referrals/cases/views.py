"""Every case of the account's BCUs, and the way to one by its crime reference."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from referrals.cases.filters import CaseFilter, CaseSearchForm
from referrals.cases.readers import latest_cases
from referrals.cases.tables import CaseTable
from referrals.models import Case
from referrals.scope import cases_visible_to
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.filters import filtered
from src_app.paging import page_of


@requires(Permission.VIEW_CASES)
@require_safe
def case_list(request: SignedInRequest) -> HttpResponse:
    """Cases and what became of each, the latest first."""
    return _list(request, CaseSearchForm())


@requires(Permission.VIEW_CASES)
@require_POST
def case_search(request: SignedInRequest) -> HttpResponse:
    """Opens the case of that crime reference, or says that there is none."""
    form = CaseSearchForm(request.POST)
    if form.is_valid():
        reference = form.cleaned_data["crime_reference"]
        record(
            Action.SEARCHED,
            by=request.user,
            purpose=Purpose.REVIEW,
            subject="case",
            references=[reference],
        )
        case = cases_visible_to(request.user).filter(crime_reference=reference).first()
        if case is not None:
            return redirect("case", case_id=case.pk)
        form.add_error("crime_reference", "No case of your BCU has this crime reference: check it.")
    return _list(request, form)


def _list(request: SignedInRequest, form: CaseSearchForm) -> HttpResponse:
    filterset = CaseFilter(request.GET, queryset=latest_cases(request.user), user=request.user)
    paged = page_of(request, filtered(filterset))
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[*(case.crime_reference for case in paged.rows), *_referrals_of(paged.rows)],
    )
    context = {
        "form": form,
        "filter": filterset,
        "paged": paged,
        "table": CaseTable(paged.rows, caption="Cases, the latest first"),
    }
    return render(request, "cases/list.html", context)


def _referrals_of(cases: Iterable[Case]) -> list[str]:
    """The numbers of the referrals that the list leads to."""
    return [case.referral.number for case in cases if hasattr(case, "referral")]
