"""When a referral is due, and how it stands: computed from its events, never counted by a nightly job.

``due`` sets the due time of every referral. ``standing`` is the definition which the SQL is tested against;
nothing that serves calls it. Pages count in the database, by ``standings`` and ``overdue`` of
``referrals/compliance/readers`` and by ``referrals/models/sql/counted_contacts.sql``: a change of the rule
changes all of them. ``docs/how-to.md`` lists the files.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

# What was said to be done by mistake can be undone by the same person for so long.
UNDONE_WITHIN = timedelta(hours=1)


class Standing(StrEnum):
    """How a referral stands towards its due time."""

    IN_TIME = "in_time"
    LATE = "late"
    OVERDUE = "overdue"
    NOT_YET_DUE = "not_yet_due"
    CLOSED_WITHOUT_CONTACT = "closed_without_contact"


def due(made_at: datetime, after: timedelta) -> datetime:
    """The due time, in UTC: a span of hours that pass, across weekends, holidays and clock changes."""
    # A sum in London's time would move the hands of the clock, and be an hour off where they were changed.
    return made_at.astimezone(UTC) + after


def standing(
    *, due_at: datetime, contacted_at: datetime | None, closed_at: datetime | None, at: datetime
) -> Standing:
    """How it stands at a moment. Contact at the due time itself is in time."""
    if contacted_at is not None:
        return Standing.IN_TIME if contacted_at <= due_at else Standing.LATE
    if closed_at is not None:
        return Standing.CLOSED_WITHOUT_CONTACT
    return Standing.OVERDUE if at > due_at else Standing.NOT_YET_DUE
