"""What somebody does about a referral or case: deal with what came up, send a reminder."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from referrals.contact.actions.notices import drop_tasks, raise_task
from referrals.contact.actions.referral_lock import refuse_officer_in_case
from referrals.contact.readers.follow_ups import is_contact_decided_anew, may_undo
from referrals.mail.outbox import queue
from referrals.models import (
    ASKS_WHO_CONTACTS,
    RING_AGAIN,
    Case,
    FollowUp,
    FollowUpKind,
    FollowUpResult,
    MailKind,
    Notification,
    Referral,
    ReferralStatus,
)
from referrals.scope import follow_ups_visible_to, referrals_led_by
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.busy import SENT_AGAIN_WITHIN, looked_up_by_key
from src_app.refused import Refused
from src_app.templatetags.words import moment

# Where nobody reaches these, it is no answer to say so.
_AT_RISK = (FollowUpKind.RING_AGAIN_RISK, FollowUpKind.RING_AGAIN_SAFETY)


def acknowledge(*, follow_up_id: int, by: User, at: datetime) -> FollowUp:
    """Makes the follow-up the task of whoever acknowledges it first; the others are told who.

    Acknowledging twice changes nothing. Raises :class:`Refused` for the officer in the case who would ring
    the victim again, and ``FollowUp.DoesNotExist`` for one out of scope.
    """
    check_authority(by, Permission.VIEW_REFERRALS)
    with transaction.atomic():
        follow_ups = follow_ups_visible_to(by).select_related("referral__case", "case", "acknowledged_by")
        follow_up = follow_ups.get(pk=follow_up_id)
        _refuse_to_ring(follow_up, by)
        first = FollowUp.objects.filter(pk=follow_up.pk, acknowledged_at__isnull=True).update(
            acknowledged_at=at, acknowledged_by=by
        )
        follow_up = follow_ups.get(pk=follow_up_id)
        if first:
            _record(Action.FOLLOW_UP_ACKNOWLEDGED, follow_up, by, ["acknowledged_at", "acknowledged_by"])
            return follow_up
    if follow_up.acknowledged_by != by:
        raise Refused(
            f"{follow_up.acknowledged_by} acknowledged this on {moment(follow_up.acknowledged_at)} "
            "and is dealing with it: there is nothing more to do."
        )
    return follow_up


def finish(*, follow_up_id: int, result: str, by: User, at: datetime) -> FollowUp:
    """Records that the follow-up is done and what came of it, whoever owned it. Twice changes nothing.

    A victim at risk who was not reached by ringing again is the HCOP's to decide about. Raises
    :class:`Refused` where nobody owns it yet, the result is none of its kind, or the officer in the case rang
    the victim again, and ``FollowUp.DoesNotExist`` for one out of scope.
    """
    check_authority(by, Permission.VIEW_REFERRALS)
    with transaction.atomic():
        follow_up = (
            follow_ups_visible_to(by)
            .select_related("referral__case", "case", "done_by")
            .select_for_update(of=("self",))
            .get(pk=follow_up_id)
        )
        _refuse_to_ring(follow_up, by)
        if follow_up.acknowledged_at is None:
            raise Refused("Nobody deals with this yet: press “I deal with it” first.")
        if follow_up.done_at is None:
            if follow_up.kind == FollowUpKind.UNSAFE and _is_open(follow_up):
                raise Refused(f"{follow_up.name}: press “Answer”, and say whether another way is safe.")
            if result not in dict(follow_up.results):
                raise Refused(f"{follow_up.name}: {follow_up}. Choose what came of it, then press “Done”.")
            follow_up.done_at, follow_up.done_by, follow_up.result = at, by, result
            fields = ["done_at", "done_by", "result"]
            follow_up.save(update_fields=fields)
            _record(Action.FOLLOW_UP_DONE, follow_up, by, fields)
            if result == FollowUpResult.NOT_REACHED and follow_up.kind in _AT_RISK:
                assert follow_up.referral is not None
                raise_task(referral=follow_up.referral, kind=FollowUpKind.NOT_REACHED, by=by, at=at)
    return follow_up


def undo(*, follow_up_id: int, by: User, at: datetime) -> FollowUp:
    """Takes back what the same person said is done by mistake a moment ago; its owner has it again.

    Raises :class:`Refused` where that is not so, or where it was decided anew who contacts the victim, and
    ``FollowUp.DoesNotExist`` for one out of scope.
    """
    check_authority(by, Permission.VIEW_REFERRALS)
    follow_ups = follow_ups_visible_to(by).select_related("referral__case", "case", "acknowledged_by")
    with transaction.atomic():
        # Who contacts the victim is decided under the lock of the case.
        case = Case.objects.select_for_update().get(pk=follow_ups.get(pk=follow_up_id).about.pk)
        follow_up = follow_ups.select_for_update(of=("self",)).get(pk=follow_up_id)
        if follow_up.done_at is None:
            raise Refused(f"{follow_up.name}: {follow_up}. It is not done, and waits: nothing was changed.")
        if not may_undo(follow_up, by, at):
            only = "only whoever said so can undo it, within an hour"
            raise Refused(f"{follow_up.name}: {follow_up}. It stays done: {only}.")
        if follow_up.kind == FollowUpKind.UNSAFE:
            raise Refused(f"{follow_up.name}: {follow_up}. It stays done: what was decided is kept.")
        if follow_up.kind in ASKS_WHO_CONTACTS and is_contact_decided_anew(follow_up, case):
            anew = "it was decided anew who contacts the victim"
            raise Refused(f"{follow_up.name}: {follow_up}. It stays done: {anew}.")
        if follow_up.kind in _AT_RISK:
            raised = {"kind": FollowUpKind.NOT_REACHED, "raised_at": follow_up.done_at, "done_at": None}
            drop_tasks(FollowUp.objects.filter(referral=follow_up.referral, **raised), by, at)
        follow_up.done_at, follow_up.done_by, follow_up.result = None, None, ""
        fields = ["done_at", "done_by", "result"]
        follow_up.save(update_fields=fields)
        _record(Action.FOLLOW_UP_UNDONE, follow_up, by, fields)
    return follow_up


def _refuse_to_ring(follow_up: FollowUp, by: User) -> None:
    """Raises :class:`Refused` where the officer in the case would ring the victim again."""
    if follow_up.kind in RING_AGAIN and follow_up.referral is not None:
        refuse_officer_in_case(follow_up.referral, by)


def _is_open(follow_up: FollowUp) -> bool:
    return follow_up.referral is not None and follow_up.referral.status == ReferralStatus.OPEN


def _record(action: Action, follow_up: FollowUp, by: User, fields: list[str]) -> None:
    record(
        action,
        by=by,
        purpose=Purpose.SUPERVISION,
        subject="referral" if follow_up.referral else "case",
        references=dict.fromkeys([follow_up.name, follow_up.about.crime_reference]),
        fields=fields,
    )


@looked_up_by_key
def chase(*, referral_id: int, key: UUID, by: User, at: datetime) -> bool:
    """Sends the team's mailbox a reminder about an open referral; says whether it is a new one.

    The same ``key`` within minutes sends one message, and raises :class:`Refused` after that. Raises
    ``Referral.DoesNotExist`` for one out of scope.
    """
    check_authority(by, Permission.CHASE_REFERRALS)
    with transaction.atomic():
        referral = (
            referrals_led_by(by)
            .select_related("team", "case")
            .select_for_update(of=("self",))
            .get(pk=referral_id)
        )
        if referral.status != ReferralStatus.OPEN:
            raise Refused(
                f"{referral.number} was ended on {moment(referral.closed_at)}: "
                "there is nothing left to remind the team of."
            )
        if referral.is_stopped(at):
            raise Refused(
                f"The clock of {referral.number} is stopped until {moment(referral.stopped_until)}: "
                "let it go on first."
            )
        unique_key = f"{MailKind.CHASED}:{key}"
        if not queue(
            kind=MailKind.CHASED,
            referral=referral,
            recipient=referral.team.mailbox,
            unique_key=unique_key,
            at=at,
        ):
            _refuse_another_reminder(Notification.objects.get(unique_key=unique_key), referral, at)
            return False
        record(
            Action.MAIL_QUEUED,
            by=by,
            purpose=Purpose.SUPERVISION,
            subject="referral",
            references=[referral.number, referral.case.crime_reference],
            recipients=[referral.team.mailbox],
        )
    return True


def _refuse_another_reminder(queued: Notification, referral: Referral, at: datetime) -> None:
    """Raises :class:`Refused` unless the form that queued it is sent again."""
    if queued.referral_id != referral.pk:
        raise Refused("This form was used for another referral: open the page again.")
    if at - queued.created_at > SENT_AGAIN_WITHIN:
        raise Refused(
            f"A reminder was sent from this page on {moment(queued.created_at)}: "
            "press “Send a reminder” again to send another."
        )
