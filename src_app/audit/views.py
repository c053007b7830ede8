"""The auditor's pages: who saw and changed what, when."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit import searches
from src_app.audit.download import lines
from src_app.audit.filters import AuditFilter
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.audit.queries import changes_of, entries_visible_to
from src_app.audit.record import record
from src_app.audit.tables import AuditTable
from src_app.filters import filtered
from src_app.paging import page_of


class ReferenceForm(forms.Form):
    """A crime reference or referral number, exactly."""

    reference = forms.CharField(
        label="Crime reference or referral number",
        max_length=60,
        error_messages={"required": "Enter a crime reference or a referral number."},
    )


@requires(Permission.VIEW_AUDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def audit_list(request: SignedInRequest) -> HttpResponse:
    """The log, the latest first; a POST searches it for one reference."""
    form = ReferenceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        token = searches.keep(request, form.cleaned_data["reference"].strip())
        return redirect(f"{reverse('audit_list')}?{urlencode({'search': token})}")
    reference = searches.kept(request)
    filterset = AuditFilter(request.GET, queryset=_about(request, reference))
    paged = page_of(request, filtered(filterset))
    # The references of the rows shown are not repeated: the log would grow by what it shows of itself.
    # Nor is a text searched for that is nobody's reference: only what is found.
    _record(
        request,
        Action.SEARCHED if reference else Action.LIST_SHOWN,
        filterset,
        reference if paged.rows else "",
    )
    context = {
        "form": form,
        "filter": filterset,
        "reference": reference,
        "search": request.GET.get("search", ""),
        "paged": paged,
        "table": AuditTable(paged.rows, caption="Audit log"),
        "download_url": _download_url(request),
    }
    return render(request, "audit/list.html", context)


@requires(Permission.VIEW_AUDIT)
@require_safe
def audit_download(request: SignedInRequest) -> StreamingHttpResponse:
    """All that the filters leave, as CSV."""
    reference = searches.kept(request)
    filterset = AuditFilter(request.GET, queryset=_about(request, reference))
    entries = filtered(filterset)
    _record(request, Action.DOWNLOADED, filterset, reference if entries.exists() else "")
    name = f"audit-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        lines(entries.iterator(chunk_size=2_000)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@requires(Permission.VIEW_AUDIT)
@require_safe
def audit_request(request: SignedInRequest, request_id: uuid.UUID) -> HttpResponse:
    """All that one request, task or command did: its acts, and the fields it changed."""
    entries = list(entries_visible_to(request.user).filter(request_id=request_id))
    if not entries:
        raise Http404("No such request.")
    changes = changes_of(request.user, request_id)
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.AUDIT,
        subject="audit",
        references=[str(request_id)],
    )
    context = {"entries": entries, "changes": changes, "request_id": request_id}
    return render(request, "audit/request.html", context)


def _about(request: SignedInRequest, reference: str) -> QuerySet[AuditEntry]:
    entries = entries_visible_to(request.user)
    return entries.filter(references__contains=[reference]) if reference else entries


def _record(request: SignedInRequest, action: Action, filterset: Any, reference: str) -> None:
    record(
        action,
        by=request.user,
        purpose=Purpose.AUDIT,
        subject="audit",
        references=[reference] if reference else [],
        fields=[name for name in filterset.form.fields if request.GET.get(name)],
    )


def _download_url(request: SignedInRequest) -> str:
    """With the filters and the search of this page."""
    asked = request.GET.copy()
    asked.pop("page", None)
    return f"{reverse('audit_download')}?{asked.urlencode()}"
