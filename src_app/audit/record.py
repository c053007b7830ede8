"""Writing the audit log, and knowing where an act comes from."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import pghistory
from django.utils import timezone

from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.commits import not_counted

MOST_REFERENCES = 1_000


@dataclass(frozen=True)
class Origin:
    """Where an act comes from: the page, command or task, its address and one id for all it causes."""

    name: str
    address: str | None = None
    request_id: uuid.UUID = field(default_factory=uuid.uuid4)


_origin: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


class NoOrigin(RuntimeError):
    """Something acts outside a request, task or command: open ``acting`` around it."""


def current_origin() -> Origin:
    """Where the present act comes from; raises :class:`NoOrigin`."""
    origin = _origin.get()
    if origin is None:
        raise NoOrigin("Wrap the call in src_app.audit.record.acting(…).")
    return origin


@contextmanager
def acting(
    name: str, *, by: User | None, address: str | None = None, request_id: uuid.UUID | None = None
) -> Iterator[Origin]:
    """Everything inside is recorded as done by ``by`` from ``name`` (``page overnight_review``).

    Sets the history rows' context too, so that a row the database wrote leads back to the same act.
    """
    origin = Origin(name=name, address=address, request_id=request_id or uuid.uuid4())
    token = _origin.set(origin)
    try:
        with pghistory.context(user=by.pk if by else None, request=str(origin.request_id), origin=name):
            yield origin
    finally:
        _origin.reset(token)


@dataclass(frozen=True)
class Act:
    """What an account did. ``rows``: how many a file held."""

    action: Action
    by: User | None
    purpose: Purpose
    subject: str
    references: Sequence[str] = ()
    fields: Iterable[str] = ()
    recipients: Iterable[str] = ()
    rows: int | None = None


def record(
    action: Action,
    *,
    by: User | None,
    purpose: Purpose,
    subject: str,
    references: Iterable[str] = (),
    fields: Iterable[str] = (),
    recipients: Iterable[str] = (),
    rows: int | None = None,
) -> None:
    """Writes what was done; call it in the transaction that does it. ``rows``: how many a file held."""
    record_each([Act(action, by, purpose, subject, list(references), fields, recipients, rows)])


def record_each(acts: Iterable[Act]) -> None:
    """Writes several acts in one statement; call it in the transaction that does them.

    References beyond 1,000 are written as further rows, so that no reference is left out.
    """
    origin, now = current_origin(), timezone.now()
    entries = [
        AuditEntry(
            at=now,
            actor=act.by,
            action=act.action,
            purpose=act.purpose,
            subject=act.subject,
            references=act.references[start : start + MOST_REFERENCES],
            fields=sorted(act.fields),
            recipients=sorted(act.recipients),
            rows=act.rows,
            origin=origin.name,
            address=origin.address,
            request_id=origin.request_id,
        )
        for act in acts
        for start in range(0, max(len(act.references), 1), MOST_REFERENCES)
    ]
    # Where this is a transaction of its own, it says that something was read.
    with not_counted():
        AuditEntry.objects.bulk_create(entries)
