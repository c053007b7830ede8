"""A trial's protocol and life in the words of its pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from referrals.models import STEPS, Trial, TrialStatus, Ward
from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.analysis import (
    LOOK_BOUNDARY,
    Estimate,
    OpenCases,
    Outcome,
    Plan,
    Test,
)
from referrals.rules.trial.protocol import Expected, parts_of, parts_of_stratum
from src_app.accounts.models import User
from src_app.templatetags.words import day

SCHEMES = {
    Scheme.SIMPLE.value: "Simple: a fresh draw for each case",
    Scheme.COMPLETE.value: "Complete: exactly the ratio over the whole trial",
    Scheme.BLOCKS.value: "Permuted blocks of random size",
    Scheme.STRATIFIED_BLOCKS.value: "Permuted blocks of random size, drawn apart for each part of the trial",
    Scheme.MINIMISATION.value: "Minimisation: a biased coin towards the group that balances better",
}
STRATA = {
    "borough": "Borough",
    "repeat_victim": "Repeat victim: yes or no",
    "race": "Race: yes or no",
}
OUTCOMES = {
    Outcome.ATTRITION.value: "Victim withdrew support (attrition)",
    Outcome.CHARGE.value: "Charge",
    Outcome.POSITIVE.value: "Positive outcome",
}
ESTIMATES = {Estimate.RISK_RATIO.value: "Risk ratio", Estimate.RISK_DIFFERENCE.value: "Risk difference"}
TESTS = {
    Test.RE_RANDOMISATION.value: "Re-randomisation by the trial's own scheme",
    Test.FISHER_EXACT.value: "Fisher's exact test",
}
OPEN_CASES = {
    OpenCases.WITHOUT_OUTCOME.value: "Count as without the outcome",
    OpenCases.LEFT_OUT.value: "Left out: closed cases only",
}
# Closed cases only is no plan to seal any more: being closed can follow from the contact.
OPEN_CASES_SEALED = [(OpenCases.WITHOUT_OUTCOME.value, OPEN_CASES[OpenCases.WITHOUT_OUTCOME.value])]
_STEP_WORDS = {
    TrialStatus.SEALED: "Sealed",
    TrialStatus.RECRUITING: "Opened",
    TrialStatus.CLOSED: "Closed to recruitment",
    TrialStatus.LOCKED: "Outcomes locked",
    TrialStatus.REVEALED: "Revealed",
}


@dataclass(frozen=True)
class Line:
    """A line of the protocol in words."""

    label: str
    text: str


@dataclass(frozen=True)
class StepTaken:
    """A step of a trial's life; ``at`` and ``by`` are empty until it is taken."""

    words: str
    at: datetime | None
    by: User | None


def protocol_lines(trial: Trial, wards: Mapping[str, Ward]) -> list[Line]:
    """The protocol, line by line; ``wards`` are known by their code, with their boroughs."""
    conduct, design = trial.conduct, trial.design
    return [
        Line("Question", conduct.question),
        Line("Who is eligible", conduct.eligibility),
        Line("Wards", _wards(conduct.wards, wards)),
        Line("Recruits", f"From {day(conduct.recruits_from)} to {day(conduct.recruits_until)}"),
        Line("Follow-up", f"{conduct.follow_up_days} days from each allocation"),
        *_allocation(trial, design, {ward.borough.code: ward.borough.name for ward in wards.values()}),
        *_analysis(conduct.plan),
        Line("Reckoned with", _expected(conduct.expected)),
    ]


def stratified_words(stratified_by: str) -> str:
    """What makes a stratum, in words."""
    return " and ".join(STRATA[name] for name in parts_of(stratified_by))


def stratum_words(stratum: str, boroughs: Mapping[str, str]) -> str:
    """A stratum in words; ``boroughs``: names by code."""
    return ", ".join(boroughs.get(part, part) for part in parts_of_stratum(stratum))


def _allocation(trial: Trial, design: Design, boroughs: Mapping[str, str]) -> Iterator[Line]:
    yield Line("Groups", f"SRC to usual service, {design.ratio[0]}:{design.ratio[1]}")
    yield Line("Target", f"{design.target:,} victims, both groups together")
    yield Line("Scheme", SCHEMES[design.scheme.value])
    if design.block_sizes:
        yield Line("Block sizes", ", ".join(str(size) for size in design.block_sizes))
    if trial.stratified_by:
        cells = [stratum_words(stratum, boroughs) for stratum in design.strata]
        each = f"about {design.target // len(cells):,} victims in each of {len(cells)}"
        yield Line("Drawn apart by", f"{stratified_words(trial.stratified_by)} ({'; '.join(cells)}): {each}")
    if design.factors:
        balanced = [f"{STRATA[factor.name]}, weight {factor.weight}" for factor in design.factors]
        yield Line("Balanced", "; ".join(balanced))
        yield Line("Coin", f"{design.coin} of 100 to the group that balances better")


def _analysis(plan: Plan) -> Iterator[Line]:
    yield Line("Primary outcome", OUTCOMES[plan.primary.value])
    codes = "; ".join(
        f"{OUTCOMES[name]}: {', '.join(str(code) for code in codes)}" for name, codes in plan.codes.items()
    )
    yield Line("Outcome codes", f"{codes} (definition {plan.definition})")
    sides = "two-sided" if plan.sides == 2 else "one-sided"
    yield Line("Estimate and test", f"{ESTIMATES[plan.estimate.value]}; {TESTS[plan.test.value]}, {sides}")
    yield Line("Secondary", ", ".join(OUTCOMES[outcome.value] for outcome in plan.secondary))
    yield Line("Cases still open", OPEN_CASES[plan.open_cases.value])
    looks = [f"{day(look.on)}, read by {look.reader}" for look in plan.looks]
    yield Line(
        "Looks before the lock", f"{'; '.join(looks)} (p below {LOOK_BOUNDARY})" if looks else "None planned"
    )


def _expected(expected: Expected) -> str:
    return (
        f"{expected.control}% with the primary outcome without contact, {expected.src}% with it; "
        f"{expected.charge}% charged; {expected.complied}% of SRC cases contacted, "
        f"{expected.contaminated}% of usual service too; {expected.lost}% without a known outcome"
    )


def _wards(codes: tuple[str, ...], wards: Mapping[str, Ward]) -> str:
    by_borough: dict[str, list[str]] = {}
    for code in codes:
        # A ward may have got a new code after the trial had closed.
        ward = wards.get(code)
        borough, name = (ward.borough.name, ward.name) if ward else ("Code not used any more", code)
        by_borough.setdefault(borough, []).append(name)
    parts = [f"{borough}: {', '.join(sorted(names))}" for borough, names in sorted(by_borough.items())]
    return f"{len(codes)}. {'; '.join(parts)}"


def steps_of(trial: Trial) -> list[StepTaken]:
    """The proposal and every step, in order, taken or not."""
    return [
        StepTaken("Proposed", trial.proposed_at, trial.proposed_by),
        *(
            StepTaken(_STEP_WORDS[status], getattr(trial, f"{name}_at"), getattr(trial, f"{name}_by"))
            for status, name in STEPS.items()
        ),
    ]
