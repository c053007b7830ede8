"""Which mode of a ward counts on a day, read from the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from referrals.models import Mode, Pause, Trial, TrialStatus, Ward, WardMode
from referrals.rules.ward_modes import Planned, Recruitment, mode_on

_RECRUITMENT = {
    TrialStatus.DRAFT: Recruitment.NOT_YET,
    TrialStatus.SEALED: Recruitment.NOT_YET,
    TrialStatus.RECRUITING: Recruitment.ON,
}
_PAUSED = {Mode.SRC_FOR_ALL: Recruitment.PAUSED_SRC, Mode.NOT_STARTED: Recruitment.PAUSED_USUAL}


@dataclass(frozen=True)
class Counting:
    """The mode that counts; in trial mode the trial, which recruits."""

    mode: Mode
    trial: Trial | None


class WardModes:
    """The planned modes of wards and how their trials stand, read once, in two queries."""

    def __init__(self, wards: Iterable[Ward | int]) -> None:
        self.planned: dict[int, list[Planned]] = {}
        self.trials: dict[int, Trial] = {}
        modes = WardMode.objects.filter(ward__in=wards).select_related("trial").defer("trial__seed_encrypted")
        for mode in modes.order_by("starts_on"):
            planned = Planned(mode.starts_on, mode.mode, mode.trial_id)
            self.planned.setdefault(mode.ward_id, []).append(planned)
            if mode.trial is not None:
                self.trials[mode.trial.pk] = mode.trial
        paused = Pause.objects.filter(trial__in=self.trials, resumed_at__isnull=True)
        meanwhile = dict(paused.values_list("trial", "meanwhile"))
        self.recruitment = {pk: _recruitment(trial, meanwhile) for pk, trial in self.trials.items()}

    def on(self, ward: int, day: date) -> Counting:
        """The mode of a ward, by its key, for a report of that day."""
        mode, trial = mode_on(day, self.planned.get(ward, []), self.recruitment)
        return Counting(Mode(mode), self.trials[trial] if trial is not None else None)


def _recruitment(trial: Trial, meanwhile: dict[int, str]) -> Recruitment:
    if trial.pk in meanwhile:
        return _PAUSED[Mode(meanwhile[trial.pk])]
    return _RECRUITMENT.get(TrialStatus(trial.status), Recruitment.OVER)
