"""The run chart's picture."""

import threading
import xml.etree.ElementTree as ElementTree
from datetime import date, timedelta
from queue import Queue
from typing import Any

import pytest
import vl_convert
from structlog.testing import capture_logs

from referrals.compliance import charts
from referrals.compliance.charts import warm_up, weekly_chart
from referrals.compliance.readers.contact import Week
from src_app import gunicorn_settings
from tests.patience import patience

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


def test_a_web_process_draws_one_chart_beside_its_work_before_anybody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawing: Queue[threading.Thread] = Queue()

    def draw(_chart: dict[str, Any]) -> str:
        drawing.put(threading.current_thread())
        return "<svg></svg>"

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", draw)
    gunicorn_settings.post_worker_init(None)
    thread = drawing.get(timeout=patience(60))
    thread.join()
    assert thread is not threading.main_thread()
    assert drawing.empty()


def test_a_renderer_that_does_not_start_is_logged_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_chart: dict[str, Any]) -> str:
        raise ValueError("no renderer")

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", fail)
    with capture_logs() as logs:
        warm_up().join()
    assert [entry["event"] for entry in logs] == ["the renderer of charts did not start"]
