"""Import: an extract is uploaded, every row's fate is shown, and only then is anything saved."""

import csv
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.actions import Refused
from referrals.import_forms import ExtractForm
from referrals.intake import holding
from referrals.intake.columns import REQUIRED, Column
from referrals.intake.fates import Fates
from referrals.models import CaseImport, ImportStatus
from referrals.queries import imports_visible_to, recent_imports
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.cells import harmless
from src_app.templatetags.words import counted

# A page of a thousand rows is read by nobody; the counts above them are of all.
MOST_SHOWN = 200


@requires(Permission.IMPORT_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def import_cases(request: SignedInRequest) -> HttpResponse:
    """Choose or drop a file."""
    if request.method != "POST":
        return _upload_page(request, ExtractForm(user=request.user))
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    form = ExtractForm(request.POST, request.FILES, user=request.user, size=size)
    if form.is_valid():
        try:
            held = holding.hold_extract(
                key=form.cleaned_data["key"],
                content=form.content,
                bcu=form.bcu_chosen,
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refused:
            form.add_error("file", str(refused))
        else:
            return redirect("import_fates", import_id=held.pk)
    return _upload_page(request, form)


@requires(Permission.IMPORT_CASES)
@require_safe
def import_fates(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """What would become of every row; or, once it is settled, how many there were of each fate."""
    held = get_object_or_404(
        imports_visible_to(request.user).select_related("bcu", "uploaded_by"), pk=import_id
    )
    if held.status != ImportStatus.WAITING:
        return render(request, "intake/settled.html", {"held": held})
    try:
        fates = holding.preview_extract(held=held, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("import_cases")
    return render(request, "intake/fates.html", {"held": held, **_shown(fates)})


@requires(Permission.IMPORT_CASES)
@require_safe
def import_rejected(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """The rejected rows as a file to mend and import."""
    held = get_object_or_404(imports_visible_to(request.user).select_related("bcu"), pk=import_id)
    try:
        rows = holding.rejected_rows(held=held, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("import_cases")
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rejected.csv"'
    csv.writer(response).writerows([harmless(cell) for cell in row] for row in rows)
    return response


@requires(Permission.IMPORT_CASES)
@require_POST
def import_save(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """Saves the good rows."""
    try:
        saved = holding.save_extract(
            import_id=import_id, seen=request.POST.get("seen", ""), by=request.user, at=timezone.now()
        )
    except CaseImport.DoesNotExist as error:
        raise Http404("No such extract.") from error
    except holding.LookAgain as changed:
        messages.error(request, str(changed))
        return redirect("import_fates", import_id=import_id)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("import_cases")
    messages.success(request, _saved_words(saved))
    return redirect("overnight_review")


@requires(Permission.IMPORT_CASES)
@require_POST
def import_discard(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """Deletes the extract unsaved."""
    try:
        holding.discard_extract(import_id=import_id, by=request.user, at=timezone.now())
    except CaseImport.DoesNotExist as error:
        raise Http404("No such extract.") from error
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The extract was discarded. Nothing of it was saved.")
    return redirect("import_cases")


def _upload_page(request: SignedInRequest, form: ExtractForm) -> HttpResponse:
    context = {
        "form": form,
        "imports": recent_imports(request.user),
        "columns": list(Column),
        "required": " and ".join(REQUIRED),
    }
    return render(request, "intake/upload.html", context)


def _shown(fates: Fates) -> dict[str, Any]:
    """The fates as the page shows them: all counts, and the first rows of each list."""
    return {
        "fates": fates,
        "rejections": fates.rejections[:MOST_SHOWN],
        "changed": fates.changed[:MOST_SHOWN],
        "warnings": fates.warnings[:MOST_SHOWN],
        "new": fates.new[:MOST_SHOWN],
    }


def _saved_words(saved: holding.Saved) -> str:
    held = saved.settled
    first = "" if saved.now else "This extract was saved already: "
    words = (
        f"{counted(held.new, 'new case,new cases')}, {held.changed:,} changed, "
        f"{held.unchanged:,} already here, {held.rejected:,} rejected."
    )
    return f"{first or 'Saved: '}{words}"
