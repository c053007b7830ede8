"""The run chart's picture."""

import xml.etree.ElementTree as ElementTree
from datetime import date, timedelta

import pytest

from referrals.compliance import charts
from referrals.compliance.charts import weekly_chart
from referrals.compliance.readers import Week

WEEKS = [Week(date(2026, 9, 7) + timedelta(weeks=n), 6 + n % 3, 10) for n in range(11)]


def test_the_chart_is_one_svg_that_fetches_and_runs_nothing() -> None:
    drawn = weekly_chart(WEEKS)
    root = ElementTree.fromstring(drawn)  # noqa: S314 - made by this test
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "<script" not in drawn
    assert "<image" not in drawn
    assert "@import" not in drawn
    assert drawn.count("http") == drawn.count("http://www.w3.org/")


def test_it_says_the_weeks_and_dashes_the_median() -> None:
    drawn = weekly_chart(WEEKS)
    assert "7 Sep" in drawn
    assert "16 Nov" in drawn
    assert "100%" in drawn
    assert "stroke-dasharray" in drawn
    assert "Arial, Helvetica, sans-serif" in drawn


def test_the_same_weeks_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[int] = []

    def draw(points: list[object], title: str) -> str:
        drawings.append(len(points))
        return f"<svg>{len(drawings)}</svg>"

    monkeypatch.setattr(charts, "_draw", draw)
    first = weekly_chart(WEEKS)
    assert weekly_chart(list(WEEKS)) == first
    assert weekly_chart(WEEKS[:-1]) != first
    assert weekly_chart([*WEEKS[:-1], Week(WEEKS[-1].monday, 1, 10)]) != first
    assert drawings == [11, 10, 11]


def test_no_weeks_draw_all_the_same() -> None:
    assert "<svg" in weekly_chart([])
