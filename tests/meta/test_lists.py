"""Every list keeps to the one way: its orders are an index's and end in the primary key."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Field, Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRow

from src_app.accounts.models import User
from src_app.lists import tables
from src_app.lists.filters import Order, OrderFilter
from src_app.lists.page import ListPage
from tests import factories
from tests.conftest import World
from tests.meta.test_access import OWN
from tests.meta.test_consultations import Page, Scene


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
        "access",
        "attempts",
        "audit",
        "cases",
        "compliance",
        "counted",
        "extracts",
        "figures",
        "flags-to-confirm",
        "flags-to-remove",
        "follow-ups",
        "lacking",
        "overdue",
        "people",
        "teams",
        "ward-by-month",
        "ward-by-week",
        "ward-overdue",
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


@pytest.mark.usefixtures("clock")
def test_every_cell_but_a_templates_is_as_the_library_draws_it(
    world: World, people: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, drawn = set(), tables._drawn

    def compared(bound: BoundColumn) -> Callable[[BoundRow], Any]:
        draw = drawn(bound)

        def both(row: BoundRow) -> Any:
            cell = draw(row)
            if not isinstance(bound.column, tables.RowTemplateColumn):
                assert cell == row.get_cell(bound.name), bound.name
                if cell != bound.default:
                    seen.add((type(bound._table), bound.name))
            return cell

        return both

    monkeypatch.setattr(tables, "_drawn", compared)
    scene = Scene(world, people)
    scene.arguments(Page("import_preview", "GET"), OWN)
    # After all that the visits write, so that it stands on the first page.
    factories.AuditEntryFactory.create(fields=["ward"], at=factories.NOW + timedelta(minutes=1))
    address = reverse("compliance_ward", args=[world.wards[0].code])
    pages = {found.path for found in LISTS.values() if found.url_name != "compliance_ward"}
    for path in (*pages, address, f"{address}?by=month"):
        for role in ("hcop", "leader", "administrator", "auditor"):
            client = Client()
            client.force_login(people[role])
            client.get(path)
    assert seen == {
        (found.table, name)
        for found in LISTS.values()
        for name, column in found.table.base_columns.items()
        if column.visible and not isinstance(column, tables.RowTemplateColumn)
    }


@pytest.mark.parametrize("name", LISTS)
def test_a_cell_that_a_template_draws_has_a_value_for_files(name: str) -> None:
    table = LISTS[name].table
    for column_name, column in table.base_columns.items():
        if isinstance(column, tables.RowTemplateColumn) and not column.exclude_from_export:
            assert hasattr(table, f"value_{column_name}"), column_name
