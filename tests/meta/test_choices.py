"""A field's list of words is named by its migration, never copied: a new word in a list is no migration."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import CharField
from django.db.models.enums import ChoicesType

from referrals.models import Notification
from src_app.choices import NamedChoices

APPS = {"accounts", "audit", "health", "referrals", "outcomes"}


def _choices(name: str, field: Any) -> Iterator[tuple[str, object]]:
    """What a migration keeps of the choices of a field, or of the field of which an array is made."""
    for each in (field, getattr(field, "base_field", None)):
        choices = each.deconstruct()[3].get("choices") if each is not None else None
        if choices is not None:
            yield name, choices


def _of_models() -> dict[str, object]:
    return dict(
        found
        for model in apps.get_models()
        if model._meta.app_label in APPS
        for field in model._meta.concrete_fields
        for found in _choices(f"{model._meta.label_lower}.{field.name}", field)
    )


def _of_migrations() -> dict[str, object]:
    return dict(
        found
        for (app, model), state in MigrationLoader(None).project_state().models.items()
        if app in APPS
        for name, field in state.fields.items()
        for found in _choices(f"{app}.{model}.{name}", field)
    )


def _is_named(choices: object) -> bool:
    owner = getattr(choices, "__self__", None)
    return isinstance(owner, type) and issubclass(owner, NamedChoices)


def test_every_field_with_choices_names_its_list() -> None:
    found = _of_models()
    assert [name for name, choices in found.items() if not _is_named(choices)] == []
    # Also an array's, and what history keeps.
    assert {"referrals.case.strands", "referrals.caseevent.restrictions", "audit.auditentry.action"} <= set(
        found
    )


def test_migrations_name_the_same_lists() -> None:
    """A proxy has the fields of the table it stands for, and its own in no migration."""
    proxies = {model._meta.label_lower for model in apps.get_models() if model._meta.proxy}
    of_models = {
        name: choices for name, choices in _of_models().items() if name.rpartition(".")[0] not in proxies
    }
    assert _of_migrations() == of_models


def test_a_new_word_in_a_list_is_taken_by_its_field_and_is_no_migration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longer = property(lambda cls: [*((word.value, word.label) for word in cls), ("new_word", "A new word")])
    monkeypatch.setattr(ChoicesType, "choices", longer)
    field = Notification._meta.get_field("kind")
    assert isinstance(field, CharField)
    assert ("new_word", "A new word") in field.flatchoices
    loader = MigrationLoader(None)
    autodetector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    assert APPS.isdisjoint(autodetector.changes(loader.graph))
