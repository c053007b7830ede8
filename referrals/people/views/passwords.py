"""First passwords on their way to the one page that shows them, once."""

import json
from collections.abc import Iterable
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.keys import WrongKey, decrypt_first_passwords, encrypt_first_passwords

_KEPT_FOR = timedelta(minutes=10)
_IN_SESSION = "first_passwords"


def show_passwords(request: SignedInRequest, people: Iterable[tuple[User, str]]) -> HttpResponse:
    """Leads to the page that shows them. Until then they lie in the session, encrypted."""
    rows = [(user.display_name, user.username, password) for user, password in people]
    request.session[_IN_SESSION] = encrypt_first_passwords(json.dumps(rows).encode())
    return redirect("first_passwords")


@requires(Permission.MANAGE_ACCOUNTS)
@require_GET
def first_passwords(request: SignedInRequest) -> HttpResponse:
    """The first passwords of those who were just added, to hand over; shown once and kept nowhere."""
    token = request.session.pop(_IN_SESSION, "")
    try:
        rows = json.loads(decrypt_first_passwords(token, _KEPT_FOR))
    except WrongKey:
        messages.info(
            request, "First passwords are shown once. Reset somebody's sign-in to give them another."
        )
        return redirect("person_list")
    record(
        Action.LIST_SHOWN,
        by=request.user,
        purpose=Purpose.ADMINISTRATION,
        subject="account",
        references=[username for _, username, _ in rows],
    )
    return render(request, "people/first_passwords.html", {"rows": rows})
