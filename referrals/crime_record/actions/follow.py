"""What becomes of decided cases when their crime record changes: dated events, notices, hand-overs.

Arm, decision and outcome are never touched.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, Q

from referrals.cases.readers import report_of, standing_findings
from referrals.contact.actions.closing import close_by_record
from referrals.contact.actions.hand_over import follow_ward, leave_closed_team
from referrals.contact.actions.notices import ask_hcop, drop_contacts, give_notice, raise_task
from referrals.contact.actions.referral_lock import record_change
from referrals.contact.readers.chosen_team import chosen_team
from referrals.contact.readers.referrals import (
    asked_to_ring,
    changed_since,
    is_to_contact,
    is_with_officer_in_case,
)
from referrals.crime_record.readers import crime_record_standings
from referrals.mail.reminders import remind_again
from referrals.models import (
    CLOSED_BY_RECORD,
    Case,
    CrimeRecordEvent,
    CrimeRecordKind,
    FollowUp,
    FollowUpKind,
    MailKind,
    Noticed,
    Referral,
    ReferralStatus,
)
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record

CHUNK = 1_000
_RULES_OUT = frozenset({"is_crime", "crime_status", "hate_flag"})

Events = dict[int, CrimeRecordEvent]


def follow_crime_record(*, changed: Mapping[int, Collection[str]], by: User, at: datetime) -> None:
    """Does what follows from an extract's changes, for the decided cases among them.

    ``changed`` gives, for each case's key, the names of what changed; the new values are saved already. Call
    it in the transaction that saved them. All cases are locked before any referral, each in order of keys.
    """
    check_authority(by, Permission.IMPORT_CASES)
    with transaction.atomic():
        events: Events = {}
        concerned: list[int] = []
        for keys in _chunks(sorted(changed)):
            cases = _lock_decided(keys)
            found = _note_events(cases, changed, by, at)
            events |= found
            concerned += _concerned(cases, found)
        for keys in _chunks(sorted(concerned)):
            _follow_all(keys, events, changed, by, at)
        # Only now it is certain which referrals are open.
        for keys in _chunks(sorted(changed)):
            ask_hcop(changed={case: changed[case.pk] for case in _lock_decided(keys)}, by=by, at=at)


def _chunks(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _lock_decided(keys: Sequence[int]) -> list[Case]:
    cases = Case.objects.filter(pk__in=keys, decided_at__isnull=False)
    return list(cases.order_by("pk").select_for_update(no_key=True))


def _note_events(cases: list[Case], changed: Mapping[int, Collection[str]], by: User, at: datetime) -> Events:
    """Records an event for each case whose crime record now stands differently, and one audit row for all."""
    before = crime_record_standings([case.pk for case in cases])
    events = []
    for case in cases:
        if _RULES_OUT.isdisjoint(changed[case.pk]):
            continue
        grounds = report_of(case).grounds
        kind = grounds[0] if grounds else CrimeRecordKind.REINSTATED
        # Without an earlier event, what kept the case out before this change did so when it was decided.
        if kind != before.get(case.pk):
            events.append(CrimeRecordEvent(case=case, kind=kind, noticed_at=at, noticed_by=by))
    if events:
        CrimeRecordEvent.objects.bulk_create(events)
        record(
            Action.CRIME_RECORD_CHANGED,
            by=by,
            purpose=Purpose.INTAKE,
            subject="case",
            references=[event.case.crime_reference for event in events],
            fields=_RULES_OUT,
        )
    return {event.case_id: event for event in events}


def _concerned(cases: list[Case], events: Events) -> list[int]:
    """Keys of the referrals to look at: those with a victim to contact, and those of a case with an event."""
    to_contact = Q(case__in=[case.pk for case in cases]) & is_to_contact()
    return list(Referral.objects.filter(to_contact | Q(case__in=list(events))).values_list("pk", flat=True))


def _follow_all(
    keys: Sequence[int], events: Events, changed: Mapping[int, Collection[str]], by: User, at: datetime
) -> None:
    referrals = list(
        Referral.objects.filter(pk__in=keys)
        .select_related("case__ward__team", "case__ward__borough", "case__decision")
        .select_related("team__merged_into", "ward", "taken_by")
        .prefetch_related(Prefetch("follow_ups", FollowUp.objects.filter(FollowUp.is_to_ring_again())))
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    unsuitable = set(
        standing_findings()
        .filter(case__in=[each.case_id for each in referrals])
        .values_list("case", flat=True)
    )
    _move_flags([each for each in referrals if each.case_id not in unsuitable], events, at)
    for referral in referrals:
        event = events.get(referral.case_id)
        if event is not None and event.kind != CrimeRecordKind.REINSTATED:
            close_by_record(referral=referral, event=event, by=by, at=at)
        elif referral.case_id not in unsuitable:
            _follow(referral, changed[referral.case_id], event, by, at)


def _move_flags(referrals: list[Referral], events: Events, at: datetime) -> None:
    """Has the flags of ruled-out cases removed, and those of reinstated ones confirmed anew."""
    out, back = [], []
    for referral in referrals:
        event = events.get(referral.case_id)
        if event is None:
            continue
        if event.kind == CrimeRecordKind.REINSTATED:
            if referral.ruled_out_since is not None:
                referral.ruled_out_since = None
                back.append(referral.pk)
        elif referral.ruled_out_since is None:
            referral.ruled_out_since = at
            out.append(referral.pk)
    Referral.objects.filter(pk__in=out).update(ruled_out_since=at)
    Referral.objects.filter(pk__in=back).update(
        ruled_out_since=None,
        flag_confirmed_at=None,
        flag_confirmed_by=None,
        flag_removed_at=None,
        flag_removed_by=None,
    )


def _follow(
    referral: Referral, names: Collection[str], event: CrimeRecordEvent | None, by: User, at: datetime
) -> None:
    """Opens a referral that the crime record had closed, hands it to its ward's team, tells what changed.

    Of one that ended otherwise, the team that is to ring the victim again is told.
    """
    noticed = {each for each in Noticed if each in names}
    mail = None
    if event is not None and referral.close_reason in CLOSED_BY_RECORD:
        assert referral.closed_at is not None
        noticed |= changed_since(referral.case, referral.closed_at)
        _open_again(referral, by, at)
        noticed.add(Noticed.REOPENED)
        mail = MailKind.REOPENED
        if chosen_team(referral.case, referral) is None:
            noticed.add(Noticed.WARD)
    if Noticed.WARD in noticed and referral.case.ward_id == referral.ward_id:
        noticed.remove(Noticed.WARD)
    if referral.status != ReferralStatus.OPEN:
        if noticed and asked_to_ring(referral):
            give_notice(referral=referral, changed=noticed, by=by, at=at)
        return
    if Noticed.WARD in noticed and follow_ward(referral=referral, by=by, at=at):
        return  # Who has it now reads it afresh.
    if noticed & {Noticed.OFFICER_IN_CASE, Noticed.REOPENED} and is_with_officer_in_case(referral):
        raise_task(referral=referral, kind=FollowUpKind.OFFICER_IN_CASE, by=by, at=at)
    if noticed:
        give_notice(referral=referral, changed=noticed, by=by, at=at, mail=mail)


def _open_again(referral: Referral, by: User, at: datetime) -> None:
    """Opens the referral as it was, with the same due time and taken by the same person.

    One whose team is closed goes to the team that has its ward now.
    """
    leave_closed_team(referral=referral, by=by, at=at)
    referral.status, referral.close_reason = ReferralStatus.OPEN, ""
    referral.closed_at = referral.closed_by = None
    fields = ["status", "close_reason", "closed_at", "closed_by"]
    referral.save(update_fields=fields)
    record_change(Action.REFERRAL_REOPENED, referral, by, fields)
    drop_contacts(cases=[referral.case], by=by, at=at)
    remind_again(referral, at)
