"""The analysis plan of a trial, agreed before anybody is allocated. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import Any

from referrals.rules.trial.draws import Canonical

# Home Office outcome codes that count towards each measure, by version of the definition. 1: the pilot's.
OUTCOME_DEFINITIONS: Mapping[str, Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "1": MappingProxyType(
            {
                "attrition": (14, 16),
                "charge": (1,),
                "positive": (1, 2, 3, 4, 5, 6, 8, 9, 10, 22),
            }
        )
    }
)
CURRENT_DEFINITION = "1"
# A planned look stops nothing by itself; only a difference beyond this is to be acted upon.
LOOK_BOUNDARY = "0.001"


class Outcome(Enum):
    """What is compared between the arms."""

    ATTRITION = "attrition"
    CHARGE = "charge"
    POSITIVE = "positive"


class Estimate(Enum):
    """How the arms are compared."""

    RISK_RATIO = "risk_ratio"
    RISK_DIFFERENCE = "risk_difference"


class Test(Enum):
    """Where the p-value comes from."""

    __test__ = False  # no test case, whatever a test runner thinks of its name

    RE_RANDOMISATION = "re_randomisation"
    FISHER_EXACT = "fisher_exact"


class OpenCases(Enum):
    """What a case counts as whose investigation is open when outcomes are locked."""

    WITHOUT_OUTCOME = "without_outcome"
    LEFT_OUT = "left_out"


class ImpossiblePlan(ValueError):
    """No trial can be conducted or analysed so; says in one sentence what to change."""


@dataclass(frozen=True)
class PlannedLook:
    """An interim look by arm: from which day on, and the one account that reads it."""

    on: date
    reader: str


@dataclass(frozen=True)
class Plan:
    """What will be computed, and by whom it may be seen before the lock. Raises :class:`ImpossiblePlan`.

    A test with one side looks for a fall of the primary outcome.
    """

    primary: Outcome = Outcome.ATTRITION
    estimate: Estimate = Estimate.RISK_RATIO
    test: Test = Test.RE_RANDOMISATION
    sides: int = 2
    open_cases: OpenCases = OpenCases.WITHOUT_OUTCOME
    looks: tuple[PlannedLook, ...] = ()
    definition: str = CURRENT_DEFINITION

    def __post_init__(self) -> None:
        if self.sides not in (1, 2):
            raise ImpossiblePlan("The test has one side or two.")
        if self.definition not in OUTCOME_DEFINITIONS:
            raise ImpossiblePlan(f"There is no version {self.definition} of the outcome definition.")
        days = [look.on for look in self.looks]
        if days != sorted(set(days)):
            raise ImpossiblePlan("Give planned looks in the order of their days, one a day.")

    @property
    def secondary(self) -> tuple[Outcome, ...]:
        """The other outcomes: one family, reported together."""
        return tuple(outcome for outcome in Outcome if outcome is not self.primary)

    @property
    def codes(self) -> Mapping[str, tuple[int, ...]]:
        """The outcome codes that count, by outcome."""
        return OUTCOME_DEFINITIONS[self.definition]


def document_of(plan: Plan) -> dict[str, Canonical]:
    """The plan as a part of the protocol."""
    return {
        "outcome_definition": {
            "version": plan.definition,
            **{outcome: list(codes) for outcome, codes in plan.codes.items()},
        },
        "primary": {
            "outcome": plan.primary.value,
            "estimate": plan.estimate.value,
            "test": plan.test.value,
            "sides": plan.sides,
            "direction": "either" if plan.sides == 2 else "fall",
        },
        "secondary": [outcome.value for outcome in plan.secondary],
        "open_cases": plan.open_cases.value,
        "looks": [
            {"on": look.on.isoformat(), "reader": look.reader, "boundary": LOOK_BOUNDARY}
            for look in plan.looks
        ],
    }


def plan_of(document: Mapping[str, Any]) -> Plan:
    """The plan of a protocol's part; raises :class:`ImpossiblePlan`."""
    primary = document["primary"]
    return Plan(
        primary=Outcome(primary["outcome"]),
        estimate=Estimate(primary["estimate"]),
        test=Test(primary["test"]),
        sides=primary["sides"],
        open_cases=OpenCases(document["open_cases"]),
        looks=tuple(
            PlannedLook(date.fromisoformat(look["on"]), look["reader"]) for look in document["looks"]
        ),
        definition=document["outcome_definition"]["version"],
    )
