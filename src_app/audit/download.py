"""The audit log as CSV, row by row."""

import csv
from collections.abc import Iterable, Iterator

from django.utils import timezone

from src_app.audit.models import AuditEntry
from src_app.cells import harmless

HEADINGS = (
    "at",
    "account",
    "name",
    "action",
    "purpose",
    "subject",
    "references",
    "fields",
    "recipients",
    "origin",
    "address",
    "request_id",
)


class _Line:
    """What csv writes to: hands the line back."""

    def write(self, line: str) -> str:
        return line


def lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """The headings, then a line for each entry."""
    writer = csv.writer(_Line())
    yield writer.writerow(HEADINGS)
    for entry in entries:
        yield writer.writerow(harmless(cell) for cell in _cells(entry))


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    return (
        timezone.localtime(entry.at).isoformat(),
        entry.actor.username if entry.actor else "",
        entry.actor.display_name if entry.actor else "",
        entry.action,
        entry.purpose,
        entry.subject,
        "; ".join(entry.references),
        "; ".join(entry.fields),
        "; ".join(entry.recipients),
        entry.origin,
        entry.address or "",
        str(entry.request_id),
    )
