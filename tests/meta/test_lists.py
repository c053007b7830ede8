"""Every list keeps to the one way: its orders are an index's and end in the primary key."""

import importlib
from collections.abc import Iterator, Mapping

import pytest
from django.db.models import Field, Model
from django.urls import URLPattern, URLResolver, get_resolver

from src_app.lists.filters import Order, OrderFilter
from src_app.lists.page import ListPage


def _modules(resolver: URLResolver) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _modules(pattern)
        elif isinstance(pattern, URLPattern):
            yield pattern.callback.__module__


LISTS = {
    found.name: found
    for module in sorted(set(_modules(get_resolver())))
    for found in vars(importlib.import_module(module)).values()
    if isinstance(found, ListPage)
}
FILTERED = [name for name, found in LISTS.items() if found.filters]


def test_these_are_the_lists() -> None:
    assert sorted(LISTS) == [
        "audit",
        "cases",
        "compliance",
        "extracts",
        "flags-to-confirm",
        "flags-to-remove",
        "follow-ups",
        "overdue",
        "people",
        "wards",
    ]


def _orders(found: ListPage) -> OrderFilter:
    assert found.filters is not None
    order: OrderFilter = found.filters.base_filters["order"]
    return order


@pytest.mark.parametrize("name", FILTERED)
def test_every_order_ends_in_the_primary_key(name: str) -> None:
    orders: Mapping[str, Order] = _orders(LISTS[name]).orders
    assert len(orders) > 1
    for order in orders.values():
        assert order.keys[-1].lstrip("-") == "pk"


@pytest.mark.parametrize("name", FILTERED)
def test_every_order_is_an_indexs(name: str) -> None:
    found = LISTS[name].filters
    assert found is not None
    for order in _orders(LISTS[name]).orders.values():
        assert any(_gives(keys, order.keys) for keys in _indexes(found._meta.model)), order


def _indexes(model: type[Model]) -> Iterator[tuple[str, ...]]:
    """Keys of each index, with and without those that a scope or filter fixes; unique ones need no more."""
    for index in model._meta.indexes:
        keys = tuple(index.fields)
        yield from (keys[start:] for start in range(len(keys)))
    for field in model._meta.concrete_fields:
        if isinstance(field, Field) and field.unique:
            yield field.name, model._meta.pk.name


def _gives(index: tuple[str, ...], order: tuple[str, ...]) -> bool:
    """Whether walking the index, from either end, gives the order."""
    wanted = tuple(key.replace("pk", "id") for key in order)
    return wanted == index[: len(wanted)] or wanted == tuple(
        key[1:] if key.startswith("-") else f"-{key}" for key in index[: len(wanted)]
    )
