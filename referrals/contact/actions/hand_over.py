"""Handing a referral to another team: the victim's ward changed, or it was with the wrong one."""

from datetime import datetime

from referrals.contact.actions.notices import raise_task
from referrals.contact.actions.referral_lock import record_change, tell
from referrals.contact.readers.chosen_team import chosen_team
from referrals.models import FollowUpKind, HandOver, HandOverReason, MailKind, Referral, Team, Ward
from referrals.places.readers import people_of
from referrals.scope import today
from src_app.accounts.models import User
from src_app.audit.models import Action


def follow_ward(*, referral: Referral, by: User, at: datetime) -> bool:
    """Hands the referral to the team of its case's ward; says whether another team has it now.

    Its due time stays. Where the team was chosen by hand, or the ward is unknown or another BCU's, it stays
    where it is: in the latter case the HCOP gets a task. The caller holds the locks of case and referral.
    """
    ward = referral.case.ward
    if chosen_team(referral.case, referral) is not None:
        return False
    if ward is None or not referral.case.is_placed:
        raise_task(referral=referral, kind=FollowUpKind.WARD_UNCLEAR, by=by, at=at)
        return False
    if ward.team_id == referral.team_id:
        referral.ward = ward
        referral.save(update_fields=["ward"])
        return False
    hand_over(referral=referral, ward=ward, by=by, at=at)
    return True


def leave_closed_team(*, referral: Referral, by: User, at: datetime) -> None:
    """Hands a referral that is about to be open again to its ward's team, where its own is closed by now.

    The caller holds the locks of case and referral.
    """
    if referral.team.closed_at is not None:
        reason = HandOverReason.REORGANISED
        hand_over(referral=referral, ward=referral.ward, reason=reason, by=by, at=at)


def hand_over(
    *,
    referral: Referral,
    ward: Ward,
    by_hand: bool = False,
    reason: HandOverReason | None = None,
    is_merge: bool = False,
    by: User,
    at: datetime,
) -> None:
    """Gives the referral to the ward's team, and tells both teams; its due time stays.

    Within one team only the ward changes, and nobody is told. ``is_merge``: the team itself becomes part of
    the other, and both are told of that; whoever has the referral keeps it, if they belong there today. The
    caller holds the locks of both.
    """
    handed = HandOver.objects.create(
        referral=referral,
        from_team=referral.team,
        to_team=ward.team,
        from_ward=referral.ward,
        to_ward=ward,
        handed_at=at,
        handed_by=by,
        by_hand=by_hand,
        reason=reason or "",
    )
    fields = ["team", "ward"]
    if ward.team_id != referral.team_id and not (is_merge and _goes_along(referral, ward.team)):
        fields += referral.put_back()
    referral.team, referral.ward = ward.team, ward
    referral.save(update_fields=fields)
    record_change(Action.REFERRAL_HANDED_OVER, referral, by, fields)
    if handed.from_team == handed.to_team or is_merge:
        return
    for kind, team in ((MailKind.HANDED_TO, handed.to_team), (MailKind.HANDED_ON, handed.from_team)):
        tell(
            kind=kind,
            referral=referral,
            mailbox=team.mailbox,
            unique_key=f"{kind}:{handed.pk}",
            by=by,
            at=at,
        )


def _goes_along(referral: Referral, team: Team) -> bool:
    """Whether whoever has the referral is in that team today."""
    holder = referral.taken_by
    return (
        holder is not None
        and people_of(Team.objects.filter(pk=team.pk), today()).filter(pk=holder.pk).exists()
    )
