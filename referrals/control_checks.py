"""What the pages about the check of controls read: which are to be looked up, and how many have been."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from referrals.deviation_pages import in_words
from referrals.models import Allocation, Trial
from referrals.queries import (
    UNLOCKED,
    contacts_of_controls,
    controls_followed,
    controls_with_src,
    trials_to_check,
)
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
    trials = list(trials_to_check(user).filter(status__in=UNLOCKED).order_by("opened_at", "pk"))
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
        found[unit].append("The neighbourhood team contacted the victim over another report.")
    return [ControlRow(control, found[control.pk]) for control in listed]
