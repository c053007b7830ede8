"""The case list as a table."""

from datetime import datetime

import django_tables2
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from referrals.models import Case, CaseState
from src_app.lists.tables import ListTable
from src_app.templatetags.words import moment


class CaseTable(ListTable):
    """Reports and what became of each; strand and offence wait until a case is opened."""

    crime_reference = django_tables2.Column(verbose_name="Report")
    reported_at = django_tables2.Column(verbose_name="Reported")
    ward = django_tables2.Column(verbose_name="Ward", empty_values=())
    state = django_tables2.Column(verbose_name="State", empty_values=(), accessor="pk")

    def render_crime_reference(self, record: Case) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("case", args=[record.pk]), record.crime_reference)

    def value_crime_reference(self, record: Case) -> str:
        return record.crime_reference

    def render_reported_at(self, record: Case) -> str:
        return moment(record.reported_at)

    def value_reported_at(self, record: Case) -> datetime:
        return record.reported_at

    def render_ward(self, record: Case) -> str:
        return f"{record.ward.name}, {record.ward.borough.name}" if record.ward else "Unknown"

    def render_state(self, record: Case) -> str | SafeString:
        if record.state == CaseState.REFERRED:
            number = record.referral.number
            return format_html(
                'SRC: <a href="{}">{}</a>, {}',
                reverse("referral", args=[number]),
                number,
                record.referral.get_status_display().lower(),
            )
        return self.value_state(record)

    def value_state(self, record: Case) -> str:
        if record.state == CaseState.REFERRED:
            return f"SRC: {record.referral.number}, {record.referral.get_status_display().lower()}"
        if record.state == CaseState.NOT_SUITABLE:
            return f"{record.get_state_display()}: {record.decision.get_reason_display()}"
        return record.get_state_display()
