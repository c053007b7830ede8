"""What became of the units of a trial, counted by arm. Pure: from the rows of a data set and the plan.

Arms are compared as they were allocated, whatever was delivered. Plain arithmetic: how far chance alone would
bring two arms apart is a question for the evaluation. It is not among the readers because it reads nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from referrals.rules.trial.allocation import Arm
from referrals.rules.trial.analysis import OpenCases, Outcome, Plan
from referrals.rules.trial.draws import Canonical

DataRow = Mapping[str, Any]

_LABELS = {
    Outcome.ATTRITION: "Victim withdrew support (attrition)",
    Outcome.CHARGE: "Charge",
    Outcome.POSITIVE: "Positive outcome",
}


@dataclass(frozen=True)
class Counts:
    """Units, how many of their cases were closed, and with which outcome; a case may count for several."""

    units: int = 0
    closed: int = 0
    attrition: int = 0
    charge: int = 0
    positive: int = 0

    def of(self, outcome: Outcome) -> int:
        """How many had that outcome."""
        return int(getattr(self, outcome.value))

    def denominator(self, plan: Plan) -> int:
        """Of how many, as the plan treats open cases: all units, or closed ones alone."""
        return self.closed if plan.open_cases is OpenCases.LEFT_OUT else self.units


def counted(codes: Iterable[int | None], plan: Plan) -> Counts:
    """Counts of units by the outcome code of each (none: open), as the plan's definitions have it."""
    found = list(codes)
    closed = [code for code in found if code is not None]
    measures = {name: sum(code in codes for code in closed) for name, codes in plan.codes.items()}
    return Counts(units=len(found), closed=len(closed), **measures)


@dataclass(frozen=True)
class Share:
    """A number of cases out of all that are counted."""

    number: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, from 0 to 1; ``None`` where nothing is counted."""
        return self.number / self.of if self.of else None


@dataclass(frozen=True)
class Comparison:
    """One outcome in both arms: SRC against usual service."""

    outcome: Outcome
    src: Share
    control: Share

    @property
    def label(self) -> str:
        """The outcome in words."""
        return _LABELS[self.outcome]

    @property
    def risk_difference(self) -> float | None:
        """Share of SRC less share of control, from -1 to 1; none where an arm has nobody to count."""
        if self.src.value is None or self.control.value is None:
            return None
        return self.src.value - self.control.value

    @property
    def points(self) -> float | None:
        """The risk difference in percentage points."""
        return None if self.risk_difference is None else 100 * self.risk_difference

    @property
    def risk_ratio(self) -> float | None:
        """Share of SRC by share of control; none where an arm has nobody to count, or control no case."""
        if self.src.value is None or not self.control.value:
            return None
        return self.src.value / self.control.value


@dataclass(frozen=True)
class ByArm:
    """The counts of both arms, and the plan that they were counted by."""

    src: Counts
    control: Counts
    plan: Plan

    def compared(self, outcome: Outcome) -> Comparison:
        """The outcome in both arms, over the plan's denominator."""
        src, control = (
            Share(counts.of(outcome), counts.denominator(self.plan)) for counts in (self.src, self.control)
        )
        return Comparison(outcome, src, control)

    @property
    def primary(self) -> Comparison:
        """The plan's primary outcome."""
        return self.compared(self.plan.primary)

    @property
    def secondary(self) -> list[Comparison]:
        """The plan's other outcomes."""
        return [self.compared(outcome) for outcome in self.plan.secondary]

    @property
    def compared_outcomes(self) -> list[Comparison]:
        """The primary outcome, then the others."""
        return [self.primary, *self.secondary]

    @property
    def document(self) -> dict[str, Canonical]:
        """The counts, to be kept."""
        return {Arm.SRC.value: asdict(self.src), Arm.CONTROL.value: asdict(self.control)}


def by_arm(rows: Iterable[DataRow], plan: Plan) -> ByArm:
    """Counts by arm of a data set's rows."""
    codes: dict[str, list[int | None]] = {arm.value: [] for arm in Arm}
    for row in rows:
        codes[row["arm"]].append(row["outcome"])
    return ByArm(counted(codes[Arm.SRC.value], plan), counted(codes[Arm.CONTROL.value], plan), plan)


def by_arm_of(document: Mapping[str, Any], plan: Plan) -> ByArm:
    """The counts that were kept as :attr:`ByArm.document`."""
    return ByArm(Counts(**document[Arm.SRC.value]), Counts(**document[Arm.CONTROL.value]), plan)
