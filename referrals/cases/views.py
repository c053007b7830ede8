"""Every case of the account's BCUs, and the way to a case or a referral by its reference."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from referrals.cases.filters import CaseFilter
from referrals.cases.forms import SearchForm
from referrals.cases.readers import MOST_FOUND, cases_found, latest_cases, references_of
from referrals.cases.tables import CaseTable
from referrals.models import Case
from referrals.scope import places_of
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.page import Empty, ListPage

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
    cases.record_shown()
    return render(request, "cases/list.html", {"list": cases})


@requires(Permission.VIEW_REFERRALS)
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: SignedInRequest) -> HttpResponse:
    """Opens the one case or referral with that reference, or lists those whose reference ends so.

    What lies outside of what the account may see answers as what does not exist.
    """
    form = SearchForm(request.POST if request.method == "POST" else None)
    sees_cases = request.user.can(Permission.VIEW_CASES)
    # Of a case of another BCU, whose referral a team of theirs has, the referral alone is theirs to open.
    bcus = places_of(request.user).bcus if sees_cases else ()
    context = {"form": form, "sees_cases": sees_cases, "bcus": bcus, "most": MOST_FOUND}
    if form.is_valid():
        signs = form.cleaned_data["reference"]
        search = cases_found(request.user, signs)
        found = search.cases
        record(
            Action.SEARCHED,
            by=request.user,
            purpose=Purpose.REVIEW if sees_cases else Purpose.CONTACT,
            subject="case" if sees_cases else "referral",
            references=dict.fromkeys([*references_of(signs), *form.whole, *_names(found[:MOST_FOUND])]),
        )
        # One that only ends so may be another victim's: it is listed, to be looked at first.
        if len(found) == 1 and search.by_whole:
            [case] = found
            if case.bcu_id in bcus and not (signs.startswith("SRC") and hasattr(case, "referral")):
                return redirect("case", case_id=case.pk)
            return redirect("referral", number=case.referral.number)
        context |= {"searched": form["reference"].value(), "found": found}
    return render(request, "cases/search.html", context)


def _names(cases: list[Case]) -> list[str]:
    """The references that the page shows of them."""
    numbers = [case.referral.number for case in cases if hasattr(case, "referral")]
    return [*(case.crime_reference for case in cases), *numbers]
