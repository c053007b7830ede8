"""Moments and lengths of time in words."""

from datetime import timedelta

import pytest

from src_app.templatetags.words import ago, due_words, every
from tests.factories import NOW


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(minutes=40), "due in 40 minutes"),
        (timedelta(hours=47, minutes=59), "due in 47 hours"),
        (timedelta(hours=48), "due in 2 days"),
        (timedelta(hours=49), "due in 2 days 1 hour"),
        (timedelta(hours=71, minutes=59), "due in 2 days 23 hours"),
        (timedelta(days=6, hours=23), "due in 6 days 23 hours"),
        (timedelta(days=7, hours=23), "due in 7 days"),
        (-timedelta(minutes=1), "1 minute overdue"),
        (-timedelta(hours=71), "2 days overdue"),
    ],
)
def test_time_left_is_told_as_exactly_as_it_is_needed(left: timedelta, words: str) -> None:
    assert due_words(NOW + left, NOW) == words


def test_how_long_ago_is_told_in_whole_minutes_hours_and_days() -> None:
    lengths = (timedelta(seconds=59), timedelta(minutes=1), timedelta(hours=22), timedelta(days=3))
    assert [ago(NOW - length, NOW) for length in lengths] == [
        "less than a minute ago",
        "1 minute ago",
        "22 hours ago",
        "3 days ago",
    ]
    assert ago(None, NOW) == ""


def test_an_interval_is_told_as_people_say_it() -> None:
    lengths = (timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(days=1), None)
    assert [every(length) for length in lengths] == [
        "every 30 seconds",
        "every 5 minutes",
        "every hour",
        "every day",
        "when asked",
    ]
