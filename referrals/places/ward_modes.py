"""Which mode applies to a ward on a day, read from the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from referrals.models import Mode, Pause, Trial, TrialStatus, Ward, WardMode
from referrals.rules.ward_modes import Planned, RecruitmentPhase, mode_on

_RECRUITMENT = {
    TrialStatus.DRAFT: RecruitmentPhase.NOT_YET,
    TrialStatus.SEALED: RecruitmentPhase.NOT_YET,
    TrialStatus.RECRUITING: RecruitmentPhase.ON,
}
_PAUSED = {Mode.SRC_FOR_ALL: RecruitmentPhase.PAUSED_SRC, Mode.NOT_STARTED: RecruitmentPhase.PAUSED_USUAL}


@dataclass(frozen=True)
class EffectiveMode:
    """The mode that applies to a ward on a day; in trial mode also the trial that recruits there."""

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

    def effective_mode(self, ward: int, day: date) -> EffectiveMode:
        """The mode of a ward, by its key, for a report of that day."""
        mode, trial = mode_on(day, self.planned.get(ward, []), self.recruitment)
        return EffectiveMode(Mode(mode), self.trials[trial] if trial is not None else None)


def _recruitment(trial: Trial, meanwhile: dict[int, str]) -> RecruitmentPhase:
    if trial.pk in meanwhile:
        return _PAUSED[Mode(meanwhile[trial.pk])]
    return _RECRUITMENT.get(TrialStatus(trial.status), RecruitmentPhase.OVER)
