"""What the list of trials reads: how far each has come, never by arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q

from referrals.models import Trial, TrialStatus, Ward
from referrals.places.ward_modes import WardModes
from referrals.scope import today, trials_visible_to
from src_app.accounts.models import User


@dataclass(frozen=True)
class TrialRow:
    """A trial as its lead sees it before outcomes are locked: never by arm, nor what is left in a block."""

    trial: Trial
    wards: list[str]
    units: int
    linked: int

    @property
    def target(self) -> int:
        """Units that the protocol asks for."""
        return self.trial.design.target


def trial_rows(user: User) -> list[TrialRow]:
    """The trials of the account's BCUs, those that recruit first."""
    trials = (
        trials_visible_to(user)
        .annotate(
            units=Count("allocations", filter=Q(allocations__position__isnull=False)),
            linked=Count("allocations", filter=Q(allocations__follows__isnull=False)),
        )
        .order_by("name")
    )
    listed = sorted(trials, key=lambda trial: trial.status != TrialStatus.RECRUITING)
    wards = wards_in(listed, today())
    return [
        TrialRow(trial=trial, wards=wards[trial.pk], units=trial.units, linked=trial.linked)
        for trial in listed
    ]


def wards_in(trials: Sequence[Trial], day: date) -> dict[int, list[str]]:
    """For each trial, by its key, the names of the wards in which it recruits on that day."""
    wards = Ward.objects.filter(modes__trial__in=trials).distinct().order_by("borough__name", "name")
    modes = WardModes(wards)
    found: dict[int, list[str]] = {trial.pk: [] for trial in trials}
    for ward in wards:
        trial = modes.on(ward.pk, day).trial
        if trial is not None and trial.pk in found:
            found[trial.pk].append(ward.name)
    return found
