"""Filters that several lists share, and the orders that a list offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from src_app.accounts.models import User
from src_app.days import check_day


class ListFilter(django_filters.FilterSet):  # type: ignore[misc]  # no types
    """The filters of one list, as one account may choose among them."""

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        self.user = user
        super().__init__(*arguments, **options)


@dataclass(frozen=True)
class Order:
    """An order of a list: its words, and its keys, which an index holds and the primary key ends."""

    label: str
    keys: tuple[str, ...]


class OrderFilter(django_filters.ChoiceFilter):  # type: ignore[misc]  # no types
    """The orders that a list offers, by their names in the address; the first is the usual one."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        self.orders = orders
        super().__init__(
            label="Order", empty_label=None, choices=[(name, order.label) for name, order in orders.items()]
        )

    def filter(self, qs: "QuerySet[Any]", value: str | None) -> "QuerySet[Any]":
        order = self.orders[value] if value else next(iter(self.orders.values()))
        return qs.order_by(*order.keys)


def start_of(day: date) -> datetime:
    """The first moment of that day in London."""
    return timezone.make_aware(datetime.combine(day, time.min))


class _DayFilter(django_filters.DateFilter):  # type: ignore[misc]  # no types
    def __init__(self, *, field_name: str, label: str) -> None:
        super().__init__(
            field_name=field_name,
            label=label,
            validators=[check_day],
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
