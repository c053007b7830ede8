"""What the page of a trial's wards reads: the mode that counts in each, and what is planned."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from referrals.models import Mode, Trial, TrialStatus, Ward
from referrals.places.readers import mode_words
from referrals.places.ward_modes import WardModes
from referrals.rules.trial.rollout import Step
from referrals.rules.ward_modes import Planned


@dataclass(frozen=True)
class Change:
    """A mode planned from a day on; ``begun``: that day has come, and no later one has."""

    day: date
    words: str
    begun: bool


@dataclass(frozen=True)
class WardPlan:
    """A ward of the protocol: what happens to a suitable case of today, and what is planned."""

    ward: Ward
    mode: str
    changes: list[Change]


@dataclass(frozen=True)
class NamedStep:
    """A step of a roll-out, with its wards as they stand today."""

    day: date
    wards: list[WardPlan]


def may_begin(trial: Trial) -> bool:
    """Whether wards can still join the trial."""
    return trial.status in (TrialStatus.SEALED, TrialStatus.RECRUITING)


def ward_plans(trial: Trial, today: date) -> list[WardPlan]:
    """The wards of the trial's protocol, by borough and name."""
    wards = Ward.objects.filter(code__in=trial.conduct.wards).select_related("borough")
    return plans_of(wards.order_by("borough__name", "name", "code"), trial, today)


def plans_of(wards: Iterable[Ward], trial: Trial, today: date) -> list[WardPlan]:
    """How these wards stand and what is planned for them, in their order."""
    wards = list(wards)
    modes = WardModes(wards)
    return [
        WardPlan(
            ward=ward,
            mode=mode_words(modes.on(ward.pk, today)),
            changes=_changes(modes, modes.planned.get(ward.pk, []), trial, today),
        )
        for ward in wards
    ]


def _changes(modes: WardModes, planned: list[Planned], trial: Trial, today: date) -> list[Change]:
    """The last that has begun, and all to come."""
    begun = [each for each in planned if each.starts_on <= today][-1:]
    to_come = [each for each in planned if each.starts_on > today]
    return [
        Change(each.starts_on, _words(modes, each, trial), begun=each in begun) for each in [*begun, *to_come]
    ]


def _words(modes: WardModes, planned: Planned, trial: Trial) -> str:
    if planned.trial is None:
        return str(Mode(planned.mode).label)
    return "This trial" if planned.trial == trial.pk else f"Trial: {modes.trials[planned.trial].name}"


def counted_by_mode(plans: Collection[WardPlan]) -> list[tuple[str, int]]:
    """How many of the wards have each mode today, the most frequent first."""
    found: dict[str, int] = {}
    for plan in plans:
        found[plan.mode] = found.get(plan.mode, 0) + 1
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))


def named_steps(steps: Iterable[Step], plans: Collection[WardPlan]) -> list[NamedStep]:
    """The steps with their wards in the order in which they come."""
    of_code = {plan.ward.code: plan for plan in plans}
    return [NamedStep(step.day, [of_code[code] for code in step.wards]) for step in steps]
