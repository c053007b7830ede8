"""Who is told of changes: the team that is to contact the victim, until they are read; else the HCOP."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce

from referrals.cases.readers import cases_in_hand, duplicates_left_to
from referrals.contact.actions.referral_lock import lock_referral, record_change, tell
from referrals.contact.readers.follow_ups import contact_tasks, ring_again_tasks
from referrals.contact.readers.referrals import (
    asked_to_ring,
    changed_since,
    is_to_contact,
    is_with_officer_in_case,
    may_read,
    read_by,
)
from referrals.models import (
    ASKS_WHO_CONTACTS,
    Case,
    ContactBy,
    Decision,
    FollowUp,
    FollowUpKind,
    FoundNotSuitable,
    MailKind,
    Noticed,
    Referral,
    ReferralNotice,
    ReferralStatus,
)
from referrals.rules.deadlines import acknowledge_by
from src_app.accounts.models import User
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused

# What the HCOP is asked to look at where no team is to be told.
_ASKED_BY = {
    Noticed.CONTACT_WISHES: FollowUpKind.WISHES_CHANGED,
    Noticed.SAFETY_NOTE: FollowUpKind.SAFETY_CHANGED,
    Noticed.REVIEW_SAFETY: FollowUpKind.RESTRICTIONS_CHANGED,
    Noticed.RESTRICTIONS: FollowUpKind.RESTRICTIONS_CHANGED,
}


def give_notice(
    *,
    referral: Referral,
    changed: Collection[Noticed],
    by: User,
    at: datetime,
    mail: MailKind | None = None,
) -> ReferralNotice:
    """Tells the team that something changed, not what it is now; the caller holds the referral's lock.

    Of an open referral, or of one whose victim is to be rung again.
    """
    if mail is None:
        is_open = referral.status == ReferralStatus.OPEN
        mail = MailKind.REFERRAL_CHANGED if is_open else MailKind.RING_AGAIN_CHANGED
    notice = ReferralNotice.objects.create(
        referral=referral, changed=sorted(changed), noticed_at=at, noticed_by=by
    )
    record_change(Action.REFERRAL_CHANGED, referral, by, notice.changed)
    tell(
        kind=mail,
        referral=referral,
        mailbox=referral.team.working_team.mailbox,
        unique_key=f"{mail}:{notice.pk}",
        by=by,
        at=at,
    )
    return notice


def tell_since(
    *, referral: Referral, since: datetime, by: User, at: datetime, mail: MailKind | None = None
) -> bool:
    """Tells the team of a referral that is open again what changed since it ended; says whether anything did.

    Where whoever has it became the officer in the case, the supervisor gets the task. The caller holds the
    locks of case and referral.
    """
    if is_with_officer_in_case(referral):
        raise_task(referral=referral, kind=FollowUpKind.OFFICER_IN_CASE, by=by, at=at)
    changed = changed_since(referral.case, since)
    if changed:
        give_notice(referral=referral, changed=changed, by=by, at=at, mail=mail)
    return bool(changed)


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
            raise Refused(f"{read_by(referral)[0]} has {referral.number}: they read what changed.")
        read = unread.update(read_at=at, read_by=by)
        record_change(Action.CHANGE_READ, referral, by, ["read_at", "read_by"])
    return read


def raise_task(*, referral: Referral, kind: FollowUpKind, by: User, at: datetime) -> None:
    """Adds a follow-up, unless one of its kind waits already, or asks the same of the case.

    The caller holds the locks of case and referral.
    """
    if kind in ASKS_WHO_CONTACTS and contact_tasks(referral.case).exclude(kind=kind).exists():
        return
    _, made = FollowUp.objects.get_or_create(
        referral=referral,
        attempt=None,
        kind=kind,
        acknowledged_at=None,
        defaults={"raised_at": at, "raised_by": by, "acknowledge_by": acknowledge_by(kind, at)},
    )
    if made:
        record_change(Action.FOLLOW_UP_RAISED, referral, by, ["follow_ups"])


def ask_hcop(*, changed: Mapping[Case, Collection[str]], by: User, at: datetime) -> None:
    """Adds follow-ups about decided cases that changed while no team is to contact their victims.

    Each change is asked about anew, since whoever acknowledged one has not seen the next. Cases whose
    victim a team is to contact or ring again are passed over: that team is told. The caller holds the cases'
    locks.
    """
    asked = {case: kinds for case, names in changed.items() if (kinds := _kinds_of(names))}
    of_cases = Referral.objects.filter(case__in=asked).select_related("case")
    referrals = {each.case_id: each for each in of_cases}
    told = set(of_cases.filter(is_to_contact()).values_list("case", flat=True))
    raised = []
    for case, kinds in asked.items():
        referral = referrals.get(case.pk)
        if case.pk not in told:
            about = {"referral": referral} if referral else {"case": case}
            raised += [
                FollowUp(
                    kind=kind,
                    raised_at=at,
                    raised_by=by,
                    acknowledge_by=acknowledge_by(kind, at),
                    **about,
                )
                for kind in kinds
            ]
    FollowUp.objects.bulk_create(raised)
    names = dict.fromkeys(name for each in raised for name in (each.name, each.about.crime_reference))
    _record_raised(names, by)


def own_contacts(
    *, said: Collection[Decision | FoundNotSuitable], owner: User | None, by: User, at: datetime
) -> None:
    """Gives ``owner`` the task to see that somebody else contacts the victims of cases found not suitable.

    Where there is none it is any HCOP's.

    There is none for a duplicate whose victim is contacted for the other report, while that one is in hand.
    The caller holds the locks of the cases and of those other reports.
    """
    left = {each.duplicate_of for each in said if each.contact_by == ContactBy.OTHER_REPORT}
    others = cases_in_hand().filter(bcu__in={each.case.bcu_id for each in said}, crime_reference__in=left)
    in_hand = set(others.values_list("crime_reference", flat=True)) if left else set()
    cases = [
        each.case
        for each in said
        if each.contact_by != ContactBy.OTHER_REPORT or each.duplicate_of not in in_hand
    ]
    _ask_who_contacts(cases, owner=owner, by=by, at=at)


def ask_for_duplicates(*, cases: Collection[Case], owner: User | None, by: User, at: datetime) -> None:
    """Asks who contacts the victims of duplicates of these cases that were left to them, if none is in hand.

    ``owner`` gets the tasks; where there is none they are any HCOP's. The caller holds the cases' locks.
    """
    in_hand = cases_in_hand().filter(pk__in=[case.pk for case in cases])
    let_down = set(cases) - set(in_hand)
    if let_down:
        duplicates = [each for each in duplicates_left_to(let_down) if not contact_tasks(each).exists()]
        _ask_who_contacts(duplicates, owner=owner, by=by, at=at)


def _ask_who_contacts(cases: Collection[Case], *, owner: User | None, by: User, at: datetime) -> None:
    FollowUp.objects.bulk_create(
        FollowUp(
            case=case,
            kind=FollowUpKind.CONTACT_ELSEWHERE,
            raised_at=at,
            raised_by=by,
            acknowledge_by=acknowledge_by(FollowUpKind.CONTACT_ELSEWHERE, at),
            acknowledged_at=at if owner else None,
            acknowledged_by=owner,
        )
        for case in cases
    )
    _record_raised([case.crime_reference for case in cases], by)


def drop_contacts(*, cases: Collection[Case], by: User, at: datetime) -> None:
    """Ends the tasks that ask who contacts the victims instead of a team: it is decided anew who does.

    Where one of the cases is in hand again, so do the tasks of the duplicates that were left to it. The
    caller holds the locks of the cases.
    """
    in_hand = cases_in_hand().filter(pk__in=[case.pk for case in cases])
    asked = contact_tasks(*cases, *duplicates_left_to(in_hand)).select_related("case", "referral__case")
    if dropped := list(asked):
        drop_tasks(FollowUp.objects.filter(pk__in=[each.pk for each in dropped]), by, at)
        record(
            Action.FOLLOW_UP_DONE,
            by=by,
            purpose=Purpose.CONTACT,
            subject="case",
            references=dict.fromkeys(each.about.crime_reference for each in dropped),
            fields=_DROPPED,
        )


def drop_ring_again(*, referral: Referral, by: User, at: datetime) -> bool:
    """Ends the tasks to ring the victim again, and tells the team not to; says whether there were any.

    The caller holds the locks of case and referral.
    """
    if not asked_to_ring(referral):
        return False
    drop_tasks(ring_again_tasks(referral), by, at)
    record_change(Action.FOLLOW_UP_DONE, referral, by, _DROPPED)
    tell(
        kind=MailKind.RING_NO_MORE,
        referral=referral,
        mailbox=referral.team.working_team.mailbox,
        unique_key=f"{MailKind.RING_NO_MORE}:{referral.number}:{at.isoformat()}",
        by=by,
        at=at,
    )
    return True


_DROPPED = ["acknowledged_at", "acknowledged_by", "done_at", "done_by", "dropped"]


def drop_tasks(tasks: QuerySet[FollowUp], by: User, at: datetime) -> int:
    """Ends these, as there is nothing more to do, and says how many; the caller writes the audit row."""
    return tasks.update(
        acknowledged_at=Coalesce("acknowledged_at", Value(at)),
        acknowledged_by=Coalesce("acknowledged_by", Value(by.pk)),
        done_at=at,
        done_by=by,
        dropped=True,
    )


def _record_raised(references: Collection[str], by: User) -> None:
    if references:
        record(
            Action.FOLLOW_UP_RAISED,
            by=by,
            purpose=Purpose.CONTACT,
            subject="case",
            references=references,
            fields=["follow_ups"],
        )


def _kinds_of(changed: Collection[str]) -> list[FollowUpKind]:
    return sorted({kind for name, kind in _ASKED_BY.items() if name in changed})
