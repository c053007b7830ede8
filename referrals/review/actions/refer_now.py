"""Referring a decided case after all: the victim asked for contact, or safety calls for it."""

import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from referrals.cases.actions import keep_text
from referrals.contact.actions.notices import drop_contacts, raise_task
from referrals.contact.actions.refer import refer, refer_again
from referrals.contact.actions.referral_lock import tell
from referrals.models import (
    Allocation,
    Arm,
    Case,
    DeviationKind,
    FollowUp,
    FollowUpKind,
    MailKind,
    OrderReason,
    Referral,
    ReferralOrder,
    Team,
    TextKind,
    Ward,
)
from referrals.review.actions.case_lock import lock_submitted
from referrals.review.actions.chosen_team import place_of, refuse_without_reason, ward_served
from referrals.review.readers.refer_now import chosen_before, home_ward, why_not_refer, why_not_ring_again
from referrals.trial.actions.deviations import record_deviation
from src_app.accounts.models import User
from src_app.busy import SENT_AGAIN_WITHIN, looked_up_by_key
from src_app.refused import Refused
from src_app.templatetags.words import moment


@looked_up_by_key
def refer_now(
    *,
    case_id: int,
    key: uuid.UUID,
    reason: OrderReason,
    team: Team | None = None,
    why: str = "",
    by: User,
    at: datetime,
) -> Referral:
    """Has a team contact the victim of a decided case, outside any trial; returns the referral.

    It goes to the ward's team, or to ``team``, which was chosen with the reason ``why``. A referral that was
    closed without contact is opened again, and nobody else is asked to contact the victim any more. Decision
    and arm stay: of a control, it is recorded as a deviation that the victim was referred. The same ``key``
    within minutes makes one referral. Raises :class:`Refused` where that cannot be, and
    ``Case.DoesNotExist`` for a case out of scope.
    """
    with transaction.atomic():
        case = lock_submitted(case_id, by)
        if earlier := ReferralOrder.objects.select_related("referral").filter(key=key).first():
            _refuse_another(earlier, case, at)
            return earlier.referral
        if why_not := why_not_refer(case):
            raise Refused(why_not)
        place = _place(case, team, why)
        if team is not None:
            keep_text(case=case, kind=TextKind.TEAM_REASON, body=why, at=at)
        order = ReferralOrder(key=key, reason=reason, team=team, ordered_at=at, ordered_by=by)
        order.referral = _refer(case, order, place, by, at)
        order.save(force_insert=True)
        drop_contacts(cases=[case], by=by, at=at)
    return order.referral


# What a team that has spoken with the victim is asked.
_RING_AGAIN = {
    OrderReason.ASKED_FOR_CONTACT: FollowUpKind.RING_AGAIN_WISH,
    OrderReason.HIGH_RISK: FollowUpKind.RING_AGAIN_RISK,
    OrderReason.OTHER_SAFETY: FollowUpKind.RING_AGAIN_SAFETY,
}


def ask_to_ring_again(*, case_id: int, reason: OrderReason, by: User, at: datetime) -> FollowUp:
    """Asks the team that has spoken with the victim to ring them again; returns its follow-up.

    The referral stays as it is, and counts as it did. While the same is asked already, nothing is added.
    Raises :class:`Refused` where that cannot be, and ``Case.DoesNotExist`` for a case out of scope.
    """
    with transaction.atomic():
        case = lock_submitted(case_id, by)
        if why_not := why_not_ring_again(case):
            raise Refused(why_not)
        referral = Referral.objects.select_related("team").select_for_update(of=("self",)).get(case=case)
        referral.case, kind = case, _RING_AGAIN[reason]
        asked = FollowUp.objects.filter(referral=referral, kind=kind, done_at__isnull=True)
        if waiting := asked.first():
            return waiting
        raise_task(referral=referral, kind=kind, by=by, at=at)
        task = asked.get()
        tell(
            kind=MailKind.RING_AGAIN,
            referral=referral,
            mailbox=referral.team.working_team.mailbox,
            unique_key=f"{MailKind.RING_AGAIN}:{task.pk}",
            by=by,
            at=at,
        )
    return task


def _refuse_another(earlier: ReferralOrder, case: Case, at: datetime) -> None:
    """Raises :class:`Refused` unless the form that ordered it is sent again."""
    if earlier.referral.case_id != case.pk:
        raise Refused("This form was used for another case: open the page again.")
    if at - earlier.ordered_at > SENT_AGAIN_WITHIN:
        raise Refused(f"This form was sent on {moment(earlier.ordered_at)}: open the page again.")


def _place(case: Case, team: Team | None, why: str) -> tuple[Team, Ward]:
    """The team, and the ward under which its contact is counted."""
    if team is None:
        home = home_ward(case)
        if home is None:
            raise Refused("The ward of the victim's home is not known here: choose a team.")
        return home.team, home
    refuse_without_reason(why)
    before = chosen_before(case)
    if before is None or before.team != team:
        return team, place_of(case, team)
    return team, _ward_again(case, team)


def _ward_again(case: Case, team: Team) -> Ward:
    """The ward of a team that was chosen before, perhaps of another BCU: that of then, if it covers it."""
    referral: Referral | None = getattr(case, "referral", None)
    if referral is not None and referral.ward.team_id == team.pk:
        return referral.ward
    return ward_served(team)


def _refer(case: Case, order: ReferralOrder, place: tuple[Team, Ward], by: User, at: datetime) -> Referral:
    team, ward = place
    referral = Referral.objects.select_for_update().filter(case=case).first()
    if referral is not None:
        referral.case = case
        order.earlier_reason, order.earlier_closed_at = referral.close_reason, referral.closed_at
        refer_again(referral=referral, team=team, ward=ward, by=by, at=at)
        return referral
    control = Allocation.objects.filter(case=case, arm=Arm.CONTROL).first()
    if control is not None:
        by_wish = order.reason == OrderReason.ASKED_FOR_CONTACT
        record_deviation(
            allocation_id=control.pk,
            kind=DeviationKind.REFERRED_BY_WISH if by_wish else DeviationKind.REFERRED_FOR_SAFETY,
            happened_on=timezone.localdate(at),
            by=by,
            at=at,
        )
    return refer(case=case, team=team, ward=ward, allocation=None, refer_now=True, by=by, at=at)
