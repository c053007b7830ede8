"""Flags to set and to take off, as tables."""

from datetime import datetime

import django_tables2
from django.utils.html import format_html
from django.utils.safestring import SafeString

from referrals.contact.tables import linked
from referrals.models import Referral
from src_app.lists.tables import ListTable
from src_app.templatetags.words import moment


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
    """Referrals whose flag has to go, or may have been set and then has to."""

    ticked = django_tables2.Column(verbose_name="Flag is off", accessor="case__crime_reference")
    here = django_tables2.Column(
        verbose_name="Confirmed here", accessor="flag_confirmed_at", empty_values=(), orderable=False
    )
    told = django_tables2.Column(verbose_name="Ruled out", accessor="ruled_out_since")

    def render_here(self, value: datetime | None) -> str:
        return moment(value) if value else "No: look whether it is set"

    def value_here(self, value: datetime | None) -> datetime | str:
        return value or ""
