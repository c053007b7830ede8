"""The protocol of a trial as a document that can be hashed: what its seal binds. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Factor,
    Scheme,
)
from referrals.rules.trial.analysis import (
    ImpossiblePlan,
    Plan,
    document_of,
    plan_of,
)
from referrals.rules.trial.draws import DOMAIN, Canonical

Protocol = Mapping[str, Canonical]

# What of a case can be a stratum or a factor, besides its borough.
YES_OR_NO = ("no", "yes")
MOST_FOLLOW_UP_DAYS = 730


@dataclass(frozen=True)
class Expected:
    """What the sample size is reckoned with, in whole percent. Raises :class:`ImpossiblePlan`.

    ``control`` and ``src``: the primary outcome without and with contact; ``complied``: SRC units that get
    their contact; ``contaminated``: control units that get one; ``lost``: units without a known outcome;
    ``charge``: a rare outcome, without contact.
    """

    control: int
    src: int
    charge: int
    complied: int = 100
    contaminated: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        if not all(0 <= percent <= 100 for percent in asdict(self).values()):
            raise ImpossiblePlan("Give each expected share as whole percent, from 0 to 100.")
        if self.control == self.src:
            raise ImpossiblePlan("The share with contact must differ from that without.")


@dataclass(frozen=True)
class Conduct:
    """Whom the trial asks about, where, when and for how long. Raises :class:`ImpossiblePlan`.

    ``wards``: codes. ``recruits_from`` and ``recruits_until`` are days, both included; ``follow_up_days``
    are counted from a unit's allocation.
    """

    question: str
    eligibility: str
    wards: tuple[str, ...]
    recruits_from: date
    recruits_until: date
    follow_up_days: int
    expected: Expected
    plan: Plan = field(default_factory=Plan)

    def __post_init__(self) -> None:
        if not self.wards:
            raise ImpossiblePlan("Choose at least one ward.")
        if len(set(self.wards)) < len(self.wards):
            raise ImpossiblePlan("Name each ward once.")
        if self.recruits_until < self.recruits_from:
            raise ImpossiblePlan("The last day of recruitment must not be before the first.")
        if not 1 <= self.follow_up_days <= MOST_FOLLOW_UP_DAYS:
            raise ImpossiblePlan(f"Follow each case for 1 to {MOST_FOLLOW_UP_DAYS} days.")
        if self.plan.sides == 1 and self.expected.src > self.expected.control:
            raise ImpossiblePlan("A test of one side looks for a fall: take two sides to find a rise.")
        if any(look.on < self.recruits_from for look in self.plan.looks):
            raise ImpossiblePlan("No look can be planned before the first day of recruitment.")


def protocol_of(
    *, name: str, bcu: str, design: Design, conduct: Conduct, stratified_by: str = ""
) -> dict[str, Canonical]:
    """The document: the trial's name, the BCU's code, its conduct, the arms, and how units fall to them.

    ``stratified_by`` names what of a case is its stratum.
    """
    return {
        "format": DOMAIN,
        "name": name,
        "bcu": bcu,
        "question": conduct.question,
        "eligibility": conduct.eligibility,
        "wards": sorted(conduct.wards),
        "recruits_from": conduct.recruits_from.isoformat(),
        "recruits_until": conduct.recruits_until.isoformat(),
        "follow_up_days": conduct.follow_up_days,
        "expected_percent": asdict(conduct.expected),
        "analysis": document_of(conduct.plan),
        "arms": [arm.value for arm in Arm],
        "stratified_by": stratified_by,
        "allocation": allocation_of(design),
    }


def allocation_of(design: Design) -> dict[str, Canonical]:
    """How units fall to arms, as the part of the document that :func:`design_of` reads."""
    return {
        "scheme": design.scheme.value,
        "target": design.target,
        "ratio": list(design.ratio),
        "block_sizes": list(design.block_sizes),
        "strata": list(design.strata),
        "factors": [
            {"name": factor.name, "levels": list(factor.levels), "weight": factor.weight}
            for factor in design.factors
        ],
        "coin": design.coin,
    }


def conduct_of(protocol: Protocol) -> Conduct:
    """Whom, where, when and how it is analysed; raises :class:`ImpossiblePlan`."""
    given: dict[str, Any] = dict(protocol)
    return Conduct(
        question=given["question"],
        eligibility=given["eligibility"],
        wards=tuple(given["wards"]),
        recruits_from=date.fromisoformat(given["recruits_from"]),
        recruits_until=date.fromisoformat(given["recruits_until"]),
        follow_up_days=given["follow_up_days"],
        expected=Expected(**given["expected_percent"]),
        plan=plan_of(given["analysis"]),
    )


def design_of(protocol: Protocol) -> Design:
    """How units fall to arms; raises :class:`~referrals.rules.trial.allocation.ImpossibleDesign`."""
    part = protocol["allocation"]
    assert isinstance(part, Mapping)
    given: dict[str, Any] = dict(part)
    src, control = given["ratio"]
    return Design(
        scheme=Scheme(given["scheme"]),
        target=given["target"],
        ratio=(src, control),
        block_sizes=tuple(given["block_sizes"]),
        strata=tuple(given["strata"]),
        factors=tuple(
            Factor(factor["name"], tuple(factor["levels"]), factor["weight"]) for factor in given["factors"]
        ),
        coin=given["coin"],
    )
