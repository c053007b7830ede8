"""A watched folder, and whoever looks at it."""

from datetime import timedelta
from pathlib import Path

from referrals.intake.watched.folder import take_extracts
from src_app.accounts.models import User
from src_app.audit.models import AuditEntry
from tests.extracts import extract, row
from tests.factories import NOW

CONTENT = extract(row(1), row(2), row(3, reported_at="never"))
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
A_DAY = timedelta(hours=24)


class Clock:
    """Looks at the folder, each time so much later."""

    def __init__(self, by: User) -> None:
        self.by, self.at = by, NOW

    def look(self, after: timedelta = timedelta()) -> int:
        self.at += after
        return take_extracts(by=self.by, at=self.at)


def files(place: Path) -> list[str]:
    """Names of all files below the place, ``.taken`` too."""
    return sorted(path.name for path in place.rglob("*") if path.is_file())


def audited() -> list[str]:
    """Every act on record, in order."""
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
