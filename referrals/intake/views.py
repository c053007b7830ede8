"""Import: an extract is uploaded, what becomes of every row is shown, and only then is anything saved."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.intake.filters import ImportFilter
from referrals.intake.forms import ColumnsForm, ExtractForm, SeenForm, StrandsForm
from referrals.intake.held import holding, matching, work
from referrals.intake.held.parts import pieces_of
from referrals.intake.held.report import report_of
from referrals.intake.readers import imports_to_see_to, latest_imports
from referrals.intake.reading.columns import REQUIRED, Column
from referrals.intake.tables import ImportTable
from referrals.models import WORKING, CaseImport, ImportStatus, PartKind
from referrals.scope import imports_visible_to
from referrals.table_files.content import Content
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.page import Empty, Listed, ListPage
from src_app.refused import Refused
from src_app.templatetags.words import counted

EXTRACTS = ListPage(
    name="extracts",
    url_name="import_cases",
    caption="Recent extracts",
    table=ImportTable,
    filters=ImportFilter,
    purpose=Purpose.INTAKE,
    subject="extract",
    per_page=20,
    empty=Empty(
        "No extract yet",
        "Extracts are listed here with what became of them, uploaded or found in the watched folder.",
    ),
)


@requires(Permission.IMPORT_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def import_cases(request: SignedInRequest) -> HttpResponseBase:
    """Choose or drop a file; under it, what became of those before."""
    extracts = EXTRACTS.asked(request, latest_imports(request.user))
    if request.method != "POST":
        part = extracts.part()
        return _upload_page(request, ExtractForm(user=request.user), extracts) if part is None else part
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    form = ExtractForm(request.POST, request.FILES, user=request.user, size=size)
    if form.is_valid():
        try:
            held = holding.hold_extract(
                key=form.cleaned_data["key"],
                content=Content.of(form.content),
                file_name=form.file_name,
                bcu=form.bcu_chosen,
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refused:
            form.add_error("file", str(refused))
        else:
            return redirect("import_preview", import_id=held.pk)
    return _upload_page(request, form, extracts)


@requires(Permission.IMPORT_CASES)
@require_safe
def import_preview(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """What would become of every row; before that how far it is read, and after that what came of it."""
    held = _held(request, import_id)
    if held.status in WORKING:
        return render(request, "intake/working.html", _progress(held))
    if held.status == ImportStatus.MATCHING:
        return redirect("import_columns", import_id=held.pk)
    if held.status != ImportStatus.WAITING:
        rejected = held.parts.filter(kind=PartKind.REJECTED).exists()
        context: dict[str, Any] = {"held": held, "has_rejected": rejected}
        if held.report_encrypted:
            # What a lost key leaves unread is only what there was to look at.
            with suppress(Refused):
                context["preview"] = report_of(held)
        return render(request, "intake/settled.html", context)
    if held.kept_until <= timezone.now():
        return _gone(request, holding.GONE[ImportStatus.EXPIRED])
    try:
        preview = report_of(held)
    except Refused as refused:
        return _gone(request, str(refused))
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.INTAKE,
        subject="extract",
        references=[
            *(new.crime_reference for new in preview.new_cases),
            *(changed.crime_reference for changed in preview.changed_cases),
        ],
    )
    return render(request, "intake/preview.html", {"held": held, "preview": preview})


@requires(Permission.IMPORT_CASES)
@require_safe
def import_progress(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """How far the work has come, for the page that asks every few seconds; when it is over, the page anew."""
    held = _held(request, import_id)
    if held.status not in WORKING:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = _progress(held)
    context["speaks"] = request.GET.get("told") != context["step"]
    return render(request, "intake/_progress.html", context)


@requires(Permission.IMPORT_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def import_columns(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """Which sheet is meant, and which heading names which column: chosen by hand, remembered for the BCU."""
    held = _held(request, import_id)
    if held.status not in (ImportStatus.MATCHING, ImportStatus.WAITING):
        return redirect("import_preview", import_id=held.pk)
    try:
        form = ColumnsForm(
            request.POST if request.method == "POST" else None, choice=matching.choice_of(held)
        )
        if form.is_valid():
            matching.match_columns(
                import_id=import_id,
                sheet=form.cleaned_data.get("sheet", ""),
                meanings=form.meanings,
                by=request.user,
                at=timezone.now(),
            )
            return redirect("import_preview", import_id=held.pk)
    except Refused as refused:
        return _gone(request, str(refused))
    record(Action.LIST_SHOWN, by=request.user, purpose=Purpose.INTAKE, subject="extract")
    return render(request, "intake/columns.html", {"held": held, "form": form})


@requires(Permission.IMPORT_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def import_strands(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """Which strands the file's own words name: said once, remembered for the BCU."""
    held = _held(request, import_id)
    if not held.report_encrypted:
        return redirect("import_preview", import_id=held.pk)
    try:
        form = StrandsForm(request.POST or None, words=report_of(held).strand_words)
        if form.is_valid():
            matching.match_strands(
                import_id=import_id, meanings=form.meanings, by=request.user, at=timezone.now()
            )
            messages.success(
                request, f"Remembered for {held.bcu.name}: {counted(len(form.meanings), 'word,words')}."
            )
            return redirect("import_preview", import_id=held.pk)
    except Refused as refused:
        return _gone(request, str(refused))
    record(Action.LIST_SHOWN, by=request.user, purpose=Purpose.INTAKE, subject="extract")
    return render(request, "intake/strands.html", {"held": held, "form": form})


@requires(Permission.IMPORT_CASES)
@require_safe
def import_rejected(request: SignedInRequest, import_id: UUID) -> HttpResponseBase:
    """The rejected rows as a file to mend and import."""
    held = _held(request, import_id)
    if held.kept_until <= timezone.now() or not held.parts.filter(kind=PartKind.REJECTED).exists():
        return _gone(request, "There are no rejected rows to download: they are deleted after a day.")
    record(
        Action.DOWNLOADED,
        by=request.user,
        purpose=Purpose.INTAKE,
        subject="extract",
        fields=["rejected rows"],
    )
    return StreamingHttpResponse(
        pieces_of(held, PartKind.REJECTED),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="rejected.csv"'},
    )


@requires(Permission.IMPORT_CASES)
@require_POST
def import_save(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """Saves the good rows."""
    before = _held(request, import_id)
    form = SeenForm(request.POST)
    seen = form.cleaned_data["seen"] if form.is_valid() else ""
    try:
        held = holding.save_extract(import_id=import_id, seen=seen, by=request.user, at=timezone.now())
    except Refused as refused:
        return _gone(request, str(refused))
    if held.status != ImportStatus.SAVED:
        return redirect("import_preview", import_id=import_id)
    messages.success(request, _saved_words(held, before))
    return redirect("overnight_review")


@requires(Permission.IMPORT_CASES)
@require_POST
def import_discard(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """Deletes the extract unsaved, and stops the work on it."""
    try:
        holding.discard_extract(import_id=import_id, by=request.user, at=timezone.now())
    except CaseImport.DoesNotExist as error:
        raise Http404("No such extract.") from error
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The extract was discarded. Nothing of it was saved.")
    return redirect("import_cases")


def _held(request: SignedInRequest, import_id: UUID) -> CaseImport:
    visible = imports_visible_to(request.user).select_related("bcu", "uploaded_by", "confirmed_by")
    return get_object_or_404(visible, pk=import_id)


def _gone(request: SignedInRequest, why: str) -> HttpResponse:
    messages.error(request, why)
    return redirect("import_cases")


def _progress(held: CaseImport) -> dict[str, object]:
    """``step`` names what is worth saying aloud: it changes with each quarter of the file, not each row."""
    running = work.is_running(held.pk)
    rows, share = work.rows_read_so_far(held) if running else (0, 0.0)
    interrupted = not running and held.attempts > 0
    percent = int(share * 100)
    return {
        "held": held,
        "rows": rows,
        "percent": percent,
        "quarter": percent // 25 * 25,
        "saving": held.status == ImportStatus.SAVING,
        "running": running,
        "interrupted": interrupted,
        "step": f"{held.status}-{percent // 25 if running else 'interrupted' if interrupted else 'waiting'}",
    }


def _upload_page(request: SignedInRequest, form: ExtractForm, extracts: Listed[CaseImport]) -> HttpResponse:
    extracts.record_shown()
    context = {
        "form": form,
        "to_see_to": imports_to_see_to(request.user, timezone.now()),
        "list": extracts,
        "columns": list(Column),
        "required": " and ".join(REQUIRED),
    }
    return render(request, "intake/upload.html", context)


def _saved_words(held: CaseImport, before: CaseImport) -> str:
    words = (
        f"{counted(held.new, 'new case,new cases')}, {held.changed:,} changed, "
        f"{held.unchanged:,} already here, {held.rejected:,} rejected."
    )
    already = before.status == ImportStatus.SAVED
    return f"{'This extract was saved already' if already else 'Saved'}: {words}"
