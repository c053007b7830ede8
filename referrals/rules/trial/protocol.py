"""The protocol of a trial as a document that can be hashed: what its seal binds. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import product
from typing import Any

from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Factor,
    Scheme,
)
from referrals.rules.trial.analysis import (
    ImpossiblePlan,
    OpenCases,
    Plan,
    document_of,
    plan_of,
)
from referrals.rules.trial.draws import DOMAIN, Canonical

Protocol = Mapping[str, Canonical]

# What of a case can be a stratum or a factor, besides its borough.
YES_OR_NO = ("no", "yes")
# Between the names of what makes a stratum together, and between the levels of one: borough+repeat_victim.
_AND = "+"
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


def parts_of(stratified_by: str) -> tuple[str, ...]:
    """The names of what makes a stratum together; none of an empty text."""
    return tuple(name for name in stratified_by.split(_AND) if name)


def stratified_together(names: Iterable[str]) -> str:
    """How a protocol names them: the inverse of :func:`parts_of`."""
    return _AND.join(names)


def stratum_of(stratified_by: str, known: Mapping[str, str]) -> str:
    """The stratum of a case of which this is known, by name; "" where there is but one."""
    return _AND.join(known[name] for name in parts_of(stratified_by))


def parts_of_stratum(stratum: str) -> list[str]:
    """The levels of which a stratum is made, in the order of their names."""
    return stratum.split(_AND)


def strata_of(stratified_by: str, levels: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Every stratum there can be, from the levels of each name."""
    return tuple(_AND.join(each) for each in product(*(levels[name] for name in parts_of(stratified_by))))


def why_not_allocated(
    design: Design, stratified_by: str, conduct: Conduct, levels: Mapping[str, Collection[str]]
) -> str:
    """Why a case of the trial could have no arm, or no honest analysis; empty where every one has.

    ``levels``: what is known of a case, by name, each with all that it can be in the wards of the trial.
    """
    factors = {factor.name: set(factor.levels) for factor in design.factors}
    for name in (*parts_of(stratified_by), *factors):
        if name not in levels:
            return f"{name}: nothing that is known of a case has this name. Known are {', '.join(levels)}."
    for name, known in factors.items():
        if left := sorted(set(levels[name]) - known):
            return f"{', '.join(left)}: a level of {name} in these wards that the design leaves out. Add it."
    wanted = set(strata_of(stratified_by, {name: sorted(known) for name, known in levels.items()}))
    if left := sorted(wanted - set(design.strata)):
        return f"{', '.join(left)}: a stratum of these wards that the design leaves out. Add it."
    cells, largest = len(design.strata), max(design.block_sizes, default=0)
    if len(parts_of(stratified_by)) > 1 and cells * largest > design.target:
        return (
            f"{cells} strata with blocks of up to {largest} need a target of {cells * largest:,}: take fewer "
            "strata, smaller blocks or a larger target."
        )
    if conduct.plan.open_cases is OpenCases.LEFT_OUT:
        return (
            "Closed cases only: whether a case is closed can follow from the contact. Count open cases as "
            "without the outcome."
        )
    return ""


def protocol_of(
    *, name: str, bcu: str, design: Design, conduct: Conduct, stratified_by: str = ""
) -> dict[str, Canonical]:
    """The document: the trial's name, the BCU's code, its conduct, the arms, and how units fall to them.

    ``stratified_by`` names what of a case is its stratum (:func:`parts_of`).
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
