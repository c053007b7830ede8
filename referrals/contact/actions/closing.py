"""Ending a referral because of what became of the crime."""

from datetime import datetime

from referrals.contact.actions.notices import raise_task
from referrals.contact.actions.referral_lock import record_change, tell
from referrals.models import (
    CLOSED_BY_RECORD,
    CrimeRecordEvent,
    CrimeRecordKind,
    FollowUpKind,
    MailKind,
    Referral,
    ReferralStatus,
)
from src_app.accounts.models import User
from src_app.audit.models import Action


def close_by_record(*, referral: Referral, event: CrimeRecordEvent, by: User, at: datetime) -> None:
    """Ends an open referral of a case the crime record rules out; it stays in the denominator.

    The HCOP gets the task to see that somebody else contacts the victim. One that the record closed before
    gets the new reason; one that ended otherwise stays as it is. The caller holds the referral's lock.
    """
    was_open = referral.status == ReferralStatus.OPEN
    if not was_open and referral.close_reason not in CLOSED_BY_RECORD:
        return
    referral.close_reason = event.kind
    fields = ["close_reason"]
    if was_open:
        referral.status, referral.closed_at, referral.closed_by = ReferralStatus.CLOSED, at, by
        fields += ["status", "closed_at", "closed_by"]
    referral.save(update_fields=fields)
    record_change(Action.REFERRAL_CLOSED, referral, by, fields)
    transferred = event.kind == CrimeRecordKind.TRANSFERRED
    task = FollowUpKind.TRANSFERRED if transferred else FollowUpKind.RULED_OUT
    raise_task(referral=referral, kind=task, by=by, at=at)
    if was_open:
        tell(
            kind=MailKind.CLOSED_BY_RECORD,
            referral=referral,
            mailbox=referral.team.mailbox,
            unique_key=f"{MailKind.CLOSED_BY_RECORD}:{event.pk}",
            by=by,
            at=at,
        )
