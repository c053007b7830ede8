"""The tables of compliance: who is overdue, and how each ward stands."""

import uuid
from datetime import date, datetime

import django_tables2
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from referrals.compliance.readers.contact import Span, WardContact
from referrals.contact.tables import linked
from referrals.models import Referral
from src_app.lists.tables import NUMERIC, ActionColumn, ListTable, with_line
from src_app.templatetags.words import day, of, waited, weekday_moment


class OverdueTable(ListTable):
    """Referrals whose due time has passed, with a reminder to send."""

    is_compact = True
    number = django_tables2.Column(verbose_name="Referral")
    due_at = django_tables2.Column(verbose_name="Overdue", exclude_from_export=True)
    since = django_tables2.Column(verbose_name="Overdue since", accessor="due_at", visible=False)
    ward = django_tables2.Column(verbose_name="Ward", accessor="ward__name")
    taken_by = django_tables2.Column(verbose_name="Taken by", default="Nobody")
    tries = django_tables2.Column(verbose_name="Attempts", attrs=NUMERIC)
    reminded_at = django_tables2.Column(verbose_name="Last reminder", visible=False)
    reminder = ActionColumn(
        "compliance/_reminder.html",
        "Reminder",
        context_object_name="referral",
        extra_context=lambda: {"key": uuid.uuid4()},
    )

    def render_number(self, record: Referral) -> SafeString:
        return linked(record)

    def value_number(self, record: Referral) -> str:
        return record.number

    def render_due_at(self, value: datetime) -> SafeString:
        return with_line(
            format_html('<strong class="app-overdue">{}</strong>', waited(value, self.now)),
            f"since {weekday_moment(value)}",
        )


class ContactTable(ListTable):
    """How referrals stand towards their due time: a row is anything that has a ``contact``."""

    is_compact = True
    due = django_tables2.Column(verbose_name="Due", accessor="contact__due", visible=False)
    in_time = django_tables2.Column(
        verbose_name="Contacted in time", accessor="contact__in_time", attrs=NUMERIC
    )
    late = django_tables2.Column(verbose_name="Late", accessor="contact__late", attrs=NUMERIC)
    closed = django_tables2.Column(
        verbose_name="Closed without contact", accessor="contact__closed_without_contact", attrs=NUMERIC
    )
    overdue = django_tables2.Column(verbose_name="Overdue", accessor="contact__overdue", attrs=NUMERIC)
    not_yet_due = django_tables2.Column(
        verbose_name="Not yet due", accessor="contact__not_yet_due", attrs=NUMERIC
    )
    stopped = django_tables2.Column(verbose_name="Clock stopped", accessor="contact__stopped", visible=False)

    def render_in_time(self, record: WardContact | Span) -> str:
        return of(record.contact.in_time, record.contact.due)

    def value_in_time(self, value: int) -> int:
        return value


class WardContactTable(ContactTable):
    """How the referrals of each ward stand."""

    code = django_tables2.Column(verbose_name="Ward code", accessor="ward__code", visible=False)
    ward = django_tables2.Column(verbose_name="Ward", accessor="ward__name")
    borough = django_tables2.Column(verbose_name="Borough", accessor="ward__borough__name")

    class Meta:
        sequence = ("code", "ward", "borough", "...")

    def render_ward(self, record: WardContact) -> SafeString:
        address = reverse("compliance_ward", args=[record.ward.code])
        return format_html('<a href="{}">{}</a>', address, record.ward.name)

    def value_ward(self, value: str) -> str:
        return value


class WeekTable(ContactTable):
    """How the referrals due in each week stand."""

    first = django_tables2.Column(verbose_name="Due in the week from")

    class Meta:
        sequence = ("first", "...")

    def render_first(self, value: date) -> str:
        return day(value)

    def value_first(self, value: date) -> date:
        return value


class MonthTable(WeekTable):
    """How the referrals due in each month stand."""

    first = django_tables2.Column(verbose_name="Due in")

    class Meta:
        sequence = ("first", "...")

    def render_first(self, value: date) -> str:
        return f"{value:%B %Y}"
