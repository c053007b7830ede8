"""What is assumed of a trial before it begins: its size, its rates, and what weakens it. Pure.

A rate is a share from 0 to 1, and a pair is always SRC, then control.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

from referrals.rules.trial.allocation import MOST_UNITS

_LARGEST_SHARE = 9

Pair = tuple[float, float]


class ImpossibleAssumption(ValueError):
    """Nothing can be worked out from this; says in one sentence what to change."""


@dataclass(frozen=True)
class Assumed:
    """The assumptions. Raises :class:`ImpossibleAssumption`.

    ``units``: allocated in all, in the ``ratio`` SRC to control. ``control_rate``, ``src_rate``: the share
    with the outcome where there is no contact, and where there is. ``complied``: the share of the SRC arm
    that gets its contact; ``contaminated``: of the control arm that gets it by accident. ``lost``: the share
    of either arm whose outcome is unknown at lock, whatever it is. ``alpha``: of both sides together, or
    ``one_sided`` of the side on which ``src_rate`` lies.
    """

    units: int
    control_rate: float
    src_rate: float
    ratio: tuple[int, int] = (1, 1)
    complied: float = 1.0
    contaminated: float = 0.0
    lost: float = 0.0
    alpha: float = 0.05
    one_sided: bool = False

    def __post_init__(self) -> None:
        """Nothing exists that has no power."""
        for is_wrong, sentence in _problems(self):
            if is_wrong:
                raise ImpossibleAssumption(sentence)

    @property
    def whole(self) -> int:
        """The least number of units that can be split exactly in the ratio."""
        return sum(self.ratio)

    @property
    def falls(self) -> bool:
        """Whether the contact is assumed to lower the rate."""
        return self.src_rate < self.control_rate

    @property
    def per_arm(self) -> tuple[int, int]:
        """Units allocated to each arm; what the ratio leaves over goes to control."""
        src = self.units * self.ratio[0] // self.whole
        return src, self.units - src

    @property
    def known(self) -> Pair:
        """Units of each arm whose outcome is expected to be known at lock."""
        src, control = self.per_arm
        return src * (1 - self.lost), control * (1 - self.lost)

    @property
    def diluted(self) -> Pair:
        """The rates of the arms as allocated."""
        return self.diluted_at(self.src_rate)

    def diluted_at(self, src_rate: float) -> Pair:
        """The same if that were the rate with contact.

        An arm is a mixture of who gets the contact and who does not, so both arms move. Who gets it is
        assumed to be no likelier than others to have the outcome.
        """
        gained = src_rate - self.control_rate
        return self.control_rate + self.complied * gained, self.control_rate + self.contaminated * gained


def _problems(assumed: Assumed) -> Iterator[tuple[bool, str]]:
    """What may be wrong, in an order in which each may rely on those before. Written so that NaN is wrong."""
    yield (
        not all(1 <= share <= _LARGEST_SHARE for share in assumed.ratio),
        f"Each part of the ratio must be from 1 to {_LARGEST_SHARE}, so that each arm gets somebody.",
    )
    yield gcd(*assumed.ratio) > 1, "Write the ratio in its lowest terms: 1:1, not 2:2."
    yield (
        assumed.units < assumed.whole,
        f"Plan at least {assumed.whole} cases, one for each part of the ratio.",
    )
    yield assumed.units > MOST_UNITS, f"Plan at most {MOST_UNITS:,} cases."
    for who, rate in (("without", assumed.control_rate), ("with", assumed.src_rate)):
        yield not 0.001 <= rate <= 0.999, f"The rate {who} contact must be from 0.1% to 99.9%."
    yield (
        not 0.001 <= assumed.complied <= 1,
        "The share of SRC cases that get their contact must be from 0.1% to 100%.",
    )
    yield (
        not 0 <= assumed.contaminated < 1,
        "The share of control cases that get the contact must be from 0% to less than 100%.",
    )
    yield (
        assumed.complied <= assumed.contaminated,
        "More of the SRC cases than of the control cases must get the contact, or nothing is compared.",
    )
    yield not 0 <= assumed.lost <= 0.99, "The share of unknown outcomes must be from 0% to 99%."
    yield not 0.001 <= assumed.alpha <= 0.2, "The significance level must be from 0.1% to 20%; 5% is usual."
