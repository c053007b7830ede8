"""Every page of a referral shows its restrictions and notes, and so is an opening of it."""

from collections.abc import Iterable

from referrals.models import Referral
from src_app.accounts.guards import SignedInRequest
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record


def record_opening(request: SignedInRequest, referral: Referral, linked: Iterable[str] = ()) -> None:
    """Records who opened it, to make contact or to look after it, and the numbers of linked ones it named."""
    contacts = request.user.can(Permission.CONTACT_VICTIMS)
    record(
        Action.REFERRAL_OPENED,
        by=request.user,
        purpose=Purpose.CONTACT if contacts else Purpose.SUPERVISION,
        subject="referral",
        references=[referral.number, referral.case.crime_reference, *linked],
    )
