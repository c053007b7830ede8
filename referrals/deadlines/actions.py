"""Policies set from a day on, bank holidays added, and due times moved; each move has its row."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from referrals.deadlines.readers import holidays_left_out, moved_by, open_over
from referrals.models import BankHoliday, Bcu, ClockStop, DeadlinePolicy, DueMove, MoveReason, Referral
from referrals.rules.bank_holidays import listed_holidays
from referrals.rules.deadlines import is_working_day
from referrals.scope import today
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import day as in_words

# A holiday that was forgotten still moves what it should have moved; one that is years away is on no list.
_ADDED_AFTER = timedelta(days=30)
_ADDED_BEFORE = timedelta(days=3 * 365)


def set_policy(
    *, bcu_id: int, starts_on: date, asked: Mapping[str, Any], by: User, at: datetime
) -> DeadlinePolicy:
    """What a BCU asks from that day on; one that was set for the same day is replaced.

    ``asked``: fields of :class:`DeadlinePolicy`. It changes no due time that was given. Raises
    :class:`Refused` for a day that has passed.
    """
    check_authority(by, Permission.MANAGE_PLACES)
    refuse_past(starts_on)
    with transaction.atomic():
        bcu = Bcu.objects.select_for_update().get(pk=bcu_id)
        policy, _ = DeadlinePolicy.objects.update_or_create(
            bcu=bcu, starts_on=starts_on, defaults={**asked, "set_at": at, "set_by": by}
        )
        record(
            Action.DEADLINES_SET,
            by=by,
            purpose=Purpose.ADMINISTRATION,
            subject="bcu",
            references=[bcu.code],
            fields=sorted(asked),
        )
    return policy


def refuse_past(starts_on: date) -> None:
    """Raises :class:`Refused` for a day from which nothing can apply any more."""
    if starts_on < today():
        raise Refused("Deadlines apply from today or a later day: give such a day.")


def refuse_known(day: date) -> None:
    """Raises :class:`Refused` for a day that is no bank holiday to add."""
    if day in listed_holidays():
        raise Refused(f"{in_words(day)} is on the list already ({listed_holidays()[day]}).")
    if not is_working_day(day, ()):
        raise Refused(f"{in_words(day)} is a {day:%A}, no working day: give the day that people have off.")
    if not today() - _ADDED_AFTER <= day <= today() + _ADDED_BEFORE:
        raise Refused("Give a day of the last 30 days, or of the next 3 years.")
    if BankHoliday.objects.filter(day=day).exists():
        raise Refused(f"{in_words(day)} was added already: there is nothing more to do.")


def add_holiday(*, day: date, name: str, by: User, at: datetime) -> list[Referral]:
    """Adds a bank holiday that was proclaimed late, and moves what it makes due later; returns that.

    Raises :class:`Refused` for a day that is none, or that is known.
    """
    check_authority(by, Permission.MANAGE_PLACES)
    with transaction.atomic():
        refuse_known(day)
        holiday = BankHoliday.objects.create(day=day, name=name.strip(), added_at=at, added_by=by)
        return _move_for(holiday, by, at)


def recount_due_times(*, by: User, at: datetime) -> list[Referral]:
    """The sweep: moves open referrals that were counted without a bank holiday which is known now.

    It came with a new release of the list, or was added while a referral was made or opened again. Returns
    what was moved. Such a day of the list is kept as an added one is, so that each move names its cause.
    """
    check_authority(by, Permission.MANAGE_PLACES)
    moved = []
    for day in holidays_left_out():
        with transaction.atomic():
            # The day before it may have moved all that this one does.
            if moved_by(day, open_over(day).select_for_update(of=("self",))):
                named = {"name": listed_holidays().get(day, ""), "added_at": at, "added_by": by}
                holiday, _ = BankHoliday.objects.get_or_create(day=day, defaults=named)
                moved += _move_for(holiday, by, at)
    return moved


def _move_for(holiday: BankHoliday, by: User, at: datetime) -> list[Referral]:
    """Moves the open referrals that this holiday makes due later, and returns them."""
    moved = moved_by(holiday.day, open_over(holiday.day).select_for_update(of=("self",)))
    reason = MoveReason.HOLIDAY
    for each in moved:
        move_due(referral=each.referral, to=each.due_at, reason=reason, holiday=holiday, by=by, at=at)
    record(
        Action.HOLIDAY_ADDED,
        by=by,
        purpose=Purpose.ADMINISTRATION,
        subject="referral",
        references=[each.referral.number for each in moved],
        fields=["due_at"] if moved else [],
    )
    return [each.referral for each in moved]


def move_due(
    *,
    referral: Referral,
    to: datetime,
    reason: MoveReason,
    by: User,
    at: datetime,
    holiday: BankHoliday | None = None,
    stop: ClockStop | None = None,
) -> None:
    """Moves a due time, with the row that says why; nothing where it stays. The caller holds the lock."""
    if to == referral.due_at:
        return
    DueMove.objects.create(
        referral=referral,
        reason=reason,
        from_due_at=referral.due_at,
        to_due_at=to,
        holiday=holiday,
        stop=stop,
        moved_at=at,
        moved_by=by,
    )
    referral.due_at = to
    referral.save(update_fields=["due_at"])
