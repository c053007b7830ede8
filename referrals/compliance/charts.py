"""Charts as SVG, drawn on the server: no script runs in the browser, and the picture prints."""

import hashlib
import json
from collections.abc import Callable, Sequence
from statistics import median
from threading import Thread
from typing import Any

import structlog
from django.core.cache import cache

from referrals.compliance.readers.contact import Week
from referrals.compliance.readers.patterns import Funnel

log = structlog.get_logger()
BLUE, GREY = "#1d70b8", "#505a5f"
DASHED: dict[str, Any] = {"color": GREY, "strokeDash": [6, 4]}
KEPT_FOR = 24 * 60 * 60


def weekly_chart(weeks: Sequence[Week], begins: int = 0) -> str:
    """Share of due referrals contacted in time, by week of due date; as SVG.

    The median starts anew with the week at the place ``begins``.
    """
    points = [(f"{week.monday.day} {week.monday:%b}", week.share) for week in weeks]
    return share_chart(points, title="Week of due date", begins=begins)


def share_chart(points: Sequence[tuple[str, float]], *, title: str, begins: int = 0) -> str:
    """Shares from 0 to 1 in the order given, each with its label, and their median dashed; as SVG.

    Those from the place ``begins`` on have a median of their own.
    """
    drawn = [
        {"label": label, "share": share, "order": number, "part": int(number >= begins)}
        for number, (label, share) in enumerate(points)
    ]
    return _drawn_once(drawn, title, _draw)


def funnel_chart(funnel: Funnel) -> str:
    """Wards by their number of due referrals and share contacted in time, between the limits; as SVG."""
    limits = [
        {
            "number": limit.number,
            "share": getattr(limit, side),
            "side": side,
            "outer": side in ("low", "high"),
        }
        for limit in funnel.curve
        for side in ("low", "inner_low", "inner_high", "high")
    ]
    points = [
        {
            "number": each.row.contact.due,
            "share": each.row.contact.share,
            "name": each.row.ward.name if each.beyond else "",
        }
        for each in funnel.wards
    ]
    drawn = [{"points": points, "limits": limits, "middle": [{"share": funnel.share.share}]}]
    return _drawn_once(drawn, "Referrals due", _draw_funnel)


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
        _draw([{"label": "1 Jan", "share": 0.5, "order": 0, "part": 1}], "Week")
    except Exception:
        log.exception("the renderer of charts did not start")


Draw = Callable[[list[dict[str, Any]], str], str]


def _drawn_once(points: list[dict[str, Any]], title: str, draw: Draw) -> str:
    """Drawing takes half a second and more; the same points give the same picture."""
    digest = hashlib.sha256(json.dumps([draw.__name__, title, points]).encode()).hexdigest()
    key = f"chart:{digest}"
    drawn: str | None = cache.get(key)
    if drawn is None:
        drawn = draw(points, title)
        cache.set(key, drawn, KEPT_FOR)
    return drawn


def _draw(points: list[dict[str, Any]], title: str) -> str:
    # Slow to import, and only a process that draws needs them: of those that serve pages, see ``warm_up``.
    import altair

    base = altair.Chart(altair.InlineData(values=points))
    x = altair.X("label:O", sort=altair.SortField("order"), title=title, axis=altair.Axis(labelAngle=0))
    y = altair.Y(
        "share:Q",
        title=None,
        scale=altair.Scale(domain=[0, 1]),
        axis=altair.Axis(format="%", tickCount=5),
    )
    line = base.mark_line(color=BLUE, strokeWidth=2.5, point={"filled": True, "size": 60, "color": BLUE})
    parts = [[point for point in points if point["part"] == part] for part in (0, 1)]
    if not all(parts):
        middle = median(point["share"] for point in points) if points else 0
        rule = altair.Chart(altair.InlineData(values=[{"share": middle}])).mark_rule(**DASHED).encode(y=y)
    else:
        middles = [
            {**point, "share": median(each["share"] for each in part)} for part in parts for point in part
        ]
        segments = altair.Chart(altair.InlineData(values=middles)).mark_line(**DASHED)
        rule = segments.encode(x=x, y=y, detail="part:N")
    return _svg(rule + line.encode(x=x, y=y))


def _draw_funnel(points: list[dict[str, Any]], title: str) -> str:
    import altair

    data = points[0]
    x = altair.X("number:Q", title=title, axis=altair.Axis(tickMinStep=1, format="d"))
    y = altair.Y(
        "share:Q", title=None, scale=altair.Scale(domain=[0, 1]), axis=altair.Axis(format="%", tickCount=5)
    )
    limits = altair.Chart(altair.InlineData(values=data["limits"])).mark_line(color=GREY, strokeWidth=1.5)
    dash = altair.condition("datum.outer", altair.value([1, 0]), altair.value([6, 4]))
    wards = altair.Chart(altair.InlineData(values=data["points"]))
    middle = altair.Chart(altair.InlineData(values=data["middle"])).mark_rule(color=GREY).encode(y=y)
    names = wards.mark_text(align="left", dx=8, fontSize=14).encode(x=x, y=y, text="name:N")
    shown = wards.mark_point(filled=True, size=60, color=BLUE, opacity=0.8).encode(x=x, y=y)
    return _svg(limits.encode(x=x, y=y, detail="side:N", strokeDash=dash) + middle + shown + names)


def _svg(chart: Any) -> str:
    import vl_convert

    chart = chart.properties(width=620, height=240)
    chart = chart.configure(font="Arial, Helvetica, sans-serif").configure_axis(
        labelFontSize=14, titleFontSize=14
    )
    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return drawn
