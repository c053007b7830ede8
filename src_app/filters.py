"""Filters that several lists share."""

from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone


def start_of(day: date) -> datetime:
    """The first moment of that day in London."""
    return timezone.make_aware(datetime.combine(day, time.min))


class _DayFilter(django_filters.DateFilter):  # type: ignore[misc]  # no types
    def __init__(self, *, field_name: str, label: str) -> None:
        super().__init__(
            field_name=field_name,
            label=label,
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        )


class FromDayFilter(_DayFilter):
    """From the start of a day in London."""

    def filter(self, qs: "QuerySet[Any]", value: date | None) -> "QuerySet[Any]":
        return qs.filter(**{f"{self.field_name}__gte": start_of(value)}) if value else qs


class ToDayFilter(_DayFilter):
    """To the end of a day in London."""

    def filter(self, qs: "QuerySet[Any]", value: date | None) -> "QuerySet[Any]":
        return qs.filter(**{f"{self.field_name}__lt": start_of(value + timedelta(days=1))}) if value else qs


def filtered(filterset: django_filters.FilterSet) -> "QuerySet[Any]":
    """What the filters leave; nothing where one of them cannot be understood, so that nobody is misled."""
    rows: QuerySet[Any] = filterset.qs
    return rows if filterset.is_valid() else rows.none()
