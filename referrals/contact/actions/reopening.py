"""Opening a referral again that a team had ended."""

import uuid
from datetime import datetime

from django.db import transaction

from referrals.contact.actions.hand_over import leave_closed_team
from referrals.contact.actions.notices import tell_since
from referrals.contact.actions.refer import end_stops
from referrals.contact.actions.referral_lock import (
    lock_referral,
    record_change,
    refuse_officer_in_case,
    tell,
)
from referrals.contact.readers.choices import can_open_again
from referrals.contact.readers.referrals import attempts_that_stand
from referrals.deadlines.readers import given_due
from referrals.mail.reminders import remind_again
from referrals.models import (
    ContactAttempt,
    MailKind,
    Referral,
    ReferralStatus,
    Reopening,
    ReopeningReason,
    Result,
)
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.refused import Refused


def reopen(*, referral_id: int, reason: ReopeningReason, by: User, at: datetime) -> Referral:
    """Opens a referral again that its team ended: by mistake, or the victim asks for contact after all.

    For a supervisor. After a mistake the due time stays, and a contact that counted is withdrawn. A victim
    who asks is due as whoever is referred because they ask. The same again changes nothing.
    """
    check_authority(by, Permission.CHASE_REFERRALS)
    with transaction.atomic():
        referral = lock_referral(referral_id, by)
        refuse_officer_in_case(referral, by)
        if referral.status == ReferralStatus.OPEN:
            return referral
        if why := _why_not(referral, reason):
            raise Refused(why)
        assert referral.closed_at is not None
        ended_at = referral.closed_at
        Reopening.objects.create(
            referral=referral,
            reason=reason,
            reopened_at=at,
            reopened_by=by,
            earlier_reason=referral.close_reason,
            earlier_closed_at=ended_at,
        )
        if referral.status == ReferralStatus.COMPLETED:
            _withdraw_contacts(referral, by, at)
        fields = _open(referral, reason, by, at)
        record_change(Action.REFERRAL_REOPENED, referral, by, fields)
        remind_again(referral, at)
        if not tell_since(referral=referral, since=ended_at, by=by, at=at, mail=MailKind.REOPENED):
            tell(
                kind=MailKind.REOPENED,
                referral=referral,
                mailbox=referral.team.mailbox,
                unique_key=f"{MailKind.REOPENED}:{referral.number}:{at.isoformat()}",
                by=by,
                at=at,
            )
    return referral


def _why_not(referral: Referral, reason: str) -> str:
    """Why it cannot be opened again for that reason; empty when it can."""
    if not can_open_again(referral):
        return "The crime record or the hate crime officer closed it: ask the hate crime officer."
    if referral.status == ReferralStatus.COMPLETED and reason == ReopeningReason.VICTIM_ASKED:
        return "Contact was made, and counts: ask the hate crime officer to have the victim rung again."
    return ""


def _withdraw_contacts(referral: Referral, by: User, at: datetime) -> None:
    for made in attempts_that_stand(referral).filter(result=Result.CONTACT_MADE):
        ContactAttempt.objects.create(
            key=uuid.uuid4(),
            referral=referral,
            made_by=by,
            made_at=at,
            logged_at=at,
            method=made.method,
            result=made.result,
            withdraws=made,
        )
    record_change(Action.ATTEMPT_WITHDRAWN, referral, by, ["attempt"])


def _open(referral: Referral, reason: str, by: User, at: datetime) -> list[str]:
    """Returns the names of the fields that changed."""
    leave_closed_team(referral=referral, by=by, at=at)
    referral.status, referral.close_reason = ReferralStatus.OPEN, ""
    referral.closed_at = referral.closed_by = referral.contacted_at = referral.call_back_at = None
    fields = ["status", "close_reason", "closed_at", "closed_by", "contacted_at", "call_back_at"]
    if reason == ReopeningReason.VICTIM_ASKED:
        for name, value in given_due(referral.ward, refer_now=True, at=at).items():
            setattr(referral, name, value)
            fields.append(name)
        fields += end_stops(referral, by, at)
        fields += referral.put_back()
    referral.save(update_fields=fields)
    return fields
