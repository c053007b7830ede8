"""What people have goes back to its team while they are away, and when they have left."""

from datetime import datetime

from django.db import transaction

from referrals.contact.actions.notices import give_notice
from referrals.contact.actions.referral_lock import record_change
from referrals.contact.readers.colleagues import owned_by_somebody_away, with_somebody_away
from referrals.models import Case, FollowUp, MailKind, Noticed, Referral
from referrals.scope import today
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record


def return_work(*, by: User, at: datetime) -> int:
    """Gives back every open referral and follow-up of somebody who cannot see to it; returns how many.

    It asks who is away now, so it does not matter what made them so: leave that has begun, a closed account,
    another team. Each is a transaction of its own. The team is told of its referrals by mail.
    """
    check_authority(by, Permission.SEND_REMINDERS)
    on = today()
    returned = sum(_return_referral(pk, by, at) for pk in with_somebody_away(on).values_list("pk", flat=True))
    return returned + _return_follow_ups(by)


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


def _return_follow_ups(by: User) -> int:
    with transaction.atomic():
        returned = list(owned_by_somebody_away(today()).select_for_update(of=("self",)))
        if returned:
            FollowUp.objects.filter(pk__in=[each.pk for each in returned]).update(
                acknowledged_at=None, acknowledged_by=None
            )
            record(
                Action.FOLLOW_UP_RETURNED,
                by=by,
                purpose=Purpose.SUPERVISION,
                subject="case",
                references=dict.fromkeys(each.name for each in returned),
                fields=["acknowledged_at", "acknowledged_by"],
            )
    return len(returned)
