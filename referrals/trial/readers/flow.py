"""The flow of participants through a trial, as CONSORT 2010 draws it; by arm only once recruitment is closed.

Schulz, Altman and Moher (2010), "CONSORT 2010 statement", BMJ 340:c332. The unit is that of allocation:
contact is that of any report of the unit, and linked reports are counted and no more.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef, Q

from referrals.models import (
    Allocation,
    Arm,
    CloseReason,
    CrimeRecordEvent,
    CrimeRecordKind,
    Decision,
    DeviationKind,
    NotDelivered,
    Reason,
    Referral,
    ReferralStatus,
    Trial,
    TrialStatus,
)
from referrals.rules.trial.analysis import OpenCases

# Whose investigation goes on elsewhere, or nowhere: no outcome of it can come here.
LOST = (CrimeRecordKind.CANCELLED, CrimeRecordKind.TRANSFERRED, CrimeRecordKind.RECLASSIFIED)
REFERRED_OUTSIDE = "referred_outside"
_CONTACTED_CONTROL: dict[str, str] = {
    DeviationKind.FOR_SAFETY: "Because safety called for it",
    DeviationKind.BY_ACCIDENT: "By accident",
}
# Of those contacted by a referral outside the trial.
_REFERRED_CONTROL: dict[str, str] = {
    DeviationKind.REFERRED_FOR_SAFETY: "Referred because safety called for it",
    DeviationKind.REFERRED_BY_WISH: "Referred because the victim asked for contact",
    REFERRED_OUTSIDE: "Over another report, outside the trial",
}
_ARMS = {Arm.SRC: "Allocated to SRC", Arm.CONTROL: "Allocated to usual service (control)"}
_OF_BOTH = (DeviationKind.IN_ERROR, DeviationKind.WRONG_WARD)


class AllocationRow(NamedTuple):
    """An allocation with what became of it; ``position`` is null for a linked report."""

    pk: int
    unit: str
    position: int | None
    arm: str
    stratum: str
    levels: dict[str, str]
    allocated_at: datetime
    submission_id: int
    case_id: int
    reported_at: datetime
    status: str | None
    contacted_at: datetime | None
    close_reason: str | None
    closed_at: datetime | None
    checked: bool | None


class Deviated(NamedTuple):
    """What is recorded of an allocation and not withdrawn."""

    allocation_id: int
    kind: str
    why: str


@dataclass(frozen=True)
class Part:
    """A number of ``whole`` in a box; ``parts`` say why, or of what kind."""

    label: str
    number: int
    whole: int
    parts: tuple["Part", ...] = ()


@dataclass(frozen=True)
class Box:
    """A box of the diagram: a number of ``whole``, what of whom, and its parts."""

    label: str
    number: int
    whole: int
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Stage:
    """A box above the arms, and the box of those who leave there."""

    box: Box
    leaving: Box | None = None


@dataclass(frozen=True)
class Flow:
    """The diagram. ``arms``: for each arm its boxes from top to bottom; empty while the trial recruits.

    ``linked``: reports assessed for the trial that follow one of its units.
    """

    stages: tuple[Stage, ...]
    arms: tuple[tuple[Box, ...], ...]
    linked: int

    @property
    def boxes(self) -> list[Box]:
        """Every box in the order in which it is read, for the table."""
        above = [box for stage in self.stages for box in (stage.box, stage.leaving) if box]
        return [*above, *(box for arm in self.arms for box in arm)]


def rows_of(trial: Trial) -> list[AllocationRow]:
    """Every allocation of the trial, in order; one query."""
    rows = Allocation.objects.filter(trial=trial).order_by("number")
    return [
        AllocationRow(*row)
        for row in rows.values_list(
            "pk",
            "unit",
            "position",
            "arm",
            "stratum",
            "levels",
            "allocated_at",
            "submission_id",
            "case_id",
            "case__reported_at",
            "referral__status",
            "referral__contacted_at",
            "referral__close_reason",
            "referral__closed_at",
            "control_check__contacted",
        )
    ]


def units_of(rows: Iterable[AllocationRow]) -> list[AllocationRow]:
    """The units among them, each with the first contact of any of its reports."""
    listed = list(rows)
    first: dict[str, datetime] = {}
    for row in listed:
        if row.contacted_at is not None:
            first[row.unit] = min(first.get(row.unit, row.contacted_at), row.contacted_at)
    return [row._replace(contacted_at=first.get(row.unit)) for row in listed if row.position is not None]


def shows_arms(trial: Trial) -> bool:
    """Whether numbers by arm may be shown: while a trial recruits they would tell what is left of a block."""
    return trial.status in TrialStatus.since(TrialStatus.CLOSED)


def flow_of(trial: Trial, rows: Iterable[AllocationRow], deviated: Iterable[Deviated], at: datetime) -> Flow:
    """The flow as it stands; a query, and one more where arms are shown."""
    units = [row for row in rows if row.position is not None]
    assessed = _assessed(trial)
    stages = _stages(trial, assessed, len(units))
    linked = sum(each.trial == trial.pk and each.position is None for each in assessed)
    if not shows_arms(trial):
        return Flow(stages, (), linked)
    standings = _standings(trial)
    kinds: dict[int, dict[str, str]] = {}
    for each in deviated:
        kinds.setdefault(each.allocation_id, {})[each.kind] = each.why
    return Flow(
        stages,
        tuple(
            _arm(trial, arm, [row for row in units if row.arm == arm], len(units), kinds, standings, at)
            for arm in Arm
        ),
        linked,
    )


class _Assessed(NamedTuple):
    suitable: bool
    reason: str
    trial: int | None
    position: int | None
    with_src: bool
    at_close: bool


def _stages(trial: Trial, assessed: list[_Assessed], units: int) -> tuple[Stage, ...]:
    suitable = [each for each in assessed if each.suitable]
    excluded = [each for each in assessed if not each.suitable]
    left = [each for each in suitable if not _is_unit(each, trial)]
    elsewhere = units - (len(suitable) - len(left))
    return (
        Stage(
            Box("Reports assessed", len(assessed), len(assessed)),
            Box(
                "Excluded: not suitable",
                len(excluded),
                len(assessed),
                _parts(Counter(str(Reason(each.reason).label) for each in excluded), len(excluded)),
            ),
        ),
        Stage(
            Box("Suitable", len(suitable), len(assessed)),
            Box(
                "Suitable, not randomised",
                len(left),
                len(suitable),
                _parts(Counter(_why_not_allocated(each) for each in left), len(left)),
            ),
        ),
        Stage(
            Box(
                "Randomised units",
                units,
                len(suitable),
                _parts({"Assessed for another trial, which closed before their turn": elsewhere}, units),
            )
        ),
    )


def _is_unit(assessed: _Assessed, trial: Trial) -> bool:
    return assessed.position is not None and assessed.trial == trial.pk


def _assessed(trial: Trial) -> list[_Assessed]:
    """Every decision submitted for the trial, with what became of its case; one query."""
    outside = Referral.objects.filter(
        Q(case__incident_hash=OuterRef("case__incident_hash")) & ~Q(case__incident_hash="")
        | Q(case__victim_hash=OuterRef("case__victim_hash")) & ~Q(case__victim_hash=""),
        allocation__isnull=True,
        made_at__gte=trial.opened_at,
        made_at__lte=OuterRef("submission__submitted_at"),
    ).exclude(case=OuterRef("case"))
    decisions = Decision.objects.filter(assessed_for=trial, submission__isnull=False)
    return [
        _Assessed(*row[:-1], at_close=trial.closed_at is not None and row[-1] >= trial.closed_at)
        for row in decisions.annotate(with_src=Exists(outside)).values_list(
            "suitable",
            "reason",
            "case__allocation__trial",
            "case__allocation__position",
            "with_src",
            "submission__submitted_at",
        )
    ]


def _why_not_allocated(assessed: _Assessed) -> str:
    """Why a suitable case was not allocated; a submission asks for these three reasons in this order."""
    if assessed.trial is not None and assessed.position is None:
        return "Linked to an earlier unit, whose group it follows"
    if assessed.at_close and not assessed.with_src:
        return "The target was reached"
    return "The victim had SRC already, outside the trial"


def _arm(
    trial: Trial,
    arm: Arm,
    units: list[AllocationRow],
    of: int,
    kinds: Mapping[int, Mapping[str, str]],
    standings: Mapping[int, str],
    at: datetime,
) -> tuple[Box, ...]:
    days = timedelta(days=trial.conduct.follow_up_days)
    delivered = _src(units, kinds, days) if arm == Arm.SRC else _control(units, kinds)
    return (
        Box(_ARMS[arm], len(units), of, (*delivered, *_kept(units, kinds))),
        _followed(trial, units, standings, at),
        _analysed(trial, len(units)),
    )


def _src(
    units: list[AllocationRow], kinds: Mapping[int, Mapping[str, str]], follow_up: timedelta
) -> tuple[Part, ...]:
    """The SRC arm: contacted within follow-up, not contacted and why, or still open."""
    whole = len(units)
    missed: Counter[str] = Counter()
    still_open = 0
    for row in units:
        if why := _not_delivered(row, kinds.get(row.pk, {}), follow_up):
            missed[why] += 1
        else:
            still_open += row.status == ReferralStatus.OPEN
    return (
        Part("Received contact", whole - missed.total() - still_open, whole),
        Part("Did not receive contact", missed.total(), whole, _parts(missed, missed.total())),
        Part("Referral still open", still_open, whole),
    )


def _not_delivered(row: AllocationRow, kinds: Mapping[str, str], follow_up: timedelta) -> str:
    """Why SRC was not delivered, a recorded reason first; empty where it was, or still may be."""
    if row.contacted_at and row.contacted_at <= row.allocated_at + follow_up:
        return ""
    if why := kinds.get(DeviationKind.NOT_DELIVERED):
        return str(NotDelivered(why).label)
    if row.close_reason and row.closed_at and row.closed_at <= row.allocated_at + follow_up:
        return str(CloseReason(row.close_reason).label)
    if row.close_reason:
        return "Still open when follow-up ended"
    if row.contacted_at:
        return "Contact came after follow-up"
    return "" if row.status else "No referral is on record"


def _standings(trial: Trial) -> dict[int, str]:
    """How the crime record of each unit's case stood at the end of its follow-up, where it ever changed."""
    days = timedelta(days=trial.conduct.follow_up_days)
    events = CrimeRecordEvent.objects.filter(
        case__allocation__trial=trial,
        case__allocation__position__isnull=False,
        noticed_at__lte=F("case__allocation__allocated_at") + days,
    )
    return dict(events.order_by("pk").values_list("case", "kind"))


def _control(units: list[AllocationRow], kinds: Mapping[int, Mapping[str, str]]) -> tuple[Part, ...]:
    """The control arm, each unit once: contacted all the same, looked up without a contact, or not yet."""
    whole = len(units)
    contacted: Counter[str] = Counter()
    checked = 0
    for row in units:
        if how := _how_contacted(kinds.get(row.pk, {})):
            contacted[how] += 1
        else:
            checked += row.checked is not None
    return (
        Part("Contacted all the same", contacted.total(), whole, _parts(contacted, contacted.total())),
        Part("Not contacted, as the crime record was checked", checked, whole),
        Part("Not checked yet", whole - contacted.total() - checked, whole),
    )


def _how_contacted(kinds: Mapping[str, str]) -> str:
    """How a control was contacted; empty where it was not, as far as is known."""
    named = [*_CONTACTED_CONTROL.items()]
    if REFERRED_OUTSIDE in kinds:
        named += _REFERRED_CONTROL.items()
    return next((words for kind, words in named if kind in kinds), "")


def _kept(units: list[AllocationRow], kinds: Mapping[int, Mapping[str, str]]) -> tuple[Part, ...]:
    """Units that should not have been allocated there, if any: nobody is taken out of an arm."""
    found = [kind for row in units for kind in _OF_BOTH if kind in kinds.get(row.pk, {})]
    wrong = sum(any(kind in kinds.get(row.pk, {}) for kind in _OF_BOTH) for row in units)
    numbers = Counter(str(kind.label) for kind in found)
    kept = Part("Wrongly allocated, kept and analysed here", wrong, len(units), _parts(numbers, wrong))
    return (kept,) if wrong else ()


def _followed(trial: Trial, units: list[AllocationRow], standings: Mapping[int, str], at: datetime) -> Box:
    """Units whose days of follow-up are over, not over, or lost; no outcome is read."""
    days = timedelta(days=trial.conduct.follow_up_days)
    kept = [row for row in units if standings.get(row.case_id) not in LOST]
    over = sum(row.allocated_at + days <= at for row in kept)
    lost = Counter(
        str(CrimeRecordKind(standings[row.case_id]).label)
        for row in units
        if standings.get(row.case_id) in LOST
    )
    return Box(
        f"Followed up for {days.days} days",
        over,
        len(units),
        (
            Part("Follow-up not over yet", len(kept) - over, len(units)),
            Part("Lost to follow-up", lost.total(), len(units), _parts(lost, lost.total())),
        ),
    )


def _analysed(trial: Trial, whole: int) -> Box:
    done = trial.status in TrialStatus.since(TrialStatus.LOCKED)
    label = "Analysed as allocated" if done else "To be analysed as allocated"
    if trial.conduct.plan.open_cases is OpenCases.LEFT_OUT:
        label += ", but for cases that are open when outcomes are locked"
    return Box(label, whole, whole)


def _parts(numbers: Mapping[str, int], whole: int) -> tuple[Part, ...]:
    """The parts that are not zero, the largest first."""
    found = [Part(label, number, whole) for label, number in numbers.items() if number > 0]
    return tuple(sorted(found, key=lambda part: (-part.number, part.label)))
