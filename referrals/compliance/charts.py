"""Charts as SVG, drawn on the server: no script runs in the browser, and the picture prints."""

import hashlib
import json
from collections.abc import Sequence
from statistics import median
from threading import Thread
from typing import Any

import structlog
from django.core.cache import cache

from referrals.compliance.readers.contact import Week

log = structlog.get_logger()
BLUE, GREY = "#1d70b8", "#505a5f"
KEPT_FOR = 24 * 60 * 60


def weekly_chart(weeks: Sequence[Week]) -> str:
    """Share of due referrals contacted in time, by week of due date; as SVG."""
    points = [(f"{week.monday.day} {week.monday:%b}", week.share) for week in weeks]
    return share_chart(points, title="Week of due date")


def share_chart(points: Sequence[tuple[str, float]], *, title: str) -> str:
    """Shares from 0 to 1 in the order given, each with its label, and their median dashed; as SVG."""
    drawn = [
        {"label": label, "share": share, "order": number} for number, (label, share) in enumerate(points)
    ]
    return _drawn_once(drawn, title)


def warm_up() -> Thread:
    """Starts the renderer beside whatever else this process does; returns the thread that does it.

    The first chart of a process takes two seconds, nearly all of them for starting: nobody should wait for
    that. Should it fail, charts are drawn as before, and whoever asks for one meets what is wrong.
    """
    # A process that is told to end does not wait for it.
    thread = Thread(target=_draw_for_nobody, name="warm-up of charts", daemon=True)
    thread.start()
    return thread


def _draw_for_nobody() -> None:
    try:
        _draw([{"label": "1 Jan", "share": 0.5, "order": 0}], "Week")
    except Exception:
        log.exception("the renderer of charts did not start")


def _drawn_once(points: list[dict[str, Any]], title: str) -> str:
    """Drawing takes half a second and more; the same points give the same picture."""
    digest = hashlib.sha256(json.dumps([title, points]).encode()).hexdigest()
    key = f"chart:{digest}"
    drawn: str | None = cache.get(key)
    if drawn is None:
        drawn = _draw(points, title)
        cache.set(key, drawn, KEPT_FOR)
    return drawn


def _draw(points: list[dict[str, Any]], title: str) -> str:
    # Slow to import, and only a process that draws needs them: of those that serve pages, see ``warm_up``.
    import altair
    import vl_convert

    base = altair.Chart(altair.InlineData(values=points))
    x = altair.X("label:O", sort=altair.SortField("order"), title=title, axis=altair.Axis(labelAngle=0))
    y = altair.Y(
        "share:Q",
        title=None,
        scale=altair.Scale(domain=[0, 1]),
        axis=altair.Axis(format="%", tickCount=5),
    )
    line = base.mark_line(color=BLUE, strokeWidth=2.5, point={"filled": True, "size": 60, "color": BLUE})
    middle = median(point["share"] for point in points) if points else 0
    rule = altair.Chart(altair.InlineData(values=[{"share": middle}])).mark_rule(
        color=GREY, strokeDash=[6, 4]
    )
    chart = (rule.encode(y=y) + line.encode(x=x, y=y)).properties(width=620, height=240)
    chart = chart.configure(font="Arial, Helvetica, sans-serif").configure_axis(
        labelFontSize=14, titleFontSize=14
    )
    return vl_convert.vegalite_to_svg(chart.to_dict())
