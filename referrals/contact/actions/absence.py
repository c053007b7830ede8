"""What people have goes back to its team while they are away, and when they have left."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import DatabaseError, transaction

from referrals.contact.actions.notices import give_notice
from referrals.contact.actions.referral_lock import record_change
from referrals.models import Case, MailKind, Noticed, Referral
from referrals.places.readers import owned_by_somebody_away, with_somebody_away
from referrals.scope import today
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

log = structlog.get_logger(__name__)


def return_work(*, by: User, at: datetime) -> int:
    """Gives back every open referral and follow-up of somebody who cannot see to it; returns how many.

    It asks who is away now, so it does not matter what made them so: leave that has begun, a closed account,
    another team or role. Each is a transaction of its own. The team is told of its referrals by mail.
    """
    check_authority(by, Permission.SEND_REMINDERS)
    on = today()
    referrals = list(with_somebody_away(on).order_by("case_id").values_list("pk", flat=True))
    follow_ups = list(owned_by_somebody_away(on).order_by("pk").values_list("pk", flat=True))
    returned = sum(_tried(_return_referral, pk, by, at) for pk in referrals)
    return returned + sum(_tried(_return_follow_up, pk, by, at) for pk in follow_ups)


def _tried(action: Callable[[int, User, datetime], bool], pk: int, by: User, at: datetime) -> bool:
    """What the action says; one that the database refuses is logged, and does not hold up the others."""
    try:
        return action(pk, by, at)
    except DatabaseError as error:
        log.error("work not returned", of=action.__name__, record=pk, error=type(error).__name__)
        return False


def _return_referral(referral_id: int, by: User, at: datetime) -> bool:
    with transaction.atomic():
        case_id = Referral.objects.values_list("case_id", flat=True).get(pk=referral_id)
        case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
        locked = with_somebody_away(today()).filter(pk=referral_id).select_related("team")
        referral = locked.select_for_update(of=("self",)).first()
        if referral is None:
            return False
        referral.case = case
        fields = referral.put_back()
        referral.save(update_fields=fields)
        record_change(Action.REFERRAL_RETURNED, referral, by, fields)
        give_notice(referral=referral, changed=[Noticed.HOLDER_AWAY], by=by, at=at, mail=MailKind.HOLDER_AWAY)
    return True


def _return_follow_up(follow_up_id: int, by: User, _at: datetime) -> bool:
    with transaction.atomic():
        away = owned_by_somebody_away(today())
        follow_up = away.filter(pk=follow_up_id).select_for_update(of=("self",)).first()
        if follow_up is None:
            return False
        follow_up.acknowledged_at = follow_up.acknowledged_by = None
        follow_up.save(update_fields=["acknowledged_at", "acknowledged_by"])
        record(
            Action.FOLLOW_UP_RETURNED,
            by=by,
            purpose=Purpose.SUPERVISION,
            subject="case",
            references=dict.fromkeys([follow_up.name, follow_up.about.crime_reference]),
            fields=["acknowledged_at", "acknowledged_by"],
        )
    return True
