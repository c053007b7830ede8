"""The audit log as a table."""

from datetime import datetime

import django_tables2
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from src_app.audit.models import AuditEntry
from src_app.lists.tables import ListTable
from src_app.templatetags.words import counted, moment, spoken

SHOWN_REFERENCES = 3


class AuditTable(ListTable):
    """Who did what, when, to which records and why; in a file also each stored word by itself."""

    is_compact = True
    at = django_tables2.Column(verbose_name="When")
    actor = django_tables2.Column(verbose_name="Who", empty_values=())
    action = django_tables2.Column(verbose_name="What")
    purpose = django_tables2.Column(verbose_name="Purpose")
    references = django_tables2.Column(verbose_name="About", empty_values=())
    fields = django_tables2.Column(verbose_name="Fields", default="")
    origin = django_tables2.Column(verbose_name="From")
    request_id = django_tables2.Column(
        verbose_name="All of this request", attrs={"cell": {"class": "app-alone"}}
    )
    rows_held = django_tables2.Column(verbose_name="Rows", accessor="rows", visible=False)
    recipients = django_tables2.Column(verbose_name="Recipients", visible=False)
    account = django_tables2.Column(verbose_name="Account", accessor="actor__username", visible=False)
    action_stored = django_tables2.Column(verbose_name="Action", accessor="action", visible=False)
    purpose_stored = django_tables2.Column(verbose_name="Purpose code", accessor="purpose", visible=False)
    subject = django_tables2.Column(verbose_name="Subject", visible=False)
    references_alone = django_tables2.Column(verbose_name="References", accessor="references", visible=False)
    origin_alone = django_tables2.Column(verbose_name="Origin", accessor="origin", visible=False)
    address = django_tables2.Column(verbose_name="Address", visible=False)

    def render_at(self, record: AuditEntry) -> str:
        return moment(record.at)

    def value_at(self, record: AuditEntry) -> datetime:
        return record.at

    def render_actor(self, record: AuditEntry) -> str:
        return f"{record.actor} ({record.actor.username})" if record.actor else "Not signed in"

    def render_action(self, record: AuditEntry) -> str:
        what = record.get_action_display()
        return what if record.rows is None else f"{what}: {counted(record.rows, 'row,rows')}"

    def value_action(self, record: AuditEntry) -> str:
        return record.get_action_display()

    def render_purpose(self, record: AuditEntry) -> str:
        return record.get_purpose_display()

    def render_references(self, record: AuditEntry) -> str:
        shown = ", ".join(record.references[:SHOWN_REFERENCES])
        more = len(record.references) - SHOWN_REFERENCES
        if more > 0:
            shown = f"{shown} and {counted(more, 'other,others')}"
        # A trial's reference says already what it is: "trial 3".
        is_said = not shown or shown.startswith(f"{record.subject} ")
        return shown or record.subject if is_said else f"{record.subject}: {shown}"

    def value_references(self, record: AuditEntry) -> str:
        return f"{record.subject}: {'; '.join(record.references)}" if record.references else record.subject

    def value_recipients(self, record: AuditEntry) -> str:
        return "; ".join(record.recipients)

    def value_action_stored(self, record: AuditEntry) -> str:
        return record.action

    def value_purpose_stored(self, record: AuditEntry) -> str:
        return record.purpose

    def value_references_alone(self, record: AuditEntry) -> str:
        return "; ".join(record.references)

    def render_fields(self, record: AuditEntry) -> str:
        return spoken(", ".join(record.fields))

    def value_fields(self, record: AuditEntry) -> str:
        return ", ".join(record.fields)

    def render_origin(self, record: AuditEntry) -> str:
        return spoken(self.value_origin(record))

    def value_origin(self, record: AuditEntry) -> str:
        return f"{record.origin}, {record.address}" if record.address else record.origin

    def render_request_id(self, record: AuditEntry) -> SafeString:
        return format_html(
            '<a href="{}">What changed<span class="govuk-visually-hidden">: {}, {}</span></a>',
            reverse("audit_request", args=[record.request_id]),
            record.get_action_display(),
            moment(record.at),
        )

    def value_request_id(self, record: AuditEntry) -> str:
        return str(record.request_id)
