"""What the audit log says of mail that was sent."""

from referrals.mail.keys import is_personal
from referrals.models import MailKind, Notification
from src_app.accounts.models import User
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record


def record_sent(notification: Notification, by: User) -> None:
    """Writes that it went out: about what, and to which mailbox unless that is somebody's own address."""
    purpose, subject, references = _told_of(notification)
    record(
        Action.MAIL_SENT,
        by=by,
        purpose=purpose,
        subject=subject,
        references=references,
        recipients=[] if is_personal(notification) else [notification.recipient],
    )


def _told_of(notification: Notification) -> tuple[Purpose, str, list[str]]:
    """What a message is about, as the audit log has it."""
    if notification.referral is not None:
        return Purpose.CONTACT, "referral", [notification.referral.number]
    if notification.fault is not None:
        return Purpose.ADMINISTRATION, "fault", [notification.fault.name]
    if notification.kind == MailKind.DECISION_LATE:
        return Purpose.REVIEW, "case", []
    if notification.kind == MailKind.FOLLOW_UPS_LATE:
        return Purpose.SUPERVISION, "referral", []
    if notification.kind in (MailKind.ACCESS_REVIEW, MailKind.SIGN_IN_RESET):
        return Purpose.ADMINISTRATION, "account", []
    if notification.mailbox_test is not None:
        return Purpose.ADMINISTRATION, "team", [f"team {notification.mailbox_test.team_id}"]
    if notification.place_move is not None:
        move = notification.place_move
        return Purpose.ADMINISTRATION, "team", [f"team {move.from_team_id}", f"team {move.to_team_id}"]
    if notification.digest is not None:
        return Purpose.SUPERVISION, "digest", []
    notice = notification.trial_notice
    trial_id = notice.trial_id if notice else notification.trial_id
    return Purpose.EVALUATION, "trial", [f"trial {trial_id}"]
