"""Whether two reports may be of one offence. No Django."""

from datetime import datetime, timedelta
from typing import Protocol

WITHIN = timedelta(hours=3)


class Reported(Protocol):
    """What is compared; ``occurred_at`` may be unknown."""

    @property
    def offence(self) -> str: ...

    @property
    def reported_at(self) -> datetime: ...

    @property
    def occurred_at(self) -> datetime | None: ...


def may_be_one(one: Reported, other: Reported) -> bool:
    """The same offence by name, at most three hours apart: as committed, or as reported if unknown."""
    name = _folded(one.offence)
    return bool(name) and name == _folded(other.offence) and _apart(one, other) <= WITHIN


def why_no_duplicate(*, own: str, other: str) -> str:
    """Why a report is no duplicate of the other, by their references; empty where it can be one."""
    if not other:
        return "Say of which report it is a duplicate: choose one, or type its crime reference."
    return "That is this report itself: say of which other it is a duplicate." if other == own else ""


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _apart(one: Reported, other: Reported) -> timedelta:
    if one.occurred_at and other.occurred_at:
        return abs(one.occurred_at - other.occurred_at)
    return abs(one.reported_at - other.reported_at)
