"""What the page of a trial's progress reads: by arm only once recruitment is closed, and never an outcome."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Min
from django.utils import timezone

from referrals.models import (
    CONTROL_CONTACTED,
    Allocation,
    Arm,
    Borough,
    Case,
    Deviation,
    DeviationKind,
    NoticeKind,
    Notification,
    Pause,
    Strand,
    Trial,
    Ward,
)
from referrals.places.ward_modes import WardModes
from referrals.rules.trial.allocation_order import (
    AllocatedUnit,
    CandidateReport,
    allocated_out_of_order,
    days_in_parts,
)
from referrals.rules.trial.protocol import YES_OR_NO, parts_of, parts_of_stratum, stratum_of
from referrals.rules.trial.recruitment import Recruitment, finding
from referrals.rules.ward_modes import Planned
from referrals.trial.readers.controls import contacts_of_controls, controls_with_src
from referrals.trial.readers.deviations import standing_deviations
from referrals.trial.readers.flow import (
    REFERRED_OUTSIDE,
    AllocationRow,
    Deviated,
    Flow,
    flow_of,
    rows_of,
    shows_arms,
    units_of,
)
from referrals.trial.readers.recruitment_chart import Chart, chart_of
from src_app.lists.filters import start_of

_FACTORS = {
    "borough": "Borough",
    "repeat_victim": "Repeat victim",
    "race": "Strand race or ethnicity",
}


@dataclass(frozen=True)
class Share:
    """A number of a whole, to be shown as ``12 of 40 (30%)``."""

    number: int
    whole: int


@dataclass(frozen=True)
class Balance:
    """One frozen factor: for each level its share of the units of each column."""

    name: str
    columns: list[str]
    levels: list[tuple[str, list[tuple[str, Share]]]]


@dataclass(frozen=True)
class AllocationOrder:
    """Whether somebody could have chosen which case came next.

    ``allocated_out_of_order`` of the ``units`` were allocated while an earlier report waited; on ``in_parts``
    of the ``days`` with allocations there was more than one submission.
    """

    allocated_out_of_order: int
    units: int
    in_parts: int
    days: int


@dataclass(frozen=True)
class Heads:
    """The last head that reached a registrar, if any, when it did, and how many allocations it covers.

    ``open``: allocations that it does not cover. ``waiting``: messages about the trial that the mail server
    has not taken yet, since ``waiting_since``.
    """

    sent_at: datetime | None
    covered: int
    open: int
    waiting: int
    waiting_since: datetime | None


@dataclass(frozen=True)
class TrialProgress:
    """How a trial that has opened is going."""

    recruitment: Recruitment
    finding: str
    chart: Chart
    linked: int
    flow: Flow
    by_arm: bool
    balance: list[Balance]
    deviations: list[Deviation]
    deviation_kinds: list[tuple[str, Share]]
    allocation_order: AllocationOrder
    pauses: list[Pause]
    heads: Heads

    @property
    def linked_elsewhere(self) -> int:
        """Linked reports that the trial did not assess: of a ward or a time in which it does not recruit."""
        return self.linked - self.flow.linked

    @property
    def allocations(self) -> int:
        """Units and linked reports."""
        return self.recruitment.units + self.linked


def progress_of_trial(trial: Trial, at: datetime) -> TrialProgress:
    """The progress of a trial that has opened; the same number of queries for any number of units."""
    rows = rows_of(trial)
    units = units_of(rows)
    deviations = list(
        standing_deviations(Allocation.objects.filter(trial=trial)).select_related("allocation")
    )
    recruitment = recruitment_of(trial, units, at)
    days = timedelta(days=trial.conduct.follow_up_days)
    others = [each for each in deviations if each.kind not in CONTROL_CONTACTED]
    controls = [unit.pk for unit in units if unit.arm == Arm.CONTROL]
    contacts = contacts_of_controls(controls, days)
    deviated = [
        *(Deviated(each.allocation_id, each.kind, each.why) for each in others),
        *(Deviated(unit, each.kind, each.why) for unit, each in contacts),
        *(Deviated(unit, REFERRED_OUTSIDE, "") for unit in controls_with_src(controls, days)),
    ]
    return TrialProgress(
        recruitment=recruitment,
        finding=finding(recruitment, closed=trial.closed_at is not None),
        chart=chart_of(recruitment),
        linked=len(rows) - len(units),
        flow=flow_of(trial, units, deviated, at),
        by_arm=shows_arms(trial),
        balance=_balance(trial, units),
        deviations=deviations,
        deviation_kinds=_kinds(deviations, len(rows)),
        allocation_order=_allocation_order(trial, units),
        pauses=list(trial.pauses.order_by("paused_at")),
        heads=_heads(trial, len(rows)),
    )


def recruitment_of(trial: Trial, units: Sequence[AllocationRow], at: datetime) -> Recruitment:
    """Recruitment from the day on which the trial opened to today, or to the day on which it closed."""
    assert trial.opened_at is not None
    return Recruitment(
        days=tuple(timezone.localdate(unit.allocated_at) for unit in units),
        target=trial.design.target,
        since=timezone.localdate(trial.opened_at),
        until=timezone.localdate(trial.closed_at or at),
        last_day=trial.conduct.recruits_until,
    )


def _balance(trial: Trial, units: Sequence[AllocationRow]) -> list[Balance]:
    """Of what was frozen at allocation; both arms together until recruitment is closed."""
    columns: dict[str, list[AllocationRow]] = {"Both groups together": list(units)}
    if shows_arms(trial):
        columns = {arm.label: [unit for unit in units if unit.arm == arm] for arm in Arm}
    boroughs = dict(Borough.objects.filter(bcu=trial.bcu_id).values_list("code", "name"))
    return [
        Balance(
            name=" and ".join(_FACTORS.get(part, part) for part in parts_of(name)),
            columns=list(columns),
            levels=[
                (
                    ", ".join(boroughs.get(part, part.capitalize()) for part in parts_of_stratum(level)),
                    [
                        (column, Share(_with(level_of, level, rows), len(rows)))
                        for column, rows in columns.items()
                    ],
                )
                for level in levels
            ],
        )
        for name, levels, level_of in _frozen(trial)
    ]


def _with(level_of: Callable[[AllocationRow], str], level: str, rows: Sequence[AllocationRow]) -> int:
    return sum(level_of(row) == level for row in rows)


def _frozen(trial: Trial) -> list[tuple[str, Sequence[str], Callable[[AllocationRow], str]]]:
    """The name of the stratum and of each factor, its levels, and where a unit has its own."""
    design = trial.design
    found: list[tuple[str, Sequence[str], Callable[[AllocationRow], str]]] = [
        (factor.name, factor.levels, _level_of(factor.name)) for factor in design.factors
    ]
    if trial.stratified_by:
        found.insert(0, (trial.stratified_by, design.strata, lambda row: row.stratum))
    return found


def _level_of(factor: str) -> Callable[[AllocationRow], str]:
    return lambda row: row.levels.get(factor, "")


def _kinds(deviations: Sequence[Deviation], allocations: int) -> list[tuple[str, Share]]:
    numbers = Counter(each.kind for each in deviations)
    return [(kind.label, Share(numbers[kind], allocations)) for kind in DeviationKind if numbers[kind]]


def _allocation_order(trial: Trial, units: Sequence[AllocationRow]) -> AllocationOrder:
    allocated = [
        AllocatedUnit(
            stratum=unit.stratum,
            reported_at=unit.reported_at,
            at=unit.allocated_at,
            day=timezone.localdate(unit.allocated_at),
            submission=unit.submission_id,
        )
        for unit in units
    ]
    in_parts, days = days_in_parts(allocated)
    return AllocationOrder(
        allocated_out_of_order=allocated_out_of_order(allocated, _candidates(trial, units)),
        units=len(units),
        in_parts=in_parts,
        days=days,
    )


def _candidates(trial: Trial, units: Sequence[AllocationRow]) -> list[CandidateReport]:
    """Reports that may have waited when a unit was allocated, of days on which their ward was in the trial.

    By ward, repeat victim and strands as they stand today; a report without a ward is in no stratum.
    """
    wards = Ward.objects.filter(code__in=trial.conduct.wards, borough__bcu=trial.bcu_id)
    planned = {
        ward: of_ward
        for ward, of_ward in WardModes(wards).planned.items()
        if any(each.trial == trial.pk for each in of_ward)
    }
    if not units or not planned:
        return []
    starts = [each.starts_on for of_ward in planned.values() for each in of_ward if each.trial == trial.pk]
    cases = Case.objects.filter(
        bcu=trial.bcu_id,
        ward__in=planned,
        reported_at__gte=start_of(min(starts)),
        reported_at__lt=max(unit.reported_at for unit in units),
    ).exclude(decided_at__lte=min(unit.allocated_at for unit in units))
    return [
        CandidateReport(_stratum(trial, borough, repeat, strands), reported_at, imported_at, decided_at)
        for ward, borough, repeat, strands, reported_at, imported_at, decided_at in cases.values_list(
            "ward",
            "ward__borough__code",
            "repeat_victim",
            "strands",
            "reported_at",
            "imported_at",
            "decided_at",
        )
        if _was_in(trial, planned[ward], timezone.localdate(reported_at))
    ]


def _was_in(trial: Trial, planned: Sequence[Planned], day: date) -> bool:
    """Whether the ward's latest mode of that day was this trial."""
    begun = [each for each in planned if each.starts_on <= day]
    return bool(begun) and begun[-1].trial == trial.pk


def _stratum(trial: Trial, borough: str, repeat_victim: bool, strands: Sequence[str]) -> str:
    known: Mapping[str, str] = {
        "borough": borough,
        "repeat_victim": YES_OR_NO[repeat_victim],
        "race": YES_OR_NO[Strand.RACE in strands],
    }
    return stratum_of(trial.stratified_by, known)


def _heads(trial: Trial, allocations: int) -> Heads:
    mail = Notification.objects.filter(trial_notice__trial=trial)
    sent = mail.filter(trial_notice__kind=NoticeKind.HEAD, sent_at__isnull=False)
    # Of several registrars, the first that was reached.
    reached = sent.order_by("-trial_notice_id", "sent_at").values_list("sent_at", "trial_notice__content")
    sent_at, content = reached.first() or (None, None)
    covered = content["heads"][-1]["count"] if content else 0
    waiting = mail.filter(sent_at__isnull=True, abandoned_at__isnull=True).aggregate(
        number=Count("pk"), since=Min("created_at")
    )
    return Heads(sent_at, covered, allocations - covered, waiting["number"], waiting["since"])
