"""Every model field is declared personal, pseudonymous or free, in ``docs/data-register.csv``.

Event models follow the model they track. What is personal may be erased, so it may not live on in history or
in the audit log, which nothing is erased from.
"""

import csv
from collections.abc import Iterator
from typing import Any

import pghistory.models
import pytest
from django.apps import apps
from django.conf import settings

from src_app.audit.models import AuditEntry

REGISTER = settings.BASE_DIR / "docs" / "data-register.csv"
APPS = {"accounts", "audit", "health", "referrals", "outcomes"}
CLASSES = {"personal", "pseudonymous", "free"}


def _models() -> list[Any]:
    return [model for model in apps.get_models() if model._meta.app_label in APPS and not model._meta.proxy]


def _is_event(model: Any) -> bool:
    return issubclass(model, pghistory.models.Event)


def _fields(model: Any) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        yield f"{model._meta.label_lower}.{field.name}"


def _register() -> list[dict[str, str]]:
    with REGISTER.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def declared() -> dict[str, str]:
    """The class of each declared field."""
    return {line["field"]: line["class"] for line in _register()}


def test_each_line_has_a_class_and_a_reason_and_stands_once() -> None:
    lines = _register()
    assert len({line["field"] for line in lines}) == len(lines)
    for line in lines:
        assert line["class"] in CLASSES, line
        assert len(line["why"]) >= 10, line


def test_every_field_is_declared_and_every_line_is_a_field(declared: dict[str, str]) -> None:
    fields = {field for model in _models() if not _is_event(model) for field in _fields(model)}
    assert fields - set(declared) == set(), "fields not declared"
    assert set(declared) - fields == set(), "lines of no field"


def test_history_holds_no_personal_field(declared: dict[str, str]) -> None:
    for model in filter(_is_event, _models()):
        tracked = model.pgh_tracked_model
        own = {field.name for field in tracked._meta.concrete_fields}
        held = {field.name for field in model._meta.concrete_fields if field.name in own}
        personal = [name for name in held if declared[f"{tracked._meta.label_lower}.{name}"] == "personal"]
        assert not personal, f"{model.__name__} keeps {personal} for ever"
        unknown = {
            field.name
            for field in model._meta.concrete_fields
            if field.name not in own and not field.name.startswith("pgh_")
        }
        assert not unknown, f"{model.__name__} has fields its model has not"


def test_the_audit_log_holds_no_personal_field(declared: dict[str, str]) -> None:
    assert [field for field in _fields(AuditEntry) if declared[field] == "personal"] == []


def test_each_tracked_model_has_its_history(declared: dict[str, str]) -> None:
    """The test above would pass with no event model at all."""
    assert sum(_is_event(model) for model in _models()) >= 12


def test_free_text_about_a_person_is_in_the_erasable_table_alone() -> None:
    """An unbounded text field elsewhere would be a second place to erase."""
    texts = [
        field.name
        for model in _models()
        if not _is_event(model)
        for field in model._meta.concrete_fields
        if field.get_internal_type() == "TextField"
    ]
    assert texts == ["body"]
