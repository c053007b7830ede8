"""What the unique key of a message says: whose it is, and what it is about."""

import math

from referrals.models import MailKind, Notification, Referral

# Of a reminder: to whoever has the referral, to a supervisor, to an HCOP.
TO_TAKER, TO_SUPERVISOR, TO_HCOP = ":taker", ":supervisor:", ":hcop:"


def call_back_key(referral: Referral) -> str:
    """What the key of the reminder of this call back begins with: one that was asked for anew has another."""
    assert referral.call_back_at is not None
    return f"{MailKind.CALL_BACK}:{referral.number}:{math.floor(referral.call_back_at.timestamp())}"


def bcu_of(notification: Notification) -> int | None:
    """The key of the BCU whose reports wait; None in a message of an earlier form."""
    _, of_bcu, bcu, *_ = [*notification.unique_key.split(":"), "", ""]
    return int(bcu) if of_bcu == "bcu" else None


def is_personal(notification: Notification) -> bool:
    """Whether it goes to one person's own address, which no log is to keep."""
    if notification.digest is not None:
        return notification.digest.choice.user is not None
    personal = (
        MailKind.GIVEN,
        MailKind.OFFICER_IN_CASE,
        MailKind.NOTE_RECORD,
        MailKind.ACCESS_REVIEW,
        MailKind.SIGN_IN_RESET,
        MailKind.ADDRESS_CHANGED,
        MailKind.DECISION_LATE,
        MailKind.FOLLOW_UPS_LATE,
    )
    key = notification.unique_key
    return notification.kind in personal or TO_TAKER in key or TO_SUPERVISOR in key or TO_HCOP in key
