"""The list of people as a table."""

from datetime import datetime

import django_tables2
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from referrals.people.readers import Person
from src_app.lists.tables import ListTable
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
