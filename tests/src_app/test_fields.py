"""Times as people type them, on the two nights on which the clocks change too."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from src_app.days import BEYOND
from src_app.fields import MomentField

FIELD = MomentField(required=False, input_formats=["%Y-%m-%dT%H:%M"])


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-11-23T07:30", datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
        ("2026-07-01T07:30", datetime(2026, 7, 1, 6, 30, tzinfo=UTC)),
        ("2026-10-25T01:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the earlier of two
        ("2026-10-25T02:00", datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
        ("2026-10-25T01:30:00+00:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-10-25T01:30:00+01:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("", None),
    ],
)
def test_a_time_is_the_one_that_londons_clock_shows(typed: str, moment: datetime | None) -> None:
    assert FIELD.clean(typed) == moment


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("2026-03-29T01:30", "There was no such time: the clocks went forward over it"),
        ("2026-02-30T10:00", "Enter a valid date/time"),
        ("1999-12-31T10:00", BEYOND),
        ("9999-12-31T23:59", BEYOND),
        ("0001-01-01T00:00", BEYOND),
        ("0001-01-01T00:00:00+14:00", BEYOND),
        ("9999-12-31T23:59:00-14:00", BEYOND),
    ],
)
def test_a_time_that_never_was_is_refused_in_one_sentence(typed: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FIELD.clean(typed)
