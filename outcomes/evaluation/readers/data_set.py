"""What a trial's analysis is made of: one row for each unit, by random pseudonym.

A unit is measured by its first report, the one that was randomised, and over the same length of time as every
other: the protocol's days of follow-up, counted from the moment of its allocation. What was recorded later
than that is not in its row; nor are times, only whole days since the allocation.

Of outcomes the latest one recorded by the end of follow-up counts, whenever it reached this system; a case
without one is open.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, IntegerField, Min, OuterRef, QuerySet, Subquery

from outcomes.evaluation.by_arm import Counts, counted
from outcomes.models import RecordedOutcome
from referrals.models import Allocation, Arm, CrimeRecordEvent, Referral, Trial
from referrals.rules.trial.draws import Canonical
from referrals.trial.readers.controls import contacts_of_controls, controls_with_src
from referrals.trial.readers.deviations import standing_deviations

DataRow = dict[str, Canonical]

# Why there was no contact, where no reason to close says it.
STILL_OPEN = "still_open"
AFTER_FOLLOW_UP = "after_follow_up"
NOT_REFERRED = "not_referred"

COLUMNS = (
    "number",
    "unit",
    "stratum",
    "levels",
    "position",
    "arm",
    "linked_reports",
    "followed_days",
    "outcome",
    "contact_made",
    "days_to_contact",
    "no_contact_because",
    "control_contacted",
    "deviations",
    "crime_record",
)


def rows_of(trial: Trial, at: datetime) -> list[DataRow]:
    """A row for each unit in the order of allocation, as things stand at a moment; five queries.

    No crime reference, date, ward or strand is in it, but for what the protocol stratifies by.
    ``number``, ``unit``, ``stratum``, ``levels``, ``position`` and ``arm`` are those of the chain.
    ``linked_reports``: how many followed the unit's arm. ``followed_days``: whole days of follow-up so far.
    ``outcome``: Home Office code, null where the case was open. Of SRC alone: ``contact_made``,
    ``days_to_contact`` (whole days since the allocation) and ``no_contact_because`` (why the referral was
    closed, or one of this module's words). Of control alone: ``control_contacted``, by what is recorded
    by now, null before its check. Contact is that of the unit's own report or of a linked
    one, within follow-up, in both arms. ``deviations``: kinds that stand. ``crime_record``: kinds of its
    changes, in order.
    """
    units = list(
        _units(trial, at)
        .select_related("referral", "control_check")
        .annotate(linked=Count("followers"), linked_contact=Min("followers__referral__contacted_at"))
        .order_by("number")
    )
    follow_up = _follow_up(trial)
    deviations: dict[int, set[str]] = defaultdict(set)
    for allocation, kind in standing_deviations(units).values_list("allocation", "kind"):
        deviations[allocation].add(kind)
    changes = _crime_record(units, follow_up, at)
    controls = [unit.pk for unit in units if unit.arm == Arm.CONTROL]
    contacted = {unit for unit, _ in contacts_of_controls(controls, follow_up)}
    contacted |= controls_with_src(controls, follow_up)
    rows: list[DataRow] = []
    for unit in units:
        end = unit.allocated_at + follow_up
        rows.append(
            {
                **_as_allocated(unit),
                "linked_reports": unit.linked,
                "followed_days": (min(end, at) - unit.allocated_at).days,
                "outcome": unit.outcome,
                **_contact(unit, end),
                "control_contacted": _check(unit, contacted),
                "deviations": sorted(deviations[unit.pk]),
                "crime_record": changes[unit.pk],
            }
        )
    return rows


def totals_of(trial: Trial, at: datetime) -> Counts:
    """What became of the trial's units, both arms together; no arm is read for it. One query."""
    codes = [unit.outcome for unit in _units(trial, at).only("pk")]
    return counted(codes, trial.conduct.plan)


def as_cells(row: Mapping[str, Any]) -> list[str]:
    """The row's cells in the order of ``COLUMNS``, for a table: lists by semicolons, nothing where null."""
    return [_cell(row[name]) for name in COLUMNS]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return "; ".join(f"{name}={level}" for name, level in sorted(value.items()))
        case list():
            return "; ".join(value)
    return str(value)


def _follow_up(trial: Trial) -> timedelta:
    return timedelta(days=trial.conduct.follow_up_days)


def _units(trial: Trial, at: datetime) -> QuerySet[Allocation, Any]:
    """Its units, each with the code that counts: a later row wins among outcomes recorded at one moment."""
    latest = (
        RecordedOutcome.objects.filter(case=OuterRef("case"), recorded_at__lte=at)
        .filter(recorded_at__lte=OuterRef("allocated_at") + _follow_up(trial))
        .order_by("-recorded_at", "-pk")
    )
    outcome = Subquery(latest.values("code")[:1], output_field=IntegerField())
    return Allocation.objects.filter(trial=trial, position__isnull=False).annotate(outcome=outcome)


def _as_allocated(unit: Allocation) -> DataRow:
    return {name: getattr(unit, name) for name in ("number", "unit", "stratum", "levels", "position", "arm")}


def _contact(unit: Any, end: datetime) -> DataRow:
    """Whether SRC was delivered within follow-up; a control has no referral to say it of."""
    made: bool | None = False
    days, why = None, None
    referral: Referral | None = getattr(unit, "referral", None)
    if unit.arm == Arm.CONTROL:
        made = None
    elif referral is None:
        why = NOT_REFERRED
    else:
        contacts = [moment for moment in (referral.contacted_at, unit.linked_contact) if moment]
        if contacts and min(contacts) <= end:
            made, days = True, (min(contacts) - unit.allocated_at).days
        elif contacts:
            why = AFTER_FOLLOW_UP
        else:
            why = referral.close_reason if referral.closed_at and referral.closed_at <= end else STILL_OPEN
    return {"contact_made": made, "days_to_contact": days, "no_contact_because": why}


def _check(unit: Allocation, contacted: Collection[int]) -> bool | None:
    return unit.pk in contacted if getattr(unit, "control_check", None) else None


def _crime_record(units: Collection[Allocation], follow_up: timedelta, at: datetime) -> dict[int, list[str]]:
    """What became of each unit's crime between its allocation and the end of its follow-up, in order."""
    events = CrimeRecordEvent.objects.filter(
        case__allocation__in=units,
        noticed_at__gte=F("case__allocation__allocated_at"),
        noticed_at__lte=F("case__allocation__allocated_at") + follow_up,
    ).filter(noticed_at__lte=at)
    found: dict[int, list[str]] = defaultdict(list)
    for allocation, kind in events.order_by("pk").values_list("case__allocation", "kind"):
        found[allocation].append(kind)
    return found
