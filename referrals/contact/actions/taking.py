"""Who makes the contact: taking a referral, and handing it back."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from referrals.contact.actions.referral_lock import (
    lock_referral,
    record_change,
    refuse_closed,
    refuse_handed_over,
    refuse_officer_in_case,
    tell,
)
from referrals.contact.readers.colleagues import why_not_at_work, why_not_give
from referrals.models import MailKind, Referral, ReferralStatus
from referrals.scope import referrals_visible_to
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action
from src_app.refused import Refused
from src_app.templatetags.words import moment


class TakenAlready(Refused):
    """Somebody else took the referral first."""


def take(*, referral_id: int, by: User, at: datetime) -> Referral:
    """Gives the referral to whoever asks first; the others are told who has it.

    Taking twice changes nothing. Raises ``Referral.DoesNotExist`` for another team's.
    """
    check_authority(by, Permission.CONTACT_VICTIMS)
    if why_not := why_not_at_work(by):
        raise Refused(why_not)
    with transaction.atomic():
        referral = referrals_visible_to(by).select_related("case").get(pk=referral_id)
        refuse_officer_in_case(referral, by)
        taken = Referral.objects.filter(
            pk=referral_id, team=referral.team_id, status=ReferralStatus.OPEN, taken_by__isnull=True
        ).update(taken_at=at, taken_by=by)
        referral = Referral.objects.select_related("case", "team", "taken_by").get(pk=referral_id)
        if taken:
            # An extract may have named them while this waited for its turn.
            refuse_officer_in_case(referral, by)
            record_change(Action.REFERRAL_TAKEN, referral, by, ["taken_at", "taken_by"])
            return referral
    refuse_handed_over(referral, by)
    refuse_closed(referral)
    if referral.taken_by == by:
        return referral
    if referral.taken_by is None:
        raise Refused(f"{referral.number} was handed back this moment: take it again.")
    raise TakenAlready(
        f"{referral.taken_by} took {referral.number} on {moment(referral.taken_at)}. "
        "There is nothing for you to do, unless they ask you to."
    )


def give(*, referral_ids: Collection[int], to: User, by: User, at: datetime) -> list[Referral]:
    """Gives open referrals to an officer of their team, all of them or none; returns those that changed.

    A supervisor gives any of their teams'; everybody else what they have themselves. Never to the officer in
    the case, and never to somebody on leave. They are told by mail, if their account has
    an address. Raises :class:`Refused` with what stands
    in the way of the first, and ``Referral.DoesNotExist`` for another team's.
    """
    check_authority(by, Permission.CONTACT_VICTIMS)
    if not referral_ids:
        raise Refused("Nothing is chosen yet: tick at least one referral.")
    given = []
    with transaction.atomic():
        # In the order in which every action locks cases.
        in_order = Referral.objects.filter(pk__in=referral_ids).order_by("case_id")
        for referral_id in in_order.values_list("pk", flat=True):
            referral = lock_referral(referral_id, by)
            refuse_closed(referral)
            if referral.taken_by == to:
                continue
            if not by.can(Permission.CHASE_REFERRALS) and referral.taken_by != by:
                raise Refused(f"{referral.number} is not yours to give: ask {_holder(referral)}.")
            if why_not := why_not_give(referral, to):
                raise Refused(why_not)
            referral.taken_at, referral.taken_by = at, to
            referral.given_by = by if by != to else None
            fields = ["taken_at", "taken_by", "given_by"]
            referral.save(update_fields=fields)
            record_change(Action.REFERRAL_GIVEN, referral, by, fields)
            if to.email and to != by:
                tell(
                    kind=MailKind.GIVEN,
                    referral=referral,
                    mailbox=to.email,
                    whose=to.username,
                    unique_key=f"{MailKind.GIVEN}:{referral.number}:{at.isoformat()}",
                    by=by,
                    at=at,
                )
            given.append(referral)
    return given


def _holder(referral: Referral) -> str:
    return f"{referral.taken_by}, or your supervisor" if referral.taken_by else "your supervisor, or take it"


def give_back(*, referral_id: int, by: User) -> Referral:
    """Hands a taken referral back to its team: whoever has it, or a supervisor.

    Handing back what nobody has changes nothing.
    """
    with transaction.atomic():
        referral = lock_referral(referral_id, by)
        refuse_closed(referral)
        if referral.taken_by is None:
            return referral
        if referral.taken_by != by and not by.can(Permission.CHASE_REFERRALS):
            raise Refused(
                f"{referral.taken_by} has {referral.number}: ask them or your supervisor to return it."
            )
        fields = referral.put_back()
        referral.save(update_fields=fields)
        record_change(Action.REFERRAL_RETURNED, referral, by, fields)
    return referral
