"""Reading the audit log: for the auditor, and nobody else."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pghistory.models
from django.apps import apps
from django.db.models import Max, Min, QuerySet

from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import AuditEntry

# A request is over long before: tasks have ten minutes.
_LONGEST = timedelta(hours=1)


def entries_visible_to(user: User) -> QuerySet[AuditEntry]:
    """The whole log, the latest first."""
    if not user.can(Permission.VIEW_AUDIT):
        return AuditEntry.objects.none()
    return AuditEntry.objects.select_related("actor").order_by("-at", "-pk")


# By the labels that the database gives a row of history.
_CHANGES = {"insert": "Made", "update": "Changed", "delete": "Deleted"}


@dataclass(frozen=True)
class Change:
    """One row of history: which record, and the names of the fields that changed; never a value."""

    at: datetime
    model: str
    row: str
    label: str
    fields: list[str]

    @property
    def words(self) -> str:
        """What became of the record."""
        return _CHANGES.get(self.label, self.label)


def changes_of(user: User, request_id: uuid.UUID) -> list[Change]:
    """What one request, task or command changed, in order of time; two queries for each kind of record."""
    when = entries_visible_to(user).filter(request_id=request_id).aggregate(first=Min("at"), last=Max("at"))
    if when["first"] is None:
        return []
    found = [
        change
        for model in _event_models()
        for change in _changes(model, request_id, when["first"] - _LONGEST, when["last"] + _LONGEST)
    ]
    return sorted(found, key=lambda change: change.at)


def _event_models() -> Iterator[Any]:
    for model in apps.get_models():
        if issubclass(model, pghistory.models.Event) and model._meta.managed and not model._meta.proxy:
            yield model


def _changes(model: Any, request_id: uuid.UUID, first: datetime, last: datetime) -> Iterator[Change]:
    events = list(
        model.objects.filter(
            pgh_created_at__range=(first, last), pgh_context__request=str(request_id)
        ).order_by("pk")
    )
    if not events:
        return
    names = [field.attname for field in model._meta.concrete_fields if not field.name.startswith("pgh_")]
    earlier = defaultdict(list)
    history = model.objects.filter(
        pgh_obj__in={event.pgh_obj_id for event in events}, pk__lte=events[-1].pk
    ).order_by("pk")
    for event in history:
        earlier[event.pgh_obj_id].append(event)
    for event in events:
        before = [one for one in earlier[event.pgh_obj_id] if one.pk < event.pk]
        yield Change(
            at=event.pgh_created_at,
            model=str(model.pgh_tracked_model._meta.verbose_name),
            row=str(event.pgh_obj_id),
            label=event.pgh_label,
            fields=[
                name for name in names if not before or getattr(before[-1], name) != getattr(event, name)
            ],
        )
