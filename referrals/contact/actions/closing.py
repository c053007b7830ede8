"""Ending a referral without contact: because of an attempt, or of what became of the crime."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce

from referrals.contact.actions.notices import ask_for_duplicates, drop_ring_again, give_notice, raise_task
from referrals.contact.actions.referral_lock import (
    lock_referral,
    record_change,
    refuse_closed,
    refuse_officer_in_case,
    tell,
)
from referrals.contact.readers.referrals import results_that_stand
from referrals.deadlines.readers import deadlines_of_ward
from referrals.models import (
    CLOSED_BY_RECORD,
    CloseReason,
    CrimeRecordEvent,
    CrimeRecordKind,
    FollowUp,
    FollowUpKind,
    FollowUpResult,
    MailKind,
    Method,
    Noticed,
    Referral,
    ReferralStatus,
    SafetyDecision,
)
from referrals.rules.contact import (
    methods_barred,
    why_not_close,
)
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.refused import Refused


def close_without_contact(*, referral_id: int, reason: CloseReason, by: User, at: datetime) -> Referral:
    """Ends the referral without contact; it stays in the denominator.

    An attempt must have shown the reason; that no way is safe is decided by a supervisor, and kept. The same
    call again changes nothing.
    """
    with transaction.atomic():
        referral = lock_referral(referral_id, by)
        if referral.status == ReferralStatus.CLOSED and referral.close_reason == reason:
            return referral
        refuse_closed(referral)
        refuse_officer_in_case(referral, by)
        if why := why_not_close(
            reason,
            results=results_that_stand(referral),
            decides_safety=by.can(Permission.CHASE_REFERRALS),
            least=deadlines_of_ward(referral.ward_id, at).least_attempts,
        ):
            raise Refused(why)
        if reason == CloseReason.UNSAFE:
            _decide(referral, None, by, at)
        referral.status, referral.close_reason = ReferralStatus.CLOSED, reason
        referral.closed_at, referral.closed_by = at, by
        fields = ["status", "close_reason", "closed_at", "closed_by"]
        referral.save(update_fields=fields)
        record_change(Action.REFERRAL_CLOSED, referral, by, fields)
    return referral


def choose_safe_method(*, referral_id: int, method: Method, by: User, at: datetime) -> SafetyDecision:
    """Says which other way of contact is safe, where an attempt found contact unsafe; the team is told.

    For a supervisor. The same again changes nothing. Raises :class:`Refused` for a way that is ruled out.
    """
    check_authority(by, Permission.CHASE_REFERRALS)
    with transaction.atomic():
        referral = lock_referral(referral_id, by)
        refuse_closed(referral)
        refuse_officer_in_case(referral, by)
        if method in methods_barred(referral.case.restrictions):
            raise Refused("The restrictions rule that way out: choose another, or close it.")
        latest = referral.safety_decisions.order_by("pk").last()
        is_asked = _asked(referral).exists()
        if latest is not None and latest.method == method and not is_asked:
            return latest
        decision = _decide(referral, method, by, at)
        give_notice(referral=referral, changed=[Noticed.OTHER_METHOD], by=by, at=at)
    return decision


def _decide(referral: Referral, method: Method | None, by: User, at: datetime) -> SafetyDecision:
    """Keeps the decision, and ends the follow-ups that asked for it."""
    decision = SafetyDecision.objects.create(
        referral=referral, method=method or "", decided_at=at, decided_by=by
    )
    answered = _asked(referral).update(
        acknowledged_at=Coalesce("acknowledged_at", Value(at)),
        acknowledged_by=Coalesce("acknowledged_by", Value(by.pk)),
        done_at=at,
        done_by=by,
        result=FollowUpResult.ANOTHER_WAY if method else FollowUpResult.NO_WAY,
    )
    fields = ["safety_decisions", *(["follow_ups"] if answered else [])]
    record_change(Action.SAFETY_DECIDED, referral, by, fields)
    return decision


def _asked(referral: Referral) -> QuerySet[FollowUp]:
    return FollowUp.objects.filter(referral=referral, kind=FollowUpKind.UNSAFE, done_at__isnull=True)


def close_not_suitable(*, referral: Referral, by: User, at: datetime) -> None:
    """Ends a referral that should not have been made: the team is told, and the flag has to go.

    It stays in the denominator. One that has ended stays as it is, but its team no longer rings the victim
    again; where nobody was spoken with, its flag has to go too. The caller holds the locks of case and
    referral.
    """
    drop_ring_again(referral=referral, by=by, at=at)
    if referral.status != ReferralStatus.OPEN:
        if referral.status == ReferralStatus.CLOSED and referral.ruled_out_since is None:
            referral.ruled_out_since = at
            referral.save(update_fields=["ruled_out_since"])
        return
    referral.status, referral.close_reason = ReferralStatus.CLOSED, CloseReason.NOT_SUITABLE
    referral.closed_at, referral.closed_by = at, by
    referral.ruled_out_since = referral.ruled_out_since or at
    fields = ["status", "close_reason", "closed_at", "closed_by", "ruled_out_since"]
    referral.save(update_fields=fields)
    record_change(Action.REFERRAL_CLOSED, referral, by, fields)
    tell(
        kind=MailKind.CLOSED_BY_HCOP,
        referral=referral,
        mailbox=referral.team.mailbox,
        unique_key=f"{MailKind.CLOSED_BY_HCOP}:{referral.number}:{at.isoformat()}",
        by=by,
        at=at,
    )


def close_by_record(*, referral: Referral, event: CrimeRecordEvent, by: User, at: datetime) -> None:
    """Ends an open referral of a case the crime record rules out; it stays in the denominator.

    The HCOP gets the task to see that somebody else contacts the victim. One that the record closed before
    gets the new reason; one that ended otherwise stays as it is, but no victim of it is rung again. The
    caller holds the referral's lock.
    """
    was_open = referral.status == ReferralStatus.OPEN
    was_to_ring = drop_ring_again(referral=referral, by=by, at=at)
    if not was_open and referral.close_reason not in CLOSED_BY_RECORD:
        if was_to_ring:
            _ask_who_contacts(referral, event, by, at)
        return
    referral.close_reason = event.kind
    fields = ["close_reason"]
    if was_open:
        referral.status, referral.closed_at, referral.closed_by = ReferralStatus.CLOSED, at, by
        fields += ["status", "closed_at", "closed_by"]
    referral.save(update_fields=fields)
    record_change(Action.REFERRAL_CLOSED, referral, by, fields)
    _ask_who_contacts(referral, event, by, at)
    ask_for_duplicates(cases=[referral.case], owner=None, by=by, at=at)
    if was_open:
        tell(
            kind=MailKind.CLOSED_BY_RECORD,
            referral=referral,
            mailbox=referral.team.mailbox,
            unique_key=f"{MailKind.CLOSED_BY_RECORD}:{event.pk}",
            by=by,
            at=at,
        )


def _ask_who_contacts(referral: Referral, event: CrimeRecordEvent, by: User, at: datetime) -> None:
    transferred = event.kind == CrimeRecordKind.TRANSFERRED
    task = FollowUpKind.TRANSFERRED if transferred else FollowUpKind.RULED_OUT
    raise_task(referral=referral, kind=task, by=by, at=at)
