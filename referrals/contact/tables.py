"""Follow-ups as a table."""

from datetime import datetime

import django_tables2
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from referrals.models import OF_A_CASE, RING_AGAIN, FollowUp, FollowUpKind, Referral
from src_app.lists.tables import ActionColumn, ListTable, RowTemplateColumn, with_line
from src_app.templatetags.words import waited, weekday_moment

# Of these, nobody should wait long.
URGENT = (
    FollowUpKind.THREAT,
    FollowUpKind.NEW_OFFENCE,
    FollowUpKind.BARRED_METHOD,
    FollowUpKind.UNSAFE,
    FollowUpKind.TRANSFERRED,
    FollowUpKind.NOT_REACHED,
    *RING_AGAIN,
)

_OVERDUE = format_html('<strong class="app-overdue">{}</strong>', "Overdue")

# Raised by what somebody did here.
_RAISED_BY_HAND = (
    FollowUpKind.RESTRICTIONS_CHANGED,
    FollowUpKind.CONTACT_ELSEWHERE,
    FollowUpKind.NOT_REACHED,
    *RING_AGAIN,
)


class FollowUpTable(ListTable):
    """What somebody must act on, what referral or case it is about, and how long it has waited."""

    kind = RowTemplateColumn(
        template_name="contact/_follow_up.html",
        verbose_name="Follow-up",
        context_object_name="follow_up",
        extra_context={"urgent": URGENT},
    )
    number = django_tables2.Column(verbose_name="Referral or case", accessor="name")
    ward = django_tables2.Column(verbose_name="Ward", accessor="ward__name", visible=False)
    raised_at = django_tables2.Column(verbose_name="Raised")
    raised_by = django_tables2.Column(verbose_name="Raised by", visible=False)
    owner = django_tables2.Column(verbose_name="With", accessor="acknowledged_by", empty_values=())
    act = ActionColumn(
        "contact/_act.html", "Deal with it, or say that it is done", context_object_name="follow_up"
    )

    def value_kind(self, record: FollowUp) -> str:
        return str(record)

    def render_number(self, record: FollowUp) -> SafeString:
        referral = None if record.kind in OF_A_CASE else record.referral
        name = linked(referral) if referral else _leading_to_case(record)
        return with_line(name, record.ward.name if record.ward else "Ward not found")

    def value_number(self, record: FollowUp) -> str:
        return record.name

    def render_raised_at(self, record: FollowUp) -> SafeString:
        since = f"waiting {waited(record.raised_at, self.now)}, since {weekday_moment(record.raised_at)}"
        return with_line(self.render_raised_by(record), since)

    def value_raised_at(self, record: FollowUp) -> datetime:
        return record.raised_at

    def render_owner(self, record: FollowUp) -> SafeString | str:
        if record.acknowledged_at is None:
            by = f"to acknowledge by {weekday_moment(record.acknowledge_by)}"
            if record.acknowledge_by >= self.now:
                return with_line("Nobody yet", by)
            return format_html("{} {}", with_line("Nobody yet", by), _OVERDUE)
        return with_line(self.value_owner(record), f"since {weekday_moment(record.acknowledged_at)}")

    def value_owner(self, record: FollowUp) -> str:
        return str(record.acknowledged_by or "")

    def render_raised_by(self, record: FollowUp) -> str:
        by = str(record.raised_by)
        is_said_by = record.attempt_id or record.kind in _RAISED_BY_HAND
        return by if is_said_by else f"Crime record, imported by {by}"


def linked(referral: Referral) -> SafeString:
    """The referral's number, which leads to it."""
    address = reverse("referral", args=[referral.number])
    return format_html('<a href="{}">{}</a>', address, referral.number)


def _leading_to_case(follow_up: FollowUp) -> SafeString:
    """Its name, which leads to the case, where the victim can be referred now."""
    case_id = follow_up.referral.case_id if follow_up.referral else follow_up.case_id
    return format_html('<a href="{}">{}</a>', reverse("case", args=[case_id]), follow_up.name)
