"""A referral goes to another ward team, of the same BCU or of another, with a reason."""

from datetime import datetime

from django.db import transaction

from referrals.contact.actions.hand_over import hand_over
from referrals.contact.actions.referral_lock import lock_referral, refuse_closed
from referrals.models import TRANSFER_REASONS, HandOverReason, Referral, Ward
from referrals.scope import referrals_led_by
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.refused import Refused


def transfer(
    *, referral_id: int, seen: int, ward: Ward, reason: HandOverReason, by: User, at: datetime
) -> Referral:
    """Gives an open referral to the team of that ward; its clock, its attempts and its notes go along.

    By whoever sees to the work of the team that has it. ``seen``: the key of the ward that it was with, as
    the page said. The case stays its BCU's: for decisions, the trial, outcomes and the flag. From then on the
    ward of the victim's home does not decide. Raises :class:`Refused` where that cannot be, and
    ``Referral.DoesNotExist`` for one out of scope.
    """
    with transaction.atomic():
        referral = lock_referral(referral_id, by, Permission.CHASE_REFERRALS)
        if not referrals_led_by(by).filter(pk=referral.pk).exists():
            raise Referral.DoesNotExist
        refuse_closed(referral)
        if reason not in TRANSFER_REASONS:
            raise Refused("Choose why it goes there.")
        if referral.ward_id != seen:
            raise Refused(
                f"{referral.number} is with {referral.team} for {referral.ward} by now. Nothing was "
                "transferred: look whether it is right."
            )
        # Read anew: another team may cover it since the page was opened.
        ward = Ward.objects.select_related("team").get(pk=ward.pk)
        if ward.team_id == referral.team_id:
            raise Refused(f"{referral.number} is with {referral.team} already: choose another team's ward.")
        hand_over(referral=referral, ward=ward, by_hand=True, reason=reason, by=by, at=at)
    return referral
