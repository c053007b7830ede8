"""The list of wards as a table."""

import django_tables2
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from referrals.places.readers import WardRow
from src_app.lists.tables import ListTable


class WardTable(ListTable):
    """Wards, each with its team and mode."""

    name = django_tables2.Column(verbose_name="Ward", accessor="ward__name")
    borough = django_tables2.Column(verbose_name="Borough", accessor="ward__borough__name")
    team = django_tables2.Column(verbose_name="Team", accessor="ward__team__name")
    mailbox = django_tables2.Column(verbose_name="Mailbox", accessor="ward__team__mailbox")
    mode = django_tables2.Column(verbose_name="Now")
    code = django_tables2.Column(verbose_name="Code", accessor="ward__code")

    def render_name(self, record: WardRow) -> SafeString:
        address = reverse("change_ward", args=[record.ward.pk])
        return format_html('<a href="{}">{}</a>', address, record.ward.name)

    def value_name(self, record: WardRow) -> str:
        return record.ward.name

    def render_team(self, record: WardRow) -> SafeString:
        address = reverse("team", args=[record.ward.team_id])
        return format_html('<a href="{}">{}</a>', address, record.ward.team.name)

    def value_team(self, record: WardRow) -> str:
        return record.ward.team.name

    def render_mode(self, record: WardRow) -> str:
        return record.mode
