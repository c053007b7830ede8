"""Lists as tables: cases, flags, follow-ups, extracts, wards and people."""

from datetime import datetime

import django_tables2
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from referrals.directory import Person, WardRow
from referrals.models import Case, CaseImport, CaseState, FollowUp, FollowUpKind, Referral
from src_app.tables import NUMERIC, ActionColumn, ListTable
from src_app.templatetags.words import moment, number, waited, weekday_moment


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


class FlagTable(ListTable):
    """Referrals, each with a box to tick once its flag is set on the crime management system, or off it."""

    ticked = django_tables2.Column(accessor="case__crime_reference")
    number = django_tables2.Column(verbose_name="Referral")
    team = django_tables2.Column(verbose_name="Team", accessor="team__name")
    told = django_tables2.Column()

    def render_ticked(self, record: Referral) -> SafeString:
        return format_html(
            '<div class="govuk-checkboxes govuk-checkboxes--small"><div class="govuk-checkboxes__item">'
            '<input class="govuk-checkboxes__input" type="checkbox" name="referral" value="{}" id="tick-{}">'
            '<label class="govuk-label govuk-checkboxes__label" for="tick-{}">{}</label></div></div>',
            record.pk,
            record.pk,
            record.pk,
            record.case.crime_reference,
        )

    def value_ticked(self, record: Referral) -> str:
        return record.case.crime_reference

    def render_number(self, record: Referral) -> SafeString:
        return linked(record)

    def value_number(self, record: Referral) -> str:
        return record.number

    def render_told(self, value: datetime) -> str:
        return moment(value)

    def value_told(self, value: datetime) -> datetime:
        return value


class FlagsToConfirm(FlagTable):
    """Referrals whose flag is to be set."""

    ticked = django_tables2.Column(verbose_name="Flag is set", accessor="case__crime_reference")
    told = django_tables2.Column(verbose_name="Referred", accessor="made_at")


class FlagsToRemove(FlagTable):
    """Referrals whose flag has to go."""

    ticked = django_tables2.Column(verbose_name="Flag is off", accessor="case__crime_reference")
    told = django_tables2.Column(verbose_name="Ruled out", accessor="ruled_out_since")


# Of these, nobody should wait long.
URGENT = (
    FollowUpKind.THREAT,
    FollowUpKind.NEW_OFFENCE,
    FollowUpKind.BARRED_METHOD,
    FollowUpKind.TRANSFERRED,
)


class FollowUpTable(ListTable):
    """What somebody must act on, whose referral it is about, and how long it has waited."""

    kind = django_tables2.TemplateColumn(
        template_name="referrals/_follow_up.html",
        verbose_name="Follow-up",
        context_object_name="follow_up",
        extra_context={"urgent": URGENT},
    )
    number = django_tables2.Column(verbose_name="Referral", accessor="referral__number")
    ward = django_tables2.Column(verbose_name="Ward", accessor="referral__ward__name", visible=False)
    raised_at = django_tables2.Column(verbose_name="Raised")
    raised_by = django_tables2.Column(verbose_name="Raised by", visible=False)
    acknowledge = ActionColumn("referrals/_acknowledge.html", "Acknowledge", context_object_name="follow_up")

    def value_kind(self, record: FollowUp) -> str:
        return str(record)

    def render_number(self, record: FollowUp) -> SafeString:
        return with_line(linked(record.referral), record.referral.ward.name)

    def value_number(self, record: FollowUp) -> str:
        return record.referral.number

    def render_raised_at(self, record: FollowUp) -> SafeString:
        since = f"waiting {waited(record.raised_at, self.now)}, since {weekday_moment(record.raised_at)}"
        return with_line(self.render_raised_by(record), since)

    def value_raised_at(self, record: FollowUp) -> datetime:
        return record.raised_at

    def render_raised_by(self, record: FollowUp) -> str:
        by = str(record.raised_by)
        return by if record.attempt_id else f"Crime record, imported by {by}"


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
        address = reverse("import_fates", args=[record.pk])
        return format_html('<a href="{}">{}</a>', address, moment(record.uploaded_at))

    def value_uploaded_at(self, record: CaseImport) -> datetime:
        return record.uploaded_at

    def render_uploaded_by(self, record: CaseImport) -> str | SafeString:
        by = _arrived_by(record)
        return format_html("{}<br>{}", by, record.file_name) if record.file_name else by

    def value_uploaded_by(self, record: CaseImport) -> str:
        return f"{_arrived_by(record)}: {record.file_name}" if record.file_name else _arrived_by(record)

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


def linked(referral: Referral) -> SafeString:
    """The referral's number, which leads to it."""
    address = reverse("referral", args=[referral.number])
    return format_html('<a href="{}">{}</a>', address, referral.number)


def with_line(first: str, second: str) -> SafeString:
    """What matters, and a paler line under it."""
    return format_html('{} <span class="app-muted app-line">{}</span>', first, second)


class WardTable(ListTable):
    """Wards, each with its team and mode."""

    name = django_tables2.Column(verbose_name="Ward", accessor="ward__name")
    borough = django_tables2.Column(verbose_name="Borough", accessor="ward__borough__name")
    team = django_tables2.Column(verbose_name="Team", accessor="ward__team__name")
    mailbox = django_tables2.Column(verbose_name="Mailbox", accessor="ward__team__mailbox")
    mode = django_tables2.Column(verbose_name="Now")
    code = django_tables2.Column(verbose_name="Code", accessor="ward__code")

    def render_mode(self, record: WardRow) -> str:
        return record.mode


class PersonTable(ListTable):
    """Accounts, each with its role and where it belongs."""

    name = django_tables2.Column(verbose_name="Name", accessor="user__display_name")
    username = django_tables2.Column(verbose_name="User name", accessor="user__username")
    role = django_tables2.Column(verbose_name="Role", accessor="user__role")
    places = django_tables2.Column(verbose_name="Belongs to", empty_values=())
    active = django_tables2.Column(verbose_name="Can sign in", accessor="user__is_active")

    def render_role(self, record: Person) -> str:
        return record.user.get_role_display()

    def render_places(self, record: Person) -> str:
        return "; ".join(record.places) or "Nowhere"

    def render_active(self, record: Person) -> str:
        return "Yes" if record.user.is_active else "No"
