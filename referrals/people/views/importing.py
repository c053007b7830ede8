"""People from a list: what becomes of each row is shown before anything is saved."""

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from referrals.people.actions.importing import PeoplePreview, import_people, preview_people
from referrals.people.forms import PeopleListForm, PeopleRowsForm
from referrals.people.reading import HEADINGS, WHY
from referrals.people.views.passwords import show_passwords
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.download import BYTE_ORDER_MARK, FORMATS, csv_line
from src_app.refused import Refused
from src_app.templatetags.words import counted


@requires(Permission.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "HEAD", "POST"])
def import_people_list(request: SignedInRequest) -> HttpResponse:
    """Choose a file or paste rows; then what would become of each."""
    if request.method != "POST":
        return _asked(request, PeopleListForm())
    form = PeopleListForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            return _looked(request, form.text)
        except Refused as refused:
            form.add_error(None, str(refused))
    return _asked(request, form)


@requires(Permission.MANAGE_ACCOUNTS)
@require_POST
def save_people(request: SignedInRequest) -> HttpResponse:
    """Saves the good rows that were looked at, or says what changed and saves nothing."""
    form = PeopleRowsForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The page was incomplete. Nothing was saved: choose the list once more.")
        return redirect("import_people")
    text, seen = form.cleaned_data["rows"], form.cleaned_data["seen"]
    try:
        added = import_people(text=text, seen=seen, by=request.user, at=timezone.now())
    except Refused as refused:
        messages.error(request, f"Nothing was saved. {refused}")
        return redirect("import_people")
    messages.success(request, f"Saved. {counted(len(added), 'person was,people were')} added.")
    return show_passwords(request, added) if added else redirect("person_list")


@requires(Permission.MANAGE_ACCOUNTS)
@require_POST
def refused_people(request: SignedInRequest) -> HttpResponseBase:
    """The refused rows as a file to mend, each after its reasons."""
    form = PeopleRowsForm(request.POST)
    try:
        preview = preview_people(form.cleaned_data["rows"]) if form.is_valid() else None
    except Refused:
        preview = None
    if preview is None or not preview.refused:
        messages.info(request, "No row is refused: there is nothing to download.")
        return redirect("import_people")
    _record(request, Action.DOWNLOADED, [fate.username for fate in preview.refused if fate.username])
    headers = {"Content-Disposition": 'attachment; filename="people-refused.csv"'}
    return StreamingHttpResponse(
        _refused_file(preview), content_type=FORMATS["csv"].content_type, headers=headers
    )


def _refused_file(preview: PeoplePreview) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    headings = [heading for heading in preview.table.headings if heading != WHY]
    kept = [number for number, heading in enumerate(preview.table.headings) if heading != WHY]
    yield csv_line([WHY, *headings])
    for why, cells in preview.refused_rows:
        yield csv_line([why, *(cells[number] for number in kept if number < len(cells))])


def _asked(request: SignedInRequest, form: PeopleListForm) -> HttpResponse:
    return render(request, "people/import/list.html", {"form": form, "headings": HEADINGS.values()})


def _looked(request: SignedInRequest, text: str) -> HttpResponse:
    preview = preview_people(text)
    fates = (*preview.changed, *preview.same)
    _record(request, Action.LIST_SHOWN, [fate.username for fate in fates])
    again = PeopleRowsForm(initial={"rows": text, "seen": preview.digest})
    return render(request, "people/import/check.html", {"preview": preview, "form": again})


def _record(request: SignedInRequest, action: Action, usernames: list[str]) -> None:
    record(
        action,
        by=request.user,
        purpose=Purpose.ADMINISTRATION,
        subject="account",
        references=usernames,
    )
