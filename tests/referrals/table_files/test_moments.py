"""Dates and times as people and their systems write them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.table_files.moments import read_moment

EVENING = datetime(2026, 11, 22, 18, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment", "twice"),
    [
        ("22/11/2026 18:07", datetime(2026, 11, 22, 18, 7, tzinfo=UTC), False),
        ("01/07/2026 00:30", datetime(2026, 6, 30, 23, 30, tzinfo=UTC), False),
        # The clocks went back at 2am (summer time) on 30 October 2022: 1am to 2am came twice.
        ("30/10/2022 00:59", datetime(2022, 10, 29, 23, 59, tzinfo=UTC), False),
        ("30/10/2022 01:00", datetime(2022, 10, 30, 0, 0, tzinfo=UTC), True),
        ("30/10/2022 01:59", datetime(2022, 10, 30, 0, 59, tzinfo=UTC), True),
        ("30/10/2022 02:00", datetime(2022, 10, 30, 2, 0, tzinfo=UTC), False),
        ("29/02/2024 12:00", datetime(2024, 2, 29, 12, 0, tzinfo=UTC), False),
        (" 1/2/2026  9:05 ", datetime(2026, 2, 1, 9, 5, tzinfo=UTC), False),
        ("22/11/26 18:07", EVENING, False),
        ("22.11.2026 18:07", EVENING, False),
        ("22-11-2026, 18:07 hrs", EVENING, False),
        ("22-Nov-26 6:07 pm", EVENING, False),
        ("22 November 2026 at 18:07", EVENING, False),
        ("22nd Nov 2026 18:07:00", EVENING, False),
        ("2026-11-22 18:07", EVENING, False),
        ("2026-11-22T18:07:00Z", EVENING, False),
        ("2026-11-22T20:07:00.000+02:00", EVENING, False),
        ("46348.754861", EVENING, False),
        ("22/11/2026 1807", EVENING, False),
        ("22/11/2026 1807 hrs", EVENING, False),
        ("22.11.2026 18.07", EVENING, False),
        ("22/11/2026 12:30 am", datetime(2026, 11, 22, 0, 30, tzinfo=UTC), False),
        # With an offset the text is one moment, and the clock's going back no question.
        ("2022-10-30T01:30:00+01:00", datetime(2022, 10, 30, 0, 30, tzinfo=UTC), False),
    ],
)
def test_a_time_is_londons(text: str, moment: datetime, twice: bool) -> None:
    assert read_moment(text) == (moment, twice)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("31/02/2026 10:00", "no such date"),
        ("29/02/2026 10:00", "no such date"),
        ("00/11/2026 10:00", "no such date"),
        ("22/11/0000 10:00", "no such date"),
        ("22/11/2026 24:00", "no such date"),
        # The clocks went forward at 1am on 29 March 2026.
        ("29/03/2026 01:00", "no such time"),
        ("29/03/2026 01:59", "no such time"),
        ("22/11/2026", "Not a date and time"),
        ("22/11/2026 180", "Not a date and time"),
        ("22/11/2026 2460", "no such date"),
        ("22/11-2026 18:07", "Not a date and time"),
        ("22 Foo 2026 18:07", "Not a date and time"),
        ("11/22/2026 18:07", "no such date"),
        ("22/11/2026 13:07 pm", "no such date"),
        ("22/11/2026 18:60", "no such date"),
        ("2026-11-22T18:07+25:00", "no such date"),
        # What SQL Server writes for "no end".
        ("9999-12-31 23:59:59.997", "no such date"),
        ("9999-12-31T23:59:59.999Z", "no such date"),
        ("9999-12-31T23:59:00-14:00", "no such date"),
        ("0001-01-01T00:00:00+14:00", "no such date"),
        ("12345.5", "Not a date and time"),
        ("99999", "Not a date and time"),
        ("٢٢/١١/٢٠٢٦ ١٨:٠٧", "Not a date and time"),
    ],
)
def test_what_is_no_time_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_moment(text)


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001
def test_whatever_the_date_it_is_read_or_refused(local: datetime) -> None:
    text = f"{local.day:02}/{local.month:02}/{local.year:04} {local.hour:02}:{local.minute:02}"
    try:
        moment, _ = read_moment(text)
    except ValueError:
        return
    wall = local.replace(second=0, microsecond=0, tzinfo=UTC)
    assert abs(moment - wall) <= timedelta(hours=2)


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_a_sentence(text: str) -> None:
    with suppress(ValueError):
        assert read_moment(text)[0].tzinfo is UTC
