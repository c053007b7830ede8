"""Changes of an open referral: shown until whoever has it says that they have read them, and mailed."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from referrals.contact.actions.referral_lock import lock_referral, record_change, tell
from referrals.contact.readers.referrals import may_read
from referrals.models import FollowUp, FollowUpKind, MailKind, Noticed, Referral, ReferralNotice
from src_app.accounts.models import User
from src_app.audit.models import Action
from src_app.refused import Refused


def give_notice(
    *,
    referral: Referral,
    changed: Collection[Noticed],
    by: User,
    at: datetime,
    mail: MailKind = MailKind.REFERRAL_CHANGED,
) -> ReferralNotice:
    """Tells the team that something changed, not what it is now; the caller holds the referral's lock."""
    notice = ReferralNotice.objects.create(
        referral=referral, changed=sorted(changed), noticed_at=at, noticed_by=by
    )
    record_change(Action.REFERRAL_CHANGED, referral, by, notice.changed)
    tell(
        kind=mail,
        referral=referral,
        mailbox=referral.team.mailbox,
        unique_key=f"{mail}:{notice.pk}",
        by=by,
        at=at,
    )
    return notice


def read_notices(*, referral_id: int, notice_ids: Collection[int], by: User, at: datetime) -> int:
    """Records that the changes were read; returns how many were still unread.

    By whoever has the referral, or anybody of the team while nobody has it; a supervisor always may. Those
    that came after the page was opened are not among ``notice_ids`` and stay.
    """
    with transaction.atomic():
        referral = lock_referral(referral_id, by)
        unread = ReferralNotice.objects.filter(referral=referral, pk__in=notice_ids, read_at__isnull=True)
        if not unread.exists():
            return 0
        if not may_read(referral, by):
            raise Refused(f"{referral.taken_by} has {referral.number}: they read what changed.")
        read = unread.update(read_at=at, read_by=by)
        record_change(Action.CHANGE_READ, referral, by, ["read_at", "read_by"])
    return read


def raise_task(*, referral: Referral, kind: FollowUpKind, by: User, at: datetime) -> None:
    """A task that the crime record causes; one of a kind waits at a time. The caller holds the lock."""
    _, made = FollowUp.objects.get_or_create(
        referral=referral,
        attempt=None,
        kind=kind,
        acknowledged_at=None,
        defaults={"raised_at": at, "raised_by": by},
    )
    if made:
        record_change(Action.FOLLOW_UP_RAISED, referral, by, ["follow_ups"])
