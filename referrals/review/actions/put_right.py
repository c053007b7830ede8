"""Putting right what was submitted: the decision, or the team that has the referral.

What was decided, allocated and referred stays on record beside what came of it.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from referrals.cases.actions import keep_text
from referrals.contact.actions.closing import close_not_suitable
from referrals.contact.actions.hand_over import hand_over
from referrals.contact.actions.notices import ask_for_duplicates, drop_contacts, own_contacts
from referrals.models import (
    REFERRED_ANYWAY,
    RING_AGAIN,
    Allocation,
    Case,
    ContactBy,
    Decision,
    DeviationKind,
    FoundNotSuitable,
    Reason,
    Referral,
    ReferralStatus,
    ReopenedDecision,
    ReopenReason,
    TextKind,
    Ward,
)
from referrals.review.actions.case_lock import lock_submitted
from referrals.review.actions.drafts import refuse_left_to_nobody, refuse_no_duplicate
from referrals.review.readers.put_right import (
    standing_finding,
    why_not_correct,
    why_not_find_unsuitable,
    why_not_move,
    why_not_reopen,
)
from referrals.trial.actions.deviations import record_deviation
from referrals.trial.readers.deviations import standing_deviations
from src_app.accounts.models import User
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused


def reopen_decision(*, case_id: int, because: ReopenReason, by: User, at: datetime) -> None:
    """Takes a submitted decision back, so that the case waits in the overnight review again.

    What was decided is kept (:class:`ReopenedDecision`). Raises :class:`Refused` once the case was allocated
    or referred, and ``Case.DoesNotExist`` for one out of scope.
    """
    with transaction.atomic():
        case = lock_submitted(case_id, by)
        if why_not := why_not_reopen(case):
            raise Refused(why_not)
        decision = Decision.objects.get(case=case)
        assert decision.submission is not None
        ReopenedDecision.objects.create(
            case=case,
            submission=decision.submission,
            suitable=decision.suitable,
            reason=decision.reason,
            contact_by=decision.contact_by,
            duplicate_of=decision.duplicate_of,
            team_id=decision.team_id,
            assessed_for_id=decision.assessed_for_id,
            version=decision.version,
            because=because,
            reopened_at=at,
            reopened_by=by,
        )
        decision.delete()
        Case.objects.filter(pk=case.pk).update(decided_at=None)
        drop_contacts(cases=[case], by=by, at=at)
        _record(Action.DECISION_REOPENED, case, by, ["decided_at", "decision"])


def find_not_suitable(
    *,
    case_id: int,
    reason: Reason,
    contact_by: ContactBy,
    duplicate_of: str = "",
    by: User,
    at: datetime,
) -> FoundNotSuitable:
    """Records that a case was not suitable, after it was allocated or referred.

    ``duplicate_of``: as a mark of the overnight review says it.
    An open referral is closed and its team told; so is a team that was to ring the victim again. An
    allocation stays for ever, and a deviation says that it was made in error. ``by`` gets the task to see
    that somebody else contacts the victim, unless the team has spoken with them and was not to ring again.
    Raises :class:`Refused` where that cannot be, and ``Case.DoesNotExist`` for a case out of scope.
    """
    with transaction.atomic():
        case = lock_submitted(case_id, by, beside=duplicate_of, duplicates=True)
        if why_not := why_not_find_unsuitable(case):
            raise Refused(why_not)
        _refuse_no_reason(case, reason, contact_by, duplicate_of)
        found = FoundNotSuitable.objects.create(
            case=case,
            reason=reason,
            contact_by=contact_by,
            duplicate_of=duplicate_of,
            found_at=at,
            found_by=by,
        )
        referral = _lock_referral(case)
        if referral is not None:
            close_not_suitable(referral=referral, by=by, at=at)
        allocation = Allocation.objects.filter(case=case).first()
        if allocation is not None:
            _record_in_error(allocation, by, at)
        drop_contacts(cases=[case], by=by, at=at)
        _see_to_contact(found, referral, by, at)
        ask_for_duplicates(cases=[case], owner=by, by=by, at=at)
        _record(Action.FOUND_NOT_SUITABLE, case, by, ["reason", "contact_by", "duplicate_of"])
    return found


def correct_finding(
    *,
    case_id: int,
    seen: int | None,
    reason: Reason,
    contact_by: ContactBy,
    duplicate_of: str = "",
    by: User,
    at: datetime,
) -> FoundNotSuitable:
    """Puts right why a case was found not suitable: the reason, the other report, or who contacts the victim.

    ``seen``: the key of the finding that the page showed. What was said before stays on record. Where
    somebody else contacts the victim now, the task to see to it is ``by``'s. Raises :class:`Refused` where
    that cannot be, and ``Case.DoesNotExist`` for a case out of scope.
    """
    with transaction.atomic():
        case = lock_submitted(case_id, by, beside=duplicate_of)
        wrong = _seen_finding(case, seen)
        if (wrong.reason, wrong.contact_by, wrong.duplicate_of) == (reason, contact_by, duplicate_of):
            raise Refused("That is what is on record: nothing was changed.")
        _refuse_no_reason(case, reason, contact_by, duplicate_of)
        found = FoundNotSuitable.objects.create(
            case=case,
            reason=reason,
            contact_by=contact_by,
            duplicate_of=duplicate_of,
            found_at=at,
            found_by=by,
            corrects=wrong,
        )
        if contact_by == ContactBy.OTHER_REPORT or contact_by != wrong.contact_by:
            drop_contacts(cases=[case], by=by, at=at)
            _see_to_contact(found, _lock_referral(case), by, at)
        _record(Action.FOUND_NOT_SUITABLE, case, by, ["reason", "contact_by", "duplicate_of"])
    return found


def move_referral(
    *, case_id: int, seen: int | None, ward: Ward, why: str, by: User, at: datetime
) -> Referral:
    """Gives the case's open referral to the team of another ward of the BCU; clock and history go along.

    ``seen``: the key of the ward that it was with, as the page said; where it has moved since, it stays.
    From then on the ward of the victim's home does not decide. Raises :class:`Refused` where that cannot be,
    and ``Case.DoesNotExist`` for a case out of scope.
    """
    if not why.strip():
        raise Refused("Say why it goes there: for example wrong postcode, refuge, or hotel.")
    with transaction.atomic():
        case = lock_submitted(case_id, by)
        referral = _lock_referral(case)
        if referral is None or referral.status != ReferralStatus.OPEN:
            raise Refused(why_not_move(case))
        if referral.ward_id != seen:
            raise Refused(
                f"{referral.number} is with {referral.team} for {referral.ward} by now. Nothing was moved: "
                "look whether it is right."
            )
        if ward.borough.bcu_id != case.bcu_id:
            raise Refused("That ward is not in the BCU of this case: choose another.")
        if ward == referral.ward:
            raise Refused(f"{referral.number} is with {referral.team} for {ward} already.")
        keep_text(case=case, kind=TextKind.TEAM_REASON, body=why, at=at)
        hand_over(referral=referral, ward=ward, by_hand=True, by=by, at=at)
    return referral


def _seen_finding(case: Case, seen: int | None) -> FoundNotSuitable:
    """The finding that stands, if it is the one that the page showed."""
    found = standing_finding(case)
    if found is None:
        raise Refused(why_not_correct(case))
    if found.pk != seen:
        raise Refused(f"{found.found_by} put this right meanwhile: look whether it is right now.")
    return found


def _refuse_no_reason(case: Case, reason: Reason, contact_by: ContactBy, duplicate_of: str) -> None:
    """Raises :class:`Refused` where that is no reason against the case, or the victim is left to nobody."""
    if reason in REFERRED_ANYWAY:
        raise Refused("That is a reason to refer: choose why the case is not suitable.")
    refuse_no_duplicate(case, reason, duplicate_of)
    refuse_left_to_nobody(case, contact_by, duplicate_of)


def _see_to_contact(found: FoundNotSuitable, referral: Referral | None, by: User, at: datetime) -> None:
    """Asks that somebody else contacts the victim, unless the team has spoken with them.

    Of those, whom the team was to ring again is asked about too.
    """
    if (
        referral is None
        or referral.status != ReferralStatus.COMPLETED
        or referral.follow_ups.filter(kind__in=RING_AGAIN, dropped=True).exists()
    ):
        own_contacts(said=[found], owner=by, by=by, at=at)


def _record_in_error(allocation: Allocation, by: User, at: datetime) -> None:
    """Records the deviation, unless the HCOP has recorded it by itself already."""
    kind = DeviationKind.IN_ERROR
    if not standing_deviations([allocation]).filter(kind=kind).exists():
        day = timezone.localdate(at)
        record_deviation(allocation_id=allocation.pk, kind=kind, happened_on=day, by=by, at=at)


def _lock_referral(case: Case) -> Referral | None:
    referrals = Referral.objects.select_related("team", "ward").select_for_update(of=("self",))
    if referral := referrals.filter(case=case).first():
        referral.case = case
    return referral


def _record(action: Action, case: Case, by: User, fields: list[str]) -> None:
    record(
        action,
        by=by,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[case.crime_reference],
        fields=fields,
    )
