"""What the audit log says of mail that was sent."""

from collections.abc import Iterable

from referrals.mail.keys import is_personal
from referrals.models import MailKind, Notification
from src_app.accounts.models import User
from src_app.audit.models import Action, Purpose
from src_app.audit.record import Act, record_each


def record_sent(sent: Iterable[Notification], by: User) -> None:
    """Writes that they went out: about what, and to which mailbox unless that is somebody's own address."""
    record_each(_act(each, by) for each in sent)


def _act(notification: Notification, by: User) -> Act:
    purpose, subject, references = _told_of(notification)
    recipients = [] if is_personal(notification) else [notification.recipient]
    return Act(Action.MAIL_SENT, by, purpose, subject, references, recipients=recipients)


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
    if notification.kind in (MailKind.ACCESS_REVIEW, MailKind.SIGN_IN_RESET, MailKind.ADDRESS_CHANGED):
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
