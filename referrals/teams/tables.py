"""The list of teams as a table."""

import django_tables2
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from referrals.teams.readers import Mailbox, TeamRow
from src_app.lists.tables import NUMERIC, ListTable
from src_app.templatetags.words import counted, day

SHOWN_WARDS = 3


class TeamTable(ListTable):
    """Teams, each with its wards, its people, its open referrals and its mailbox."""

    name = django_tables2.Column(verbose_name="Team", accessor="team__name")
    borough = django_tables2.Column(verbose_name="Borough", accessor="team__borough__name")
    wards = django_tables2.Column(verbose_name="Wards", empty_values=())
    people = django_tables2.Column(verbose_name="People", attrs=NUMERIC)
    open = django_tables2.Column(verbose_name="Open referrals", attrs=NUMERIC)
    mailbox = django_tables2.Column(verbose_name="Mailbox", empty_values=())

    def render_name(self, record: TeamRow) -> SafeString:
        address = reverse("team", args=[record.team.pk])
        closed = SafeString(' <strong class="app-tag app-tag--grey">Closed</strong>')
        tag = closed if record.team.closed_at else ""
        return format_html('<a href="{}">{}</a>{}', address, record.team.name, tag)

    def value_name(self, record: TeamRow) -> str:
        return record.team.name

    def render_wards(self, record: TeamRow) -> str:
        more = len(record.wards) - SHOWN_WARDS
        shown = ", ".join(record.wards[:SHOWN_WARDS]) or "None"
        return f"{shown} and {counted(more, 'other,others')}" if more > 0 else shown

    def value_wards(self, record: TeamRow) -> str:
        return ", ".join(record.wards)

    def render_open(self, record: TeamRow) -> str:
        return f"{record.open}, {record.overdue} overdue" if record.overdue else str(record.open)

    def value_open(self, record: TeamRow) -> int:
        return record.open

    def render_mailbox(self, record: TeamRow) -> SafeString | str:
        if record.team.closed_at:
            return "Gets no mail"
        tags = [(tone, words) for words, tone in state_of(record.mailbox)]
        shown = format_html_join(" ", '<strong class="app-tag app-tag--{}">{}</strong>', tags)
        return format_html('{} <span class="app-line">{}</span>', record.mailbox.address, shown)

    def value_mailbox(self, record: TeamRow) -> str:
        return record.mailbox.address


def state_of(mailbox: Mailbox) -> list[tuple[str, str]]:
    """Words and tone of each thing to know of a mailbox: whether it refuses mail, and whether it is read."""
    found = []
    if mailbox.refused_since:
        found.append((f"Refuses mail since {day(mailbox.refused_since)}", "red"))
    if mailbox.is_new_waiting and mailbox.waiting:
        found.append((f"New address not confirmed since {day(mailbox.waiting.asked_at)}", "yellow"))
    elif mailbox.waiting:
        found.append((f"Not confirmed since {day(mailbox.waiting.asked_at)}", "yellow"))
    if mailbox.confirmed_at:
        found.append((f"Confirmed on {day(mailbox.confirmed_at)}", "green"))
    elif not mailbox.waiting:
        found.append(("Never tested", "yellow"))
    return found
