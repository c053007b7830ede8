"""The list of people, and somebody new."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from referrals.people.actions.people import add_person as add
from referrals.people.filters import PersonFilter
from referrals.people.forms import AddPersonForm
from referrals.people.readers.people import Person, people_to_keep, with_places, without_email
from referrals.people.tables import PersonTable
from referrals.people.views.passwords import show_passwords
from referrals.scope import today
from src_app.accounts.guards import SignedInRequest, requires
from src_app.accounts.models import User
from src_app.accounts.passwords import first_password
from src_app.accounts.roles import Permission
from src_app.audit.models import Purpose
from src_app.lists.page import Empty, ListPage
from src_app.refused import Refused


def _with_places(users: list[User]) -> list[Person]:
    return with_places(users, today())


PEOPLE = ListPage(
    name="people",
    url_name="person_list",
    caption="People",
    table=PersonTable,
    filters=PersonFilter,
    told=_with_places,
    purpose=Purpose.ADMINISTRATION,
    subject="account",
    references=("username",),
    per_page=100,
    empty=Empty("Nobody", "Add the first person."),
)


@requires(Permission.MANAGE_ACCOUNTS)
@require_safe
def person_list(request: SignedInRequest) -> HttpResponseBase:
    """People with their role, their teams and BCUs, and what is amiss with their account."""
    people = PEOPLE.asked(request, people_to_keep(request.user))
    if (part := people.part()) is not None:
        return part
    people.record_shown()
    return render(request, "people/list.html", {"list": people, "without_email": without_email(request.user)})


@requires(Permission.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "HEAD", "POST"])
def add_person(request: SignedInRequest) -> HttpResponse:
    """Somebody new: then the first password is shown, once."""
    form = AddPersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        password = first_password()
        try:
            user = add(**form.cleaned_data, password=password, by=request.user, at=timezone.now())
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return show_passwords(request, [(user, password)])
    return render(request, "people/add.html", {"form": form})
