"""In what order the wards of a trial begin, and on which day each. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from referrals.rules.trial.draws import draw

MOST_WARDS_A_STEP = 500
MOST_DAYS_BETWEEN = 365


class Order(Enum):
    """What decides which ward comes first."""

    BY_NAME = "by_name"
    AS_LISTED = "as_listed"
    DRAWN = "drawn"


@dataclass(frozen=True)
class Step:
    """The wards, by code, that begin on one day."""

    day: date
    wards: tuple[str, ...]


def order_of(key: bytes, wards: Sequence[str]) -> list[str]:
    """The wards' codes in the order that the key gives, each order as likely.

    The same for ever for a key and a set of codes, in whatever order they are given: Fisher and Yates's
    shuffle of the codes by code point (Durstenfeld 1964, "Algorithm 235: random permutation",
    Communications of the ACM 7(7)). Raises ValueError where a code stands twice.
    """
    if len(set(wards)) < len(wards):
        raise ValueError("A ward stands twice.")
    order = sorted(wards)
    for last in range(len(order) - 1, 0, -1):
        chosen = draw(key, ["ward", last], last + 1)
        order[last], order[chosen] = order[chosen], order[last]
    return order


def steps_of(
    wards: Sequence[str], *, first_day: date, wards_a_step: int, days_between: int
) -> tuple[Step, ...]:
    """So many wards a step, in their order; ``days_between`` is from the day of a step to that of the next.

    Raises ValueError for steps without a ward, or on one day.
    """
    if wards_a_step < 1 or days_between < 1:
        raise ValueError("A step has one ward or more, and a day of its own.")
    starts = range(0, len(wards), wards_a_step)
    return tuple(
        Step(first_day + timedelta(days=days_between * number), tuple(wards[start : start + wards_a_step]))
        for number, start in enumerate(starts)
    )
