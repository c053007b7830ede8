"""The list of people as a table."""

from datetime import datetime

import django_tables2
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from referrals.people.readers.access_review import AccessRow
from referrals.people.readers.people import Person
from src_app.lists.tables import ActionColumn, ListTable, with_line
from src_app.templatetags.words import counted, moment

SHOWN_PLACES = 3


class PersonTable(ListTable):
    """Accounts, each with its role, where it belongs, and what is amiss with it."""

    name = django_tables2.Column(verbose_name="Name", accessor="user__display_name")
    username = django_tables2.Column(verbose_name="User name", accessor="user__username")
    role = django_tables2.Column(verbose_name="Role", accessor="user__role")
    places = django_tables2.Column(verbose_name="Belongs to", empty_values=())
    last_login = django_tables2.Column(
        verbose_name="Last sign-in", accessor="user__last_login", empty_values=()
    )
    state = django_tables2.Column(verbose_name="Account", empty_values=())
    email = django_tables2.Column(verbose_name="E-mail", accessor="user__email", visible=False)

    def render_name(self, record: Person) -> SafeString:
        address = reverse("person", args=[record.user.pk])
        return format_html('<a href="{}">{}</a>', address, record.user.display_name)

    def value_name(self, record: Person) -> str:
        return record.user.display_name

    def render_role(self, record: Person) -> str:
        return record.user.get_role_display()

    def render_places(self, record: Person) -> str:
        more = len(record.places) - SHOWN_PLACES
        shown = "; ".join(record.places[:SHOWN_PLACES]) or "Nowhere"
        return f"{shown} and {counted(more, 'other,others')}" if more > 0 else shown

    def value_places(self, record: Person) -> str:
        return "; ".join(record.places) or "Nowhere"

    def render_last_login(self, record: Person) -> str:
        return moment(record.user.last_login) or "Never"

    def value_last_login(self, record: Person) -> datetime | None:
        return record.user.last_login

    def render_state(self, record: Person) -> SafeString:
        tags = [(tone, words) for words, tone in _amiss(record)]
        return format_html_join(" ", '<strong class="app-tag app-tag--{}">{}</strong>', tags) or SafeString(
            "Open"
        )

    def value_state(self, record: Person) -> str:
        return "; ".join(words for words, _ in _amiss(record)) or "Open"


class AccessTable(PersonTable):
    """Open accounts, each with what its supervisor said and a button to close it."""

    username = None
    state = None
    email = None
    answer = django_tables2.Column(verbose_name="Supervisor says", empty_values=())
    close = ActionColumn("people/access/_close.html", "Close", context_object_name="row")

    def render_last_login(self, record: Person) -> SafeString | str:
        when = super().render_last_login(record)
        unused = '{} <strong class="app-tag app-tag--yellow">Not for {} days</strong>'
        return (
            format_html(unused, when, settings.UNUSED_AFTER.days)
            if isinstance(record, AccessRow) and record.is_unused
            else when
        )

    def render_answer(self, record: AccessRow) -> SafeString | str:
        if answer := record.answer:
            return with_line(answer.get_said_display(), str(answer.answered_by))
        if not record.is_open:
            return "No review is open"
        if not record.asked:
            return "No supervisor is asked"
        more = len(record.asked) - SHOWN_PLACES
        names = ", ".join(map(str, record.asked[:SHOWN_PLACES]))
        return with_line("Nothing yet", f"Asked: {names}{f' and {more} more' if more > 0 else ''}")

    def value_answer(self, record: AccessRow) -> str:
        return record.answer.get_said_display() if record.answer else ""


def _amiss(person: Person) -> list[tuple[str, str]]:
    """Words and tone of each thing to know before the account is used."""
    user = person.user
    if not user.is_active:
        return [("Closed", "grey")]
    found = []
    if not user.email:
        found.append(("No e-mail", "yellow"))
    if not getattr(user, "has_factor", True):
        found.append(("No second factor", "yellow"))
    return found
