"""Due times and standing."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from referrals.rules.deadlines import Standing, due, standing

DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize("zone", [UTC, LONDON])
@pytest.mark.parametrize(
    ("made_at", "due_at"),
    [
        (datetime(2026, 11, 23, 9, 0, tzinfo=UTC), datetime(2026, 11, 26, 9, 0, tzinfo=UTC)),
        # Summer time ends on 25 October: noon in London, then 11am there.
        (datetime(2026, 10, 24, 11, 0, tzinfo=UTC), datetime(2026, 10, 27, 11, 0, tzinfo=UTC)),
        # It begins on 29 March: noon in London, then 1pm there.
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), datetime(2026, 3, 31, 12, 0, tzinfo=UTC)),
        # Christmas is no pause.
        (datetime(2026, 12, 24, 16, 0, tzinfo=UTC), datetime(2026, 12, 27, 16, 0, tzinfo=UTC)),
    ],
)
def test_a_referral_is_due_72_hours_later_whatever_the_clocks_and_the_calendar_do(
    made_at: datetime, due_at: datetime, zone: tzinfo
) -> None:
    assert due(made_at.astimezone(zone), 72 * HOUR).astimezone(UTC) == due_at


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
