"""When each ward of a trial begins, and when it gives SRC to all again: planned by the trial's lead."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile

from django.db import transaction
from django.utils import timezone

from referrals.models import Mode, Trial, TrialStatus, Ward, WardMode
from referrals.places.ward_modes import WardModes
from referrals.rules.trial.draws import sha256
from referrals.rules.trial.rollout import (
    Order,
    Step,
    order_of,
    steps_of,
)
from referrals.rules.trial.seal import rollout_key
from referrals.trial.actions.trial_lock import expect, lock_trial, record_trial
from referrals.trial.actions.ward_modes import set_ward_mode
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.keys import WrongKey, open_seed
from src_app.refused import Refused
from src_app.templatetags.words import day as in_words

_MAY_BEGIN = (TrialStatus.SEALED, TrialStatus.RECRUITING)
_SEALED_ONCE = tuple(TrialStatus(status) for status in TrialStatus.since(TrialStatus.SEALED))


@dataclass(frozen=True)
class RollOut:
    """What a roll-out would do: wards by code; ``started`` recruit already and keep their day.

    ``replaced`` gives way: starts of this trial that were planned before and have not begun, and other modes
    planned for the day of the step.
    """

    steps: tuple[Step, ...]
    started: tuple[str, ...]
    replaced: tuple[WardMode, ...]

    @property
    def digest(self) -> str:
        """Another one for other steps (64 hex digits)."""
        steps = [[step.day.isoformat(), step.wards] for step in self.steps]
        return sha256([steps, [mode.pk for mode in self.replaced]])


def check_trial_wards(
    *, trial_id: int, wards: Collection[str], mode: Mode, starts_on: date, by: User, at: datetime
) -> list[Ward]:
    """The wards that :func:`set_trial_wards` would give the mode, by name; raises what it would raise."""
    with transaction.atomic():
        _, found = _wards_to_set(trial_id, wards, mode, starts_on, by, at)
    return found


def set_trial_wards(
    *, trial_id: int, wards: Collection[str], mode: Mode, starts_on: date, by: User, at: datetime
) -> int:
    """Gives wards of the trial's protocol, by code, a mode from a day on; returns how many changed.

    Raises :class:`Refused` for a day that is past, and for wards whose mode begins today.
    """
    with transaction.atomic():
        trial, found = _wards_to_set(trial_id, wards, mode, starts_on, by, at)
        return set_ward_mode(
            wards=found,
            mode=mode,
            starts_on=starts_on,
            by=by,
            trial=trial if mode == Mode.TRIAL else None,
            within=trial,
        )


def _wards_to_set(
    trial_id: int, codes: Collection[str], mode: Mode, starts_on: date, by: User, at: datetime
) -> tuple[Trial, list[Ward]]:
    trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
    expect(trial, *(_MAY_BEGIN if mode == Mode.TRIAL else _SEALED_ONCE))
    today = timezone.localdate(at)
    if mode == Mode.TRIAL:
        _check_days(trial, starts_on, starts_on, today)
    else:
        _refuse_the_past(starts_on, today)
    wards = list(Ward.objects.filter(code__in=codes).select_related("borough").order_by("name", "code"))
    _refuse_to_rewrite_today(wards, mode, trial, starts_on, today)
    return trial, wards


def _check_days(trial: Trial, first: date, last: date, today: date) -> None:
    """Raises :class:`Refused` unless a ward can begin on these days."""
    conduct = trial.conduct
    _refuse_the_past(first, today)
    if first < conduct.recruits_from:
        raise Refused(
            f"The protocol lets this trial recruit from {in_words(conduct.recruits_from)} on: choose that "
            "day or a later one."
        )
    if last > conduct.recruits_until:
        raise Refused(
            f"A ward would begin on {in_words(last)}, after the protocol's last day, "
            f"{in_words(conduct.recruits_until)}: begin earlier, with more wards a step or fewer days "
            "between."
        )


def _refuse_the_past(day: date, today: date) -> None:
    if day < today:
        raise Refused(
            f"{in_words(day)} is past: cases were decided by the modes of then. Choose today or a later day."
        )


def _refuse_to_rewrite_today(
    wards: Collection[Ward], mode: Mode, trial: Trial, starts_on: date, today: date
) -> None:
    """A mode that begins today may have decided about a case since the morning."""
    if starts_on != today:
        return
    begun = WardMode.objects.filter(ward__in=wards, starts_on=today).select_related("ward")
    other = [
        each.ward.name
        for each in begun.order_by("ward__name")
        if (each.mode, each.trial_id) != (mode, trial.pk if mode == Mode.TRIAL else None)
    ]
    if other:
        raise Refused(f"{', '.join(other)}: another mode begins there today. Choose tomorrow or a later day.")


def preview_roll_out(
    *,
    trial_id: int,
    first_day: date,
    wards_a_step: int,
    days_between: int,
    order: Order,
    by: User,
    at: datetime,
) -> RollOut:
    """What :func:`plan_roll_out` would do; raises what it would raise."""
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
        return _proposed(trial, first_day, wards_a_step, days_between, order, at)


def plan_roll_out(
    *,
    trial_id: int,
    first_day: date,
    wards_a_step: int,
    days_between: int,
    order: Order,
    by: User,
    at: datetime,
    seen: str | None = None,
) -> RollOut:
    """Lets the protocol's wards begin step by step; those that recruit already keep their day.

    ``days_between`` is from one step to the next; ``seen`` the digest of the steps that were read. Starts
    planned before that have not begun give way. Raises :class:`Refused` for days that are past or beyond the
    protocol's, and where what was read is not what there is now.
    """
    with transaction.atomic():
        trial = lock_trial(trial_id, by, Permission.MANAGE_TRIALS)
        proposed = _proposed(trial, first_day, wards_a_step, days_between, order, at)
        if seen is not None and seen != proposed.digest:
            raise Refused(
                "The wards were changed after these steps were shown, and nothing more was planned: look at "
                "the wards, then check again."
            )
        for mode in proposed.replaced:
            _put_back(mode, trial, by)
        for step in proposed.steps:
            wards = Ward.objects.filter(code__in=step.wards).order_by("code")
            set_ward_mode(wards=wards, mode=Mode.TRIAL, starts_on=step.day, by=by, trial=trial, within=trial)
        record_trial(Action.WARD_MODE_SET, trial, by, ["ward_modes", order.value])
    return proposed


def _proposed(
    trial: Trial, first_day: date, wards_a_step: int, days_between: int, order: Order, at: datetime
) -> RollOut:
    expect(trial, *_MAY_BEGIN)
    today = timezone.localdate(at)
    _refuse_the_past(first_day, today)
    wards = {ward.code: ward for ward in Ward.objects.filter(code__in=trial.conduct.wards)}
    planned = WardModes(wards.values()).planned
    started = tuple(
        code
        for code, ward in sorted(wards.items())
        if (begun := [each for each in planned.get(ward.pk, []) if each.starts_on <= today])
        and begun[-1].trial == trial.pk
    )
    waiting = [code for code in _ordered(trial, wards, order) if code not in started]
    if not waiting:
        raise Refused("Every ward of the protocol is in this trial already: there is nothing to roll out.")
    steps = steps_of(waiting, first_day=first_day, wards_a_step=wards_a_step, days_between=days_between)
    _check_days(trial, first_day, steps[-1].day, today)
    _refuse_to_rewrite_today([wards[code] for code in steps[0].wards], Mode.TRIAL, trial, first_day, today)
    return RollOut(steps, started, _to_replace(trial, steps, today))


def _ordered(trial: Trial, wards: dict[str, Ward], order: Order) -> Sequence[str]:
    match order:
        case Order.BY_NAME:
            return sorted(wards, key=lambda code: (wards[code].name, code))
        case Order.AS_LISTED:
            return trial.conduct.wards
        case Order.DRAWN:
            # Of all wards of the protocol, whichever have begun: anybody can draw it again after the reveal.
            return order_of(_key(trial), trial.conduct.wards)


def _key(trial: Trial) -> bytes:
    try:
        seed = open_seed(trial.seed_encrypted)
    except WrongKey as error:
        raise Refused(
            "The key that sealed this trial is missing: no order was drawn. Tell the administrator."
        ) from error
    return rollout_key(seed, trial.protocol_digest)


def _to_replace(trial: Trial, steps: Collection[Step], today: date) -> tuple[WardMode, ...]:
    days = {code: step.day for step in steps for code in step.wards}
    planned = WardMode.objects.filter(ward__code__in=days, starts_on__gt=today).select_related("ward")
    return tuple(
        mode
        for mode in planned.order_by("starts_on", "ward__name")
        if (mode.starts_on < days[mode.ward.code] and mode.trial_id == trial.pk)
        or (mode.starts_on == days[mode.ward.code] and mode.trial_id != trial.pk)
    )


def _put_back(replaced: WardMode, trial: Trial, by: User) -> None:
    """Gives the ward on that day the mode it had before: it stays on record that something was planned."""
    modes = WardMode.objects.filter(ward=replaced.ward).select_related("trial").order_by("starts_on")
    earlier = [*takewhile(lambda mode: mode.starts_on < replaced.starts_on, modes)]
    mode, other = (Mode(earlier[-1].mode), earlier[-1].trial) if earlier else (Mode.SRC_FOR_ALL, None)
    set_ward_mode(
        wards=[replaced.ward], mode=mode, starts_on=replaced.starts_on, by=by, trial=other, within=trial
    )
