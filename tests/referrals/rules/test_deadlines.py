"""Due times and standing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from referrals.rules.deadlines import Standing, due, standing

DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_due_time_is_a_span_of_hours_even_across_the_end_of_summer_time() -> None:
    made = datetime(2026, 10, 24, 12, 0, tzinfo=ZoneInfo("Europe/London"))
    assert (due(made.astimezone(UTC), 72 * HOUR) - made.astimezone(UTC)) == 72 * HOUR


@pytest.mark.parametrize(
    ("contacted", "closed", "at", "expected"),
    [
        (DUE - HOUR, DUE - HOUR, DUE, Standing.IN_TIME),
        (DUE, DUE + HOUR, DUE + HOUR, Standing.IN_TIME),
        (DUE + HOUR, DUE + HOUR, DUE + 2 * HOUR, Standing.LATE),
        (None, DUE - HOUR, DUE - HOUR, Standing.CLOSED_WITHOUT_CONTACT),
        (None, DUE + HOUR, DUE + 2 * HOUR, Standing.CLOSED_WITHOUT_CONTACT),
        (None, None, DUE, Standing.NOT_YET_DUE),
        (None, None, DUE + timedelta(seconds=1), Standing.OVERDUE),
    ],
)
def test_standing_follows_from_the_events(
    contacted: datetime | None, closed: datetime | None, at: datetime, expected: Standing
) -> None:
    assert standing(due_at=DUE, contacted_at=contacted, closed_at=closed, at=at) == expected
