"""The overnight review: each waiting case marked suitable or not, as drafts."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, retarget

from referrals.contact.readers.stranded import stranded_work
from referrals.intake.readers import imports_to_see_to, latest_extract
from referrals.models import Case, Restriction, TextKind
from referrals.review.actions import drafts
from referrals.review.forms import (
    MarkForm,
    NotSuitableForm,
    QuestionsForm,
    ReasonForm,
    ReferNowMarkForm,
    SafetyForm,
    TeamForm,
)
from referrals.review.readers.decided import reinstated_cases
from referrals.review.readers.linked import offered
from referrals.review.readers.rows import ReviewRow, rows, together
from referrals.review.readers.submitted import latest_submissions
from referrals.review.readers.waiting import as_rows, review_progress, review_progress_of, waiting
from referrals.trial.readers.controls import waiting_checks
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.paging import page_of
from src_app.refused import Refused

PER_PAGE = 100


@requires(Permission.REVIEW_CASES)
@require_safe
def overnight_review(request: SignedInRequest) -> HttpResponse:
    """Last night's cases, the longest waiting first."""
    paged = page_of(request, waiting(request.user), PER_PAGE)
    listed = together(rows(request.user, paged.rows))
    now = timezone.now()
    reinstated = reinstated_cases(request.user, now)
    to_see_to = list(imports_to_see_to(request.user, now))
    shown = [reference for row in listed for reference in row.references]
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=dict.fromkeys([*shown, *(event.case.crime_reference for event in reinstated)]),
    )
    context = {
        "rows": listed,
        "reinstated_cases": reinstated,
        "to_look_up": waiting_checks(request.user, now),
        "paged": paged,
        # Of one page that is all, nothing is left to ask.
        "progress": review_progress(request.user) if paged.is_part else review_progress_of(listed),
        "latest": latest_extract(request.user),
        "to_see_to": to_see_to,
        # The navigation's count, which is the same.
        "imports_waiting": len(to_see_to),
        "submissions": latest_submissions(request.user),
        "stranded": stranded_work(request.user),
        "now": now,
    }
    return render(request, "review/overnight_review.html", context)


@requires(Permission.REVIEW_CASES)
@require_POST
def mark_suitable(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Marks the case suitable, with one press of a button."""
    form = MarkForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else None
    return _marked(
        request,
        case_id,
        lambda: drafts.draft_suitable(case_id=case_id, version=version, by=request.user, at=timezone.now()),
    )


@requires(Permission.REVIEW_CASES)
@require_POST
def clear_decision(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Takes the mark off again."""
    form = MarkForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else None
    return _marked(
        request,
        case_id,
        lambda: drafts.clear_draft(case_id=case_id, version=version, by=request.user, at=timezone.now()),
    )


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def mark_not_suitable(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Asks why, and who will contact the victim."""
    return _marked_with_reason(request, case_id, NotSuitableForm, "review/not_suitable.html")


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def mark_refer_now(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Asks why the case is referred outside any trial."""
    return _marked_with_reason(request, case_id, ReferNowMarkForm, "review/mark_refer_now.html")


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def choose_team(request: SignedInRequest, case_id: int) -> HttpResponse:
    """A team for a case whose ward cannot decide."""
    row = _row(request.user, case_id)
    form = TeamForm(request.POST or None, case=row.case, initial={"version": row.version})
    if request.method == "POST" and form.is_valid():
        return _marked(
            request,
            case_id,
            lambda: drafts.choose_team(
                case_id=case_id,
                version=form.cleaned_data["version"],
                team=form.cleaned_data["team"],
                why=form.cleaned_data["why"],
                by=request.user,
                at=timezone.now(),
            ),
        )
    return _case_form(request, row, form, "review/choose_team.html")


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def set_safety(request: SignedInRequest, case_id: int) -> HttpResponse:
    """Restrictions and a safety note for the officer; after the decision from the page of the case."""
    row = _row(request.user, case_id, decided=True)
    seen = row.case.restrictions_set_at
    initial = {
        "restrictions": row.case.restrictions,
        "note": _own_note(row.case),
        "seen": seen.isoformat() if seen else "",
    }
    form = SafetyForm(request.POST or None, case=row.case, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            response = _marked(
                request,
                case_id,
                lambda: drafts.set_safety(
                    case_id=case_id,
                    restrictions=[Restriction(value) for value in form.cleaned_data["restrictions"]],
                    note=form.cleaned_data["note"],
                    seen=form.cleaned_data["seen"],
                    by=request.user,
                    at=timezone.now(),
                ),
            )
        except drafts.SafetyChanged as changed:
            form.add_error(None, str(changed))
            form.show_again(changed.at)
            return _case_form(request, row, form, "review/set_safety.html")
        if row.case.decided_at is not None:
            return redirect("case", case_id=case_id)
        return redirect("check_decisions") if request.GET.get("from") == "check" else response
    return _case_form(request, row, form, "review/set_safety.html")


@requires(Permission.REVIEW_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def answer_questions(request: SignedInRequest, case_id: int) -> HttpResponse:
    """What the extract left open about a case, before it is decided."""
    row = _row(request.user, case_id)
    form = QuestionsForm(request.POST or None, case=row.case)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            return _marked(
                request,
                case_id,
                lambda: drafts.answer_questions(
                    case_id=case_id,
                    repeat_victim=given.get("repeat_victim"),
                    strands=given.get("strands"),
                    looked_for_another_victim=given.get("another_victim", False),
                    by=request.user,
                    at=timezone.now(),
                ),
            )
        except drafts.AnsweredBefore as overtaken:
            form.add_error(None, str(overtaken))
            row = _row(request.user, case_id)
            form.show_again(row.case)
    return _case_form(request, row, form, "review/answer_questions.html")


def _own_note(case: Case) -> str:
    texts = (text.body for text in case.texts.all() if text.kind == TextKind.REVIEW_SAFETY)
    return next(texts, "")


def _row(user: User, case_id: int, *, decided: bool = False) -> ReviewRow:
    """The case as the list shows it; 404 for one that is not theirs or, unless asked for, decided already."""
    cases = as_rows(user) if decided else waiting(user)
    found = rows(user, cases.filter(pk=case_id))
    if not found:
        raise Http404("No such case waits for a decision.")
    return found[0]


def _case_form(
    request: SignedInRequest,
    row: ReviewRow,
    form: QuestionsForm | ReasonForm | SafetyForm | TeamForm,
    template: str,
) -> HttpResponse:
    record(
        Action.CASE_OPENED,
        by=request.user,
        purpose=Purpose.REVIEW,
        subject="case",
        references=row.references,
    )
    layout = "_form_in_row" if getattr(request, "htmx", False) else "_case_form"
    context = {"row": row, "form": form, "now": timezone.now(), "layout": f"review/{layout}.html"}
    return render(request, template, context)


def _marked_with_reason(
    request: SignedInRequest,
    case_id: int,
    form_class: type[ReasonForm],
    template: str,
) -> HttpResponse:
    """The question of the form, in the row itself where htmx asks; then the mark."""
    row = _row(request.user, case_id)
    form = form_class(request.POST if request.method == "POST" else None, row=row)
    if isinstance(form, NotSuitableForm):
        chosen = row.decision.duplicate_of if row.decision else ""
        form.offer(row.case, offered(request.user, [*row.linked, *row.alike]), chosen)
    if not form.is_valid():
        return _case_form(request, row, form, template)
    return _marked(
        request,
        case_id,
        lambda: drafts.draft_not_suitable(
            case_id=case_id, **form.cleaned_data, by=request.user, at=timezone.now()
        ),
    )


def _marked(request: SignedInRequest, case_id: int, action: Callable[[], object]) -> HttpResponse:
    """Marks the case and shows its row: by itself where htmx asks, and in the whole list otherwise."""
    refused = ""
    try:
        action()
    except Case.DoesNotExist as error:
        raise Http404("No such case.") from error
    except (drafts.SafetyChanged, drafts.AnsweredBefore):
        raise
    except Refused as error:
        refused = str(error)
    if getattr(request, "htmx", False):
        found = rows(request.user, waiting(request.user).filter(pk=case_id))
        context = {
            "row": found[0] if found else None,
            "case_id": case_id,
            "refused": refused,
            "progress": review_progress(request.user),
            "now": timezone.now(),
            "partial": True,
        }
        response = render(request, "review/_marked.html", context)
        return reswap(retarget(response, f"#case-{case_id}"), "outerHTML")
    if refused:
        messages.error(request, refused)
    return redirect(f"{reverse('overnight_review')}#case-{case_id}")
