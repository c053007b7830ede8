"""Extracts as a table."""

from datetime import datetime

import django_tables2
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from referrals.models import CaseImport
from src_app.lists.tables import NUMERIC, ListTable
from src_app.templatetags.words import moment, number


class ImportTable(ListTable):
    """Extracts, and what became of each."""

    uploaded_at = django_tables2.Column(verbose_name="Arrived")
    uploaded_by = django_tables2.Column(verbose_name="By")
    status = django_tables2.Column(verbose_name="What became of it")
    rows_read = django_tables2.Column(verbose_name="Rows", accessor="rows", attrs=NUMERIC)
    new = django_tables2.Column(verbose_name="New", attrs=NUMERIC)
    changed = django_tables2.Column(verbose_name="Changed", attrs=NUMERIC)
    unchanged = django_tables2.Column(verbose_name="Already here", attrs=NUMERIC)
    rejected = django_tables2.Column(verbose_name="Rejected", attrs=NUMERIC)

    def render_uploaded_at(self, record: CaseImport) -> SafeString:
        address = reverse("import_preview", args=[record.pk])
        return format_html('<a href="{}">{}</a>', address, moment(record.uploaded_at))

    def value_uploaded_at(self, record: CaseImport) -> datetime:
        return record.uploaded_at

    def render_uploaded_by(self, record: CaseImport) -> str | SafeString:
        by = _arrived_by(record)
        return format_html("{}<br>{}", by, record.file_name) if record.file_name else by

    def value_uploaded_by(self, record: CaseImport) -> str:
        return f"{_arrived_by(record)}: {record.file_name}" if record.file_name else _arrived_by(record)

    def render_status(self, record: CaseImport) -> str:
        return record.get_status_display()

    def render_rows_read(self, record: CaseImport) -> str:
        return number(record.rows) if record.rows else "Not counted"

    def render_new(self, record: CaseImport) -> str:
        return _of_rows(record, record.new)

    def render_changed(self, record: CaseImport) -> str:
        return _of_rows(record, record.changed)

    def render_unchanged(self, record: CaseImport) -> str:
        return _of_rows(record, record.unchanged)

    def render_rejected(self, record: CaseImport) -> str:
        return _of_rows(record, record.rejected)


def _arrived_by(record: CaseImport) -> str:
    by = record.get_source_display() if record.found else record.uploaded_by.display_name
    return f"{by}, {record.bcu.name}"


def _of_rows(record: CaseImport, count: int) -> str:
    return number(count) if record.rows else "–"
