"""Who makes the contact: taking a referral, and handing it back."""

from datetime import datetime

from django.db import transaction

from referrals.contact.actions.referral_lock import (
    lock_referral,
    record_change,
    refuse_closed,
    refuse_handed_over,
    refuse_officer_in_case,
)
from referrals.models import Referral, ReferralStatus
from referrals.scope import referrals_visible_to
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.refused import Refused
from src_app.templatetags.words import moment


class TakenAlready(Refused):
    """Somebody else took the referral first."""


def take(*, referral_id: int, by: User, at: datetime) -> Referral:
    """Gives the referral to whoever asks first; the others are told who has it.

    Taking twice changes nothing. Raises ``Referral.DoesNotExist`` for another team's.
    """
    check_authority(by, Permission.CONTACT_VICTIMS)
    with transaction.atomic():
        referral = referrals_visible_to(by).select_related("case").get(pk=referral_id)
        refuse_officer_in_case(referral, by)
        taken = Referral.objects.filter(
            pk=referral_id, team=referral.team_id, status=ReferralStatus.OPEN, taken_by__isnull=True
        ).update(taken_at=at, taken_by=by)
        referral = Referral.objects.select_related("case", "team", "taken_by").get(pk=referral_id)
        if taken:
            # An extract may have named them while this waited for its turn.
            refuse_officer_in_case(referral, by)
            record_change(Action.REFERRAL_TAKEN, referral, by, ["taken_at", "taken_by"])
            return referral
    refuse_handed_over(referral, by)
    refuse_closed(referral)
    if referral.taken_by == by:
        return referral
    if referral.taken_by is None:
        raise Refused(f"{referral.number} was handed back this moment: take it again.")
    raise TakenAlready(
        f"{referral.taken_by} took {referral.number} on {moment(referral.taken_at)}. "
        "There is nothing for you to do, unless they ask you to."
    )


def give_back(*, referral_id: int, by: User) -> Referral:
    """Hands a taken referral back to its team: whoever has it, or a supervisor.

    Handing back what nobody has changes nothing.
    """
    with transaction.atomic():
        referral = lock_referral(referral_id, by)
        refuse_closed(referral)
        if referral.taken_by is None:
            return referral
        if referral.taken_by != by and not by.can(Permission.CHASE_REFERRALS):
            raise Refused(
                f"{referral.taken_by} has {referral.number}: ask them or your supervisor to return it."
            )
        referral.taken_at = referral.taken_by = None
        referral.save(update_fields=["taken_at", "taken_by"])
        record_change(Action.REFERRAL_RETURNED, referral, by, ["taken_at", "taken_by"])
    return referral
