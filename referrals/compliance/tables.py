"""The tables of compliance: who is overdue, and how each ward stands."""

import uuid
from datetime import date, datetime, timedelta

import django_tables2
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from referrals.compliance.readers.contact import STANDINGS, Span, WardContact
from referrals.compliance.readers.figures import Group, Took
from referrals.contact.tables import linked
from referrals.models import ContactAttempt, Referral
from referrals.rules.deadlines import standing
from src_app.lists.tables import NUMERIC, ActionColumn, ListTable, with_line
from src_app.templatetags.words import asking, day, moment, of, opening, waited, weekday_moment


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


Counted = WardContact | Span | Group


def _opening(record: Counted, standing: str, words: str | int) -> str:
    """The count as a link to the list of what it counts, where there is any and the account sees it."""
    address = asking(record.opens, f"list-standing={standing}")
    return opening(str(words), address, getattr(record.contact, standing))


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

    def render_in_time(self, record: Counted) -> str:
        return _opening(record, "in_time", of(record.contact.in_time, record.contact.due))

    def value_in_time(self, value: int) -> int:
        return value

    def render_late(self, record: Counted, value: int) -> str:
        return _opening(record, "late", value)

    def value_late(self, value: int) -> int:
        return value

    def render_closed(self, record: Counted, value: int) -> str:
        return _opening(record, "closed_without_contact", value)

    def value_closed(self, value: int) -> int:
        return value

    def render_overdue(self, record: Counted, value: int) -> str:
        return _opening(record, "overdue", value)

    def value_overdue(self, value: int) -> int:
        return value

    def render_not_yet_due(self, record: Counted, value: int) -> str:
        return _opening(record, "not_yet_due", value)

    def value_not_yet_due(self, value: int) -> int:
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


_HOUR = timedelta(hours=1)


def hours(length: timedelta | None) -> float | None:
    """The length in hours, to a tenth."""
    return None if length is None else round(length / _HOUR, 1)


def took_words(took: Took) -> str:
    """``21 hours, 9 in 10 within 63 (n = 140)``."""
    if took.median is None or took.nine_in_ten is None:
        return "none"
    return (
        f"{took.median / _HOUR:.0f} hours, 9 in 10 within {took.nine_in_ten / _HOUR:.0f} (n = {took.number})"
    )


class GroupTable(ContactTable):
    """How the referrals of each group stand, and how long decision and contact took."""

    name = django_tables2.Column(verbose_name="Of", empty_values=())
    decision = django_tables2.Column(verbose_name="Report to decision", accessor="steps__decision")
    contact = django_tables2.Column(verbose_name="Referral to contact", accessor="steps__contact")
    contact_median = django_tables2.Column(
        verbose_name="Hours to contact, median", accessor="steps__contact__median", visible=False
    )
    contact_nine = django_tables2.Column(
        verbose_name="Hours to contact, 9 in 10", accessor="steps__contact__nine_in_ten", visible=False
    )

    class Meta:
        sequence = ("name", "...")

    def render_name(self, record: Group) -> str:
        return record.name or day(date.fromordinal(record.key))

    def value_name(self, record: Group) -> str:
        return record.name or date.fromordinal(record.key).isoformat()

    def render_decision(self, record: Group, value: Took) -> str:
        return opening(took_words(value), asking(record.opens, "list-step=decision"), value.number)

    def value_decision(self, value: Took) -> str:
        return took_words(value)

    def render_contact(self, record: Group, value: Took) -> str:
        return opening(took_words(value), asking(record.opens, "list-step=contact"), value.number)

    def value_contact(self, value: Took) -> str:
        return took_words(value)

    def value_contact_median(self, value: timedelta) -> float | None:
        return hours(value)

    def value_contact_nine(self, value: timedelta) -> float | None:
        return hours(value)


class CountedTable(ListTable):
    """The referrals that a number counts."""

    is_compact = True
    number = django_tables2.Column(verbose_name="Referral")
    due_at = django_tables2.Column(verbose_name="Due")
    ward = django_tables2.Column(verbose_name="Ward", accessor="ward__name")
    stands = django_tables2.Column(verbose_name="How it stands", accessor="due_at")
    ended = django_tables2.Column(verbose_name="Ended", accessor="closed_at", visible=False)

    def render_number(self, record: Referral) -> SafeString:
        return linked(record)

    def value_number(self, record: Referral) -> str:
        return record.number

    def render_due_at(self, value: datetime) -> str:
        return weekday_moment(value)

    def value_due_at(self, value: datetime) -> datetime:
        return value

    def render_stands(self, record: Referral) -> str:
        return STANDINGS[
            standing(
                due_at=record.due_at,
                contacted_at=record.contacted_at,
                closed_at=record.closed_at,
                at=self.now,
                stopped_until=record.stopped_until,
            )
        ]

    def value_ended(self, value: datetime) -> datetime:
        return value


class AttemptTable(ListTable):
    """The attempts that a number counts; by whom is for the referral's own page."""

    is_compact = True
    made_at = django_tables2.Column(verbose_name="When")
    number = django_tables2.Column(verbose_name="Referral", accessor="referral__number")
    method = django_tables2.Column(verbose_name="Method")
    result = django_tables2.Column(verbose_name="Result")

    def render_made_at(self, value: datetime) -> str:
        return moment(value)

    def value_made_at(self, value: datetime) -> datetime:
        return value

    def render_number(self, record: ContactAttempt) -> SafeString:
        return linked(record.referral)

    def value_number(self, value: str) -> str:
        return value

    def render_method(self, record: ContactAttempt) -> str:
        return record.get_method_display()

    def render_result(self, record: ContactAttempt) -> str:
        return record.get_result_display()
