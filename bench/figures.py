"""Times of one thing, and how they are told: the middle, the best, and the half that lies between."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any


def _at_any_depth(run: Callable[[], Any]) -> None:
    """Calls it so that its time does not depend on how deep in other calls it stands.

    CPython keeps the frames of calls in pieces of 16 KB. A call that needs the next piece gets it from the
    operating system and gives it back as it ends: 8 microseconds instead of 0.03, and a page makes perhaps
    a thousand calls at just that depth. This one takes a piece of 1 MB, with room for some 250 KB of calls;
    it costs 10 microseconds itself.
    """
    run()


_at_any_depth.__code__ = _at_any_depth.__code__.replace(co_stacksize=100_000)


@dataclass
class Times:
    """Seconds of each repetition."""

    seconds: list[float] = field(default_factory=list)

    def time(self, run: Callable[[], Any]) -> None:
        """Runs it once more."""
        began = time.perf_counter()
        _at_any_depth(run)
        self.seconds.append(time.perf_counter() - began)

    @property
    def middle(self) -> float:
        """The median: of a machine that others use too, neither the best moment nor the worst."""
        return median(self.seconds)

    def to(self, *others: "Times") -> float:
        """How often the time of the others together: the median over the rounds, each by itself.

        A moment in which the machine is slow meets both sides of a round.
        """
        rounds = zip(self.seconds, *(other.seconds for other in others), strict=True)
        ratios = [own / sum(beside) for own, *beside in rounds]
        return float(median(ratios))

    def as_json(self) -> dict[str, float]:
        """In milliseconds; a quarter of the repetitions lie below ``lower``, a quarter above ``upper``."""
        lower, _, upper = quantiles(self.seconds, n=4) if len(self.seconds) > 1 else self.seconds * 3
        told = {"median": self.middle, "fastest": min(self.seconds), "lower": lower, "upper": upper}
        return {name: round(value * 1_000, 3) for name, value in told.items()}


def interleaved(
    runs: Sequence[Callable[[], Any]], repetitions: int, before: Sequence[Callable[[], Any]] = ()
) -> list[Times]:
    """Times of each, taken in turn, so that what slows the machine down meets them all alike.

    The first of ``before`` is called, untimed, before the first run, and so on.
    """
    times = [Times() for _ in runs]
    gc.collect()
    for _ in range(repetitions):
        for number, (run, taken) in enumerate(zip(runs, times, strict=True)):
            if number < len(before):
                before[number]()
            taken.time(run)
    return times
