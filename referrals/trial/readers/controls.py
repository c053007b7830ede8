"""What the pages about the check of controls read: which are to be looked up, and how many have been."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
)
from django.utils import timezone

from referrals.models import (
    CONTROL_CONTACTED,
    Allocation,
    Arm,
    Deviation,
    Referral,
    Trial,
    TrialStatus,
)
from referrals.scope import allocations_visible_to, trials_to_check
from referrals.trial.readers.deviations import in_words, standing_deviations
from src_app.accounts.models import User
from src_app.templatetags.words import day


@dataclass(frozen=True)
class Checks:
    """How many control units of a trial have their follow-up over, and how many of these were looked up.

    Younger ones are not counted: while a trial recruits they would tell what is left in a block.
    """

    trial: Trial
    followed: int
    checked: int

    @property
    def waiting(self) -> int:
        return self.followed - self.checked


@dataclass(frozen=True)
class ControlRow:
    """A control unit to look up, and in words each contact that is recorded of it."""

    control: Allocation
    contacts: list[str]


def checks_of(trial: Trial, at: datetime) -> Checks:
    """How far the check of the controls has come, of one of ``trials_to_check``."""
    return _checks([trial], at)[0]


def waiting_checks(user: User, at: datetime) -> list[Checks]:
    """Of each trial that has controls to look up; trials in the order in which they were opened."""
    trials = list(trials_to_check(user).filter(status__in=OUTCOMES_STILL_OPEN).order_by("opened_at", "pk"))
    return [checks for checks in _checks(trials, at) if checks.waiting]


def _checks(trials: list[Trial], at: datetime) -> list[Checks]:
    counts = {
        trial: (followed, checked)
        for trial, followed, checked in controls_followed(trials, at)
        .values_list("trial")
        .annotate(Count("pk"), Count("control_check"))
    }
    return [Checks(trial, *counts.get(trial.pk, (0, 0))) for trial in trials]


def control_rows(trial: Trial, controls: Iterable[Allocation]) -> list[ControlRow]:
    """The controls, in their order."""
    listed = list(controls)
    follow_up = timedelta(days=trial.conduct.follow_up_days)
    found: dict[int, list[str]] = {control.pk: [] for control in listed}
    for unit, contact in contacts_of_controls(found, follow_up):
        of = ", by a linked report" if contact.allocation_id != unit else ""
        found[unit].append(f"{in_words(contact.kind)} on {day(contact.happened_on)}{of}.")
    for unit in controls_with_src(found, follow_up):
        found[unit].append("The neighbourhood team contacted the victim over a referral outside the trial.")
    return [ControlRow(control, found[control.pk]) for control in listed]


# Trials that may have allocated, and whose outcomes are not locked.
OUTCOMES_STILL_OPEN = (TrialStatus.RECRUITING, TrialStatus.CLOSED)


def controls_followed(trials: Iterable[Trial], at: datetime) -> QuerySet[Allocation]:
    """Control units, whose follow-up is over, of trials that the account may see.

    A trial's cases are its BCU's: the cases themselves are not asked, so that an index of the controls alone
    is read however many cases there are.
    """
    over = Q(pk__in=[])
    for trial in trials:
        over |= Q(trial=trial, allocated_at__lte=at - timedelta(days=trial.conduct.follow_up_days))
    return Allocation.objects.filter(over, arm=Arm.CONTROL, position__isnull=False)


def controls_to_check(trial: Trial, user: User, at: datetime) -> QuerySet[Allocation]:
    """Control units of the trial whose follow-up is over, not looked up on the crime record yet.

    The first allocated first; none once outcomes are locked.
    """
    followed = allocations_visible_to(user) & controls_followed([trial], at)
    waiting = followed.filter(trial__status__in=OUTCOMES_STILL_OPEN, control_check__isnull=True)
    return waiting.order_by("number", "pk")


def contacts_of_controls(units: Collection[int], follow_up: timedelta) -> list[tuple[int, Deviation]]:
    """Contacts recorded of these control units, by key, within their follow-up, each with its unit's key.

    By the unit's own report or by one that is linked to it.
    """
    reports = Allocation.objects.filter(Q(pk__in=units) | Q(follows__in=units))
    found = []
    recorded = standing_deviations(reports).filter(kind__in=CONTROL_CONTACTED)
    for contact in recorded.select_related("allocation__follows"):
        unit = contact.allocation.follows or contact.allocation
        if contact.happened_on <= timezone.localdate(unit.allocated_at + follow_up):
            found.append((unit.pk, contact))
    return found


def controls_with_src(units: Collection[int], follow_up: timedelta) -> set[int]:
    """Of these control units, by key, those whose victim had SRC in follow-up, outside any trial.

    Over another report, or over their own or a linked one that was referred all the same.
    """
    same = Q(case__incident_hash=OuterRef("case__incident_hash")) & ~Q(case__incident_hash="")
    same |= Q(case__victim_hash=OuterRef("case__victim_hash")) & ~Q(case__victim_hash="")
    same |= Q(case__allocation=OuterRef("pk")) | Q(case__allocation__follows=OuterRef("pk"))
    referrals = Referral.objects.filter(
        same,
        allocation__isnull=True,
        contacted_at__gte=OuterRef("allocated_at"),
        contacted_at__lte=OuterRef("allocated_at") + follow_up,
    )
    return set(Allocation.objects.filter(Exists(referrals), pk__in=units).values_list("pk", flat=True))
