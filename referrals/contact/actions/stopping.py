"""Stopping the clock of a referral for a reason, until an end; it goes on by itself, or earlier by hand."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from referrals.contact.actions.referral_lock import (
    lock_referral,
    record_change,
    refuse_closed,
    refuse_officer_in_case,
)
from referrals.deadlines.actions import move_due
from referrals.deadlines.readers import bank_holidays, counted_again
from referrals.models import ClockStop, MoveReason, Referral, StopReason
from referrals.rules.deadlines import Stop, why_not_stop
from src_app.accounts.models import User
from src_app.audit.models import Action
from src_app.refused import Refused


def stop_clock(*, referral_id: int, reason: StopReason, until: datetime, by: User, at: datetime) -> ClockStop:
    """Stops the clock of an open referral from now until then: contact is due later by so long.

    The same again, while it stands, changes nothing. Raises :class:`Refused` for what is overdue, and for
    longer than ``LONGEST_STOP`` in all.
    """
    with transaction.atomic():
        referral = lock_referral(referral_id, by)
        refuse_closed(referral)
        refuse_officer_in_case(referral, by)
        stops = list(referral.stops.order_by("starts_at"))
        for stop in stops:
            if (stop.reason, stop.ends_at) == (reason, until) and at < until:
                return stop
        spans = [Stop(stop.starts_at, stop.ends_at) for stop in stops]
        if why := why_not_stop(due_at=referral.due_at, stops=spans, until=until, at=at):
            raise Refused(why)
        stop = ClockStop.objects.create(
            referral=referral, reason=reason, starts_at=at, ends_at=until, stopped_by=by
        )
        counted = _due_with(referral, [*stops, stop], referral.due_at + Stop(at, until).length)
        due_at = max(counted, referral.due_at)
        move_due(referral=referral, to=due_at, reason=MoveReason.STOPPED, stop=stop, by=by, at=at)
        referral.stopped_until = until
        referral.save(update_fields=["stopped_until"])
        record_change(Action.CLOCK_STOPPED, referral, by, ["stopped_until", "due_at"])
    return stop


def let_clock_go_on(*, referral_id: int, by: User, at: datetime) -> Referral:
    """Ends a stop before its time: contact is due later only by how long the clock stood.

    Where the clock runs already nothing changes.
    """
    with transaction.atomic():
        referral = lock_referral(referral_id, by)
        refuse_closed(referral)
        refuse_officer_in_case(referral, by)
        stop = referral.stops.filter(ends_at__gt=at).first()
        if stop is None:
            return referral
        left = Stop(at, stop.ends_at).length
        stop.ends_at, stop.ended_by = at, by
        stop.save(update_fields=["ends_at", "ended_by"])
        referral.stopped_until = at
        referral.save(update_fields=["stopped_until"])
        due_at = _due_with(referral, referral.stops.all(), referral.due_at - left)
        move_due(referral=referral, to=due_at, reason=MoveReason.WENT_ON, stop=stop, by=by, at=at)
        record_change(Action.CLOCK_WENT_ON, referral, by, ["stopped_until", "due_at"])
    return referral


def _due_with(referral: Referral, stops: Collection[ClockStop], by_hours: datetime) -> datetime:
    """The due time with these stops: ``by_hours``, or counted anew where it was given in working days."""
    if referral.working_days is None:
        return by_hours
    return counted_again(referral, holidays=bank_holidays(), stops=stops)
