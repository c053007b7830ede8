"""What a run chart shows beyond chance, in a sentence.

The rules of Perla, Provost and Murray (2011), "The run chart: a simple analytical tool for learning from
variation in healthcare processes", BMJ Quality and Safety 20(1): a shift is six or more points in a row on
one side of the median, a trend five or more in a row that all rise or all fall. Points on the median neither
add to a run nor break it, and a point equal to the one before adds nothing to a trend.
"""

from collections.abc import Sequence
from statistics import median

SHIFT = 6
TREND = 5
FEWEST = 8


def finding(shares: Sequence[float], of: str = "Contact in time") -> str:
    """The finding on the latest weeks, as a heading; shares are from 0 to 1, the oldest first."""
    if len(shares) < FEWEST:
        return f"{of}: too few weeks to tell a change from chance"
    trend = _latest_trend(shares)
    if abs(trend) >= TREND:
        return f"{of} has {'risen' if trend > 0 else 'fallen'} for {abs(trend)} weeks"
    shift = _latest_run(shares)
    if abs(shift) >= SHIFT:
        return f"{of} has been {'above' if shift > 0 else 'below'} its median for {abs(shift)} weeks"
    return f"{of} shows no clear change"


def _latest_run(shares: Sequence[float]) -> int:
    """Points of the last run on one side of the median; negative below it."""
    middle = median(shares)
    run = 0
    for share in reversed(shares):
        if share == middle:
            continue
        side = 1 if share > middle else -1
        if run * side < 0:
            break
        run += side
    return run


def _latest_trend(shares: Sequence[float]) -> int:
    """Points of the last rise or fall, its first point counted; negative for a fall."""
    steps = 0
    for later, earlier in zip(reversed(shares[1:]), reversed(shares[:-1]), strict=True):
        if later == earlier:
            continue
        direction = 1 if later > earlier else -1
        if steps * direction < 0:
            break
        steps += direction
    return steps + (steps > 0) - (steps < 0)
