"""Days on which somebody is not at work: set by themselves, or by whoever sees to the work of their team."""

from datetime import date, datetime

from django.db import transaction

from referrals.models import Leave
from referrals.places.readers import may_set_leave
from referrals.scope import today
from src_app.accounts.guards import NotAllowed, check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import day


def set_leave(*, user: User, starts_on: date, back_on: date, by: User, at: datetime) -> Leave:
    """Says that somebody is away from one day until the day before they are back.

    What they have goes back to its team on the first day. Raises :class:`Refused` for days that have passed,
    and for days of another leave.
    """
    _check(user, by)
    if back_on <= starts_on:
        raise Refused("The day they are back must come after the first day of leave: change one of the two.")
    if starts_on < today():
        raise Refused("Leave begins today or later: give the first day that is still to come.")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        # A leave that was set by mistake has no day at all.
        others = Leave.objects.filter(user=user, starts_on__lt=back_on, back_on__gt=starts_on)
        for other in others:
            if other.starts_on < other.back_on:
                raise Refused(
                    f"{user} is on leave from {day(other.starts_on)} and back on {day(other.back_on)}: "
                    "end that leave first, or give other days."
                )
        leave = Leave.objects.create(user=user, starts_on=starts_on, back_on=back_on, set_at=at, set_by=by)
        _record(leave, by)
    return leave


def end_leave(*, leave_id: int, by: User) -> Leave:
    """Ends a leave today, or before it has begun; what went back to the team stays there.

    Raises ``Leave.DoesNotExist`` for that of somebody whose leave is not this account's to set.
    """
    with transaction.atomic():
        leave = Leave.objects.select_related("user").select_for_update(of=("self",)).get(pk=leave_id)
        if not may_set_leave(leave.user, by):
            raise Leave.DoesNotExist
        ended_on = max(leave.starts_on, today())
        if ended_on < leave.back_on:
            leave.back_on = ended_on
            leave.save(update_fields=["back_on"])
            _record(leave, by)
    return leave


def _check(user: User, by: User) -> None:
    check_authority(by, Permission.VIEW_REFERRALS)
    if not may_set_leave(user, by):
        raise NotAllowed


def _record(leave: Leave, by: User) -> None:
    record(
        Action.LEAVE_SET,
        by=by,
        purpose=Purpose.SUPERVISION,
        subject="account",
        references=[leave.user.username],
        fields=["starts_on", "back_on"],
    )
