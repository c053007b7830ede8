"""The auditor's pages: who saw and changed what, when."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit import searched_references
from src_app.audit.filters import AuditFilter
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.audit.readers import changes_of, entries_visible_to
from src_app.audit.record import record
from src_app.audit.tables import AuditTable
from src_app.lists.page import Empty, ListPage

# The references of the rows shown are not repeated: the log would grow by what it shows of itself.
LOG = ListPage(
    name="audit",
    url_name="audit_list",
    caption="Audit log",
    table=AuditTable,
    filters=AuditFilter,
    purpose=Purpose.AUDIT,
    subject="audit",
    per_page=25,
    most=None,
    empty=Empty("No entries", "Whatever somebody sees or changes is an entry of this log."),
)


class ReferenceForm(forms.Form):
    """A crime reference or referral number, or a part of one."""

    reference = forms.CharField(
        label="Crime reference or referral number",
        help_text="A part of it will do, such as its last digits.",
        min_length=3,
        max_length=60,
        error_messages={
            "required": "Enter a crime reference or a referral number.",
            "min_length": "Enter three characters of it, or more.",
        },
    )


@requires(Permission.VIEW_AUDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def audit_list(request: SignedInRequest) -> HttpResponseBase:
    """The log, the latest first; a POST searches it for one reference."""
    form = ReferenceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        token = searched_references.keep(request, form.cleaned_data["reference"].strip())
        return redirect(f"{reverse('audit_list')}?{urlencode({'search': token})}")
    reference = searched_references.kept(request)
    about = _about(request, reference)
    log = LOG.asked(request, about.entries, searched=reference)
    if (part := log.part()) is not None:
        return part
    log.record_shown()
    return render(request, "audit/list.html", {"form": form, "list": log, "about": about, "folded": True})


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


@dataclass(frozen=True)
class About:
    """The entries that a search leaves, and how they were found.

    ``searched``: what was typed. ``holding``: the references that hold it, if none is exactly it; ``is_cut``:
    there are more of them. That an auditor searched for a part does not make it a reference.
    """

    entries: QuerySet[AuditEntry]
    searched: str = ""
    holding: Sequence[str] = ()
    is_cut: bool = False


def _about(request: SignedInRequest, searched: str) -> About:
    entries = entries_visible_to(request.user)
    if not searched:
        return About(entries)
    exactly = entries.filter(references__contains=[searched])
    if exactly.exclude(purpose=Purpose.AUDIT).exists():
        return About(exactly, searched)
    holding = searched_references.holding(searched)
    most = searched_references.MOST_FOUND
    return About(
        entries.filter(references__overlap=holding[:most]) if holding else exactly,
        searched,
        holding[:most],
        is_cut=len(holding) > most,
    )
