"""Attempts at contact, made and withdrawn; contact made ends a referral."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from referrals.cases.readers import duplicates_left_to, standing_findings
from referrals.contact.actions.closing import close_by_record, close_not_suitable
from referrals.contact.actions.hand_over import leave_closed_team
from referrals.contact.actions.notices import (
    ask_for_duplicates,
    drop_contacts,
    own_contacts,
    tell_since,
)
from referrals.contact.actions.referral_lock import (
    lock_referral,
    record_change,
    refuse_closed,
    refuse_officer_in_case,
    tell,
)
from referrals.contact.readers.colleagues import why_not_at_work
from referrals.contact.readers.follow_ups import contact_tasks
from referrals.contact.readers.referrals import (
    account_of_officer_in_case,
    call_back_asked,
    results_that_stand,
)
from referrals.deadlines.readers import deadlines_of_ward
from referrals.mail.keys import TO_SUPERVISOR
from referrals.mail.readers import in_charge_of
from referrals.mail.reminders import remind_again
from referrals.models import (
    CLOSED_BY_RECORD,
    FOUND_OUT,
    Case,
    CloseReason,
    ContactAttempt,
    CrimeRecordEvent,
    FollowUp,
    FollowUpKind,
    MailKind,
    Method,
    MinutesSpent,
    PersonalText,
    Referral,
    ReferralStatus,
    Result,
    SettledAttempt,
    Team,
    TextKind,
)
from referrals.places.readers import people_of
from referrals.rules.contact import (
    contradiction,
    is_barred,
    is_contact,
    same_person,
    why_not_call_back,
    why_not_close,
)
from referrals.rules.deadlines import acknowledge_by
from referrals.scope import referrals_visible_to
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.busy import SENT_AGAIN_WITHIN, looked_up_by_key
from src_app.refused import Refused
from src_app.templatetags.words import moment

# What whoever investigates has to know or to do.
_FOR_THE_OFFICER_IN_CASE = {
    FollowUpKind.STATEMENT,
    FollowUpKind.WITHDRAW,
    FollowUpKind.NEW_OFFENCE,
    FollowUpKind.THREAT,
}


class UsedBefore(Refused):
    """The form was saved once before, with other answers; nothing of what it says now was saved."""


@looked_up_by_key
def log_attempt(
    *,
    referral_id: int,
    key: UUID,
    method: Method,
    result: Result,
    made_at: datetime,
    by: User,
    at: datetime,
    with_interpreter: bool = False,
    risk_assessment: bool = False,
    support_offered: bool = False,
    support_taken_up: bool = False,
    noted_on_record: bool = False,
    follow_ups: Collection[FollowUpKind] = (),
    note: str = "",
    call_back_at: datetime | None = None,
    minutes_spent: MinutesSpent | None = None,
    made_by: User | None = None,
) -> ContactAttempt:
    """Keeps one try to reach the victim; contact made completes the referral.

    The same ``key`` with the same answers returns the first call's row; otherwise it raises
    :class:`UsedBefore`. A referral nobody has is taken. One closed without contact still takes a contact
    made, which is then what counts. A way the restrictions rule out is kept as what happened, and told to
    the supervisor. ``made_by``: the colleague of the team who made it, where that was somebody else.
    ``call_back_at``: when the victim asked to be called back; the next attempt ends that.
    """
    said = ContactAttempt(
        key=key,
        made_by=made_by or by,
        made_at=made_at,
        entered_by=by if made_by not in (None, by) else None,
        logged_at=at,
        method=method,
        with_interpreter=with_interpreter,
        result=result,
        risk_assessment=risk_assessment,
        # Nobody takes up what was not offered.
        support_offered=support_offered or support_taken_up,
        support_taken_up=support_taken_up,
        noted_on_record=noted_on_record,
        call_back_at=call_back_at,
        minutes_spent=minutes_spent or "",
    )
    with transaction.atomic():
        said.referral = lock_referral(referral_id, by)
        if known := ContactAttempt.objects.filter(key=key).first():
            _refuse_another_attempt(known, said, follow_ups, note)
            return known
        _refuse_impossible(said, follow_ups)
        _keep(said, follow_ups, note)
    return said


@looked_up_by_key
def withdraw_attempt(*, attempt_id: int, key: UUID, by: User, at: datetime) -> ContactAttempt:
    """Takes back an attempt logged by mistake, by a row that names it; returns that row.

    For whoever logged it, or a supervisor. A referral that ended on that attempt is open again, or closed
    as it was before, or by what became of the crime meanwhile. What the attempt raised for somebody to act
    on stays until it is acknowledged. Where the case was found not suitable since, the referral stays ended.
    """
    check_authority(by, Permission.CONTACT_VICTIMS)
    with transaction.atomic():
        attempt = ContactAttempt.objects.select_related("made_by", "entered_by").get(
            pk=attempt_id, withdraws__isnull=True, referral__in=referrals_visible_to(by)
        )
        _hold_other_reports(attempt.referral)
        referral = lock_referral(attempt.referral_id, by)
        if known := ContactAttempt.objects.filter(key=key).first():
            if known.withdraws_id != attempt.pk:
                raise Refused("This form was used for something else: open the page again.")
            return known
        if by not in (attempt.made_by, attempt.entered_by) and not by.can(Permission.CHASE_REFERRALS):
            raise Refused(f"Only {attempt.logger} or your supervisor can withdraw this attempt: ask them.")
        if ContactAttempt.objects.filter(withdraws=attempt).exists():
            raise Refused("This attempt was withdrawn already: there is nothing more to do.")
        withdrawal = ContactAttempt.objects.create(
            key=key,
            referral=referral,
            made_by=by,
            made_at=at,
            logged_at=at,
            method=attempt.method,
            result=attempt.result,
            withdraws=attempt,
        )
        fields = _go_back(referral, attempt, by, at)
        record_change(Action.ATTEMPT_WITHDRAWN, referral, by, fields)
    return withdrawal


def _hold_other_reports(referral: Referral) -> None:
    """Locks the case with the report to which its victim was left, and those left to it, in one order."""
    own = Case.objects.filter(pk=referral.case_id)
    reports = Q(pk__in=own) | Q(pk__in=duplicates_left_to(own).values("pk"))
    if found := standing_findings().select_related("case").filter(case=referral.case_id).first():
        reports |= Q(bcu=found.case.bcu_id, crime_reference=found.duplicate_of)
    list(Case.objects.filter(reports).order_by("pk").only("pk").select_for_update(no_key=True))


def _go_back(referral: Referral, attempt: ContactAttempt, by: User, at: datetime) -> list[str]:
    """Takes back what the withdrawn attempt changed of the referral; returns the names of what changed."""
    fields = ["attempt"]
    if _call_back(referral):
        fields += ["call_back_at"]
    if _still_ended(referral):
        referral.save(update_fields=fields[1:])
        return fields
    was_spoken_with = referral.status == ReferralStatus.COMPLETED
    ended_at = attempt.earlier_closed_at or referral.closed_at
    assert ended_at is not None
    fields += ["status", "closed_at", "closed_by", "contacted_at", "close_reason"]
    _take_back_the_end(referral, attempt)
    if referral.status == ReferralStatus.OPEN:
        leave_closed_team(referral=referral, by=by, at=at)
    referral.save(update_fields=fields[1:])
    if found := standing_findings().select_related("case").filter(case=referral.case_id).first():
        close_not_suitable(referral=referral, by=by, at=at)
        if was_spoken_with and not contact_tasks(referral.case).exists():
            own_contacts(said=[found], owner=None, by=by, at=at)
            ask_for_duplicates(cases=[referral.case], owner=None, by=by, at=at)
    elif referral.status == ReferralStatus.OPEN and referral.ruled_out_since:
        event = CrimeRecordEvent.objects.filter(case=referral.case_id).latest("pk")
        close_by_record(referral=referral, event=event, by=by, at=at)
    elif referral.status == ReferralStatus.OPEN:
        remind_again(referral, at)
        tell_since(referral=referral, since=ended_at, by=by, at=at)
    return fields


def settle_attempt(*, attempt_id: int, by: User, at: datetime) -> SettledAttempt:
    """Records that what an attempt left to do is done. Twice changes nothing.

    Raises :class:`Refused` for one that was withdrawn, and ``ContactAttempt.DoesNotExist`` for
    another team's.
    """
    check_authority(by, Permission.CONTACT_VICTIMS)
    with transaction.atomic():
        attempt = ContactAttempt.objects.get(
            pk=attempt_id, withdraws__isnull=True, referral__in=referrals_visible_to(by)
        )
        referral = lock_referral(attempt.referral_id, by)
        if ContactAttempt.objects.filter(withdraws=attempt).exists():
            raise Refused("This attempt was withdrawn: there is nothing more to do.")
        settled, is_new = SettledAttempt.objects.get_or_create(
            attempt=attempt, defaults={"settled_at": at, "settled_by": by}
        )
        if is_new:
            record_change(Action.ATTEMPT_SETTLED, referral, by, ["attempt"])
    return settled


def _refuse_another_attempt(
    known: ContactAttempt, said: ContactAttempt, follow_ups: Collection[FollowUpKind], note: str
) -> None:
    """Raises :class:`UsedBefore` unless the form that made ``known`` is sent again, and that row stands."""
    if known.referral_id != said.referral_id:
        raise UsedBefore(
            "This form was saved already, for another referral. What it says now was not saved: "
            "save again to add it to this one."
        )
    is_withdrawn = ContactAttempt.objects.filter(withdraws=known).exists()
    is_same = _answers(known, _said_of(known), _note_of(known)) == _answers(said, follow_ups, note)
    if is_withdrawn or not is_same or not _is_same_time(known, said):
        since = ", and that was withdrawn since" if is_withdrawn else ""
        raise UsedBefore(
            f"This form was saved already, as “{known}” of {moment(known.made_at)}{since}. What it says now "
            "was not saved: save again to add it as another attempt."
        )


def _answers(attempt: ContactAttempt, follow_ups: Collection[FollowUpKind], note: str) -> tuple[object, ...]:
    """What a form says of an attempt besides its time, so that two can be compared."""
    return (
        attempt.withdraws_id,
        attempt.made_by_id,
        attempt.entered_by_id,
        attempt.method,
        attempt.with_interpreter,
        attempt.result,
        attempt.risk_assessment,
        attempt.support_offered,
        attempt.support_taken_up,
        attempt.noted_on_record,
        attempt.call_back_at,
        attempt.minutes_spent,
        frozenset(follow_ups),
        note.strip(),
    )


def _is_same_time(known: ContactAttempt, said: ContactAttempt) -> bool:
    """No time given is the time of saving, which is a later one where the form is sent again."""
    if known.made_at == known.logged_at and said.made_at == said.logged_at:
        return said.logged_at - known.logged_at <= SENT_AGAIN_WITHIN
    return known.made_at == said.made_at


def _said_of(attempt: ContactAttempt) -> list[FollowUpKind]:
    """The follow-ups that were ticked, without the one that is raised by itself."""
    kinds = attempt.follow_ups.values_list("kind", flat=True)
    return [FollowUpKind(kind) for kind in kinds if kind not in FOUND_OUT]


def _note_of(attempt: ContactAttempt) -> str:
    return attempt.note.body if attempt.note else ""


def _refuse_impossible(attempt: ContactAttempt, follow_ups: Collection[FollowUpKind]) -> None:
    """Raises :class:`Refused` for what the account cannot log of the referral, or contradicts itself."""
    referral, result = attempt.referral, Result(attempt.result)
    refuse_officer_in_case(referral, attempt.logger)
    _refuse_stranger(attempt)
    _refuse_ended(referral, result)
    _refuse_wrong_time(referral, attempt.made_at, attempt.logged_at)
    if reason := contradiction(result, follow_ups=follow_ups, support_offered=attempt.support_offered):
        raise Refused(reason)
    if reason := why_not_call_back(result, call_back_at=attempt.call_back_at, at=attempt.logged_at):
        raise Refused(reason)


def _keep(attempt: ContactAttempt, follow_ups: Collection[FollowUpKind], note: str) -> None:
    """Saves it with its audit row, and does what follows from it."""
    _save(attempt, note)
    fields = ["attempt", *(["note"] if attempt.note else [])]
    record_change(Action.ATTEMPT_LOGGED, attempt.referral, attempt.logger, fields)
    _advance(attempt.referral, attempt)
    _raise_follow_ups(attempt, follow_ups)


def _refuse_stranger(attempt: ContactAttempt) -> None:
    """Raises :class:`Refused` where a colleague cannot have made it: of another team, or in the case."""
    if attempt.entered_by is None:
        return
    made_by, referral = attempt.made_by, attempt.referral
    team = Team.objects.filter(pk=referral.team_id)
    if not people_of(team, timezone.localdate(attempt.made_at)).filter(pk=made_by.pk).exists():
        raise Refused(f"{made_by} was not in {referral.team} on that day: choose who made the contact.")
    if same_person(referral.case.officer_in_case, made_by.display_name):
        raise Refused(
            f"{made_by} is the officer in the case, whose call is no SRC: choose who made the contact."
        )


def _refuse_ended(referral: Referral, result: Result) -> None:
    if not (referral.status == ReferralStatus.CLOSED and is_contact(result)):
        refuse_closed(referral)


def _refuse_wrong_time(referral: Referral, made_at: datetime, at: datetime) -> None:
    if made_at > at:
        raise Refused("That time is still to come: give the time of the attempt, or leave it at now.")
    if made_at < referral.made_at:
        raise Refused(f"The referral was made on {moment(referral.made_at)}: an attempt cannot be earlier.")


def _save(attempt: ContactAttempt, note: str) -> None:
    """Saves it with its note, whether the way was barred, and the end that a contact made replaces."""
    referral, body = attempt.referral, note.strip()
    if body:
        attempt.note = PersonalText.objects.create(
            case=referral.case, kind=TextKind.ATTEMPT_NOTE, body=body, changed_at=attempt.logged_at
        )
    attempt.barred_method = is_barred(attempt.method, attempt.result, referral.case.restrictions)
    # Empty where the referral is open.
    attempt.earlier_reason = referral.close_reason
    attempt.earlier_closed_at, attempt.earlier_closed_by = referral.closed_at, referral.closed_by
    attempt.save(force_insert=True)


def _advance(referral: Referral, attempt: ContactAttempt) -> None:
    """What an attempt changes about its referral: somebody has it now, and contact completes it.

    Nobody on leave has it: they did a colleague a favour. Nor has whoever did not log it themselves.
    """
    taken, completed = [], []
    called_back = ["call_back_at"] if _call_back(referral) else []
    is_own = attempt.entered_by is None
    if referral.taken_by is None and is_own and not why_not_at_work(attempt.made_by):
        referral.taken_at, referral.taken_by = attempt.logged_at, attempt.made_by
        taken = ["taken_at", "taken_by"]
        record_change(Action.REFERRAL_TAKEN, referral, attempt.logger, taken)
    if is_contact(attempt.result):
        referral.status, referral.close_reason = ReferralStatus.COMPLETED, ""
        referral.contacted_at = attempt.made_at
        referral.closed_at, referral.closed_by = attempt.logged_at, attempt.made_by
        completed = ["status", "close_reason", "contacted_at", "closed_at", "closed_by"]
        record_change(Action.REFERRAL_COMPLETED, referral, attempt.logger, completed)
    if changed := called_back + taken + completed:
        referral.save(update_fields=changed)
    if completed and attempt.earlier_reason:
        drop_contacts(cases=[referral.case], by=attempt.logger, at=attempt.logged_at)


def _call_back(referral: Referral) -> bool:
    """Sets when the victim is to be called back, by the last attempt that stands; says if that is new."""
    before, referral.call_back_at = referral.call_back_at, call_back_asked(referral)
    return before != referral.call_back_at


def _raise_follow_ups(attempt: ContactAttempt, said: Collection[FollowUpKind]) -> None:
    kinds = set(said)
    if attempt.barred_method:
        kinds.add(FollowUpKind.BARRED_METHOD)
    if attempt.result == Result.UNSAFE:
        kinds.add(FollowUpKind.UNSAFE)
    if not kinds:
        return
    referral, by = attempt.referral, attempt.logger
    at = attempt.logged_at
    FollowUp.objects.bulk_create(
        FollowUp(
            referral=referral,
            attempt=attempt,
            kind=kind,
            raised_at=at,
            raised_by=by,
            acknowledge_by=acknowledge_by(kind, at),
        )
        for kind in sorted(kinds)
    )
    record_change(Action.FOLLOW_UP_RAISED, referral, by, ["follow_ups"])
    kind = MailKind.BARRED_METHOD if attempt.barred_method else MailKind.FOLLOW_UP
    tell(
        kind=kind,
        referral=referral,
        mailbox=referral.team.working_team.mailbox,
        unique_key=f"{kind}:{attempt.key}",
        by=by,
        at=at,
    )
    for user in in_charge_of(referral, at):
        if user != by:
            tell(
                kind=kind,
                referral=referral,
                mailbox=str(user.email),
                unique_key=f"{kind}:{attempt.key}{TO_SUPERVISOR}{user.pk}",
                by=by,
                at=at,
                whose=user.username,
            )
    if kinds & _FOR_THE_OFFICER_IN_CASE:
        _tell_officer_in_case(attempt)


def _tell_officer_in_case(attempt: ContactAttempt) -> None:
    """Tells whoever investigates, where they have an account with an address."""
    officer = account_of_officer_in_case(attempt.referral)
    if officer is None or not officer.email or officer == attempt.logger:
        return
    tell(
        kind=MailKind.OFFICER_IN_CASE,
        referral=attempt.referral,
        mailbox=officer.email,
        unique_key=f"{MailKind.OFFICER_IN_CASE}:{attempt.key}",
        by=attempt.logger,
        at=attempt.logged_at,
        whose=officer.username,
    )


def _take_back_the_end(referral: Referral, attempt: ContactAttempt) -> None:
    """Closes the referral as it was before the withdrawn contact, if that still holds; else opens it."""
    referral.status, referral.close_reason = ReferralStatus.OPEN, ""
    referral.closed_at = referral.closed_by = referral.contacted_at = None
    if attempt.earlier_reason:
        referral.status, referral.close_reason = ReferralStatus.CLOSED, attempt.earlier_reason
        referral.closed_at, referral.closed_by = attempt.earlier_closed_at, attempt.earlier_closed_by
        if not _still_ended(referral):
            referral.status, referral.close_reason = ReferralStatus.OPEN, ""
            referral.closed_at = referral.closed_by = None


def _still_ended(referral: Referral) -> bool:
    """Whether what ended the referral still stands after an attempt was withdrawn."""
    if referral.status == ReferralStatus.COMPLETED:
        return any(is_contact(result) for result in results_that_stand(referral))
    if referral.close_reason in CLOSED_BY_RECORD:
        return referral.ruled_out_since is not None
    if referral.close_reason == CloseReason.NOT_SUITABLE:
        return True
    if referral.status == ReferralStatus.CLOSED:
        closed_by, closed_at = referral.closed_by, referral.closed_at
        assert closed_at is not None
        return not why_not_close(
            referral.close_reason,
            results=results_that_stand(referral),
            decides_safety=closed_by is not None and closed_by.can(Permission.CHASE_REFERRALS),
            least=deadlines_of_ward(referral.ward_id, closed_at).least_attempts,
        )
    return True
