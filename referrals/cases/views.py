"""Every case of the account's BCUs, and the way to one by its crime reference."""

from django.http import HttpResponse, HttpResponseBase
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
from src_app.lists.page import Empty, Listed, ListPage

CASES = ListPage(
    name="cases",
    url_name="case_list",
    caption="Cases",
    table=CaseTable,
    filters=CaseFilter,
    purpose=Purpose.REVIEW,
    subject="case",
    references=("crime_reference", "referral__number"),
    empty=Empty("No cases", "Import the overnight extract.", "import_cases", "Import cases"),
)


@requires(Permission.VIEW_CASES)
@require_safe
def case_list(request: SignedInRequest) -> HttpResponseBase:
    """Cases and what became of each, the latest first."""
    cases = CASES.asked(request, latest_cases(request.user))
    if (part := cases.part()) is not None:
        return part
    return _page(request, cases, CaseSearchForm())


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
    return _page(request, CASES.asked(request, latest_cases(request.user)), form)


def _page(request: SignedInRequest, cases: Listed[Case], form: CaseSearchForm) -> HttpResponse:
    cases.record_shown()
    return render(request, "cases/list.html", {"list": cases, "form": form})
