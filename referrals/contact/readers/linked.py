"""Other referrals of the same victim or incident, so that no two people call one victim unknowingly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch, Q

from referrals.cases.readers import of_linked_cases
from referrals.contact.readers.referrals import standing_attempts
from referrals.models import Referral, ReferralStatus
from referrals.scope import referrals_visible_to
from src_app.accounts.models import User
from src_app.templatetags.words import weekday_moment

# Of what has ended for longer only the page of the referral tells.
ENDED_WITHIN = timedelta(days=28)
MOST_TOLD = 3


@dataclass(frozen=True)
class LinkedReferral:
    """One of them: what it shares, ``victim`` or ``incident``, and who is to be spoken with."""

    number: str
    shared: str
    words: str


@dataclass(frozen=True)
class Linked:
    """Those that matter most for the next call; ``more``: how many others there are.

    ``with_another_team``: a team that the account knows nothing of has an open referral of the same victim.
    """

    told: list[LinkedReferral]
    more: int
    with_another_team: bool

    @property
    def numbers(self) -> list[str]:
        """What the audit log knows them by."""
        return [other.number for other in self.told]


def linked_to(referrals: Sequence[Referral], user: User, now: datetime) -> dict[int, Linked]:
    """For each referral, the linked ones that the account may see and that are open or have ended lately.

    Those of a colleague come first, then the latest. Of one that the account may not see only this is said:
    that another team is to contact the same victim. It takes as many queries for fifty referrals as for one.
    """
    visible = referrals_visible_to(user)
    hashes = {referral.case.victim_hash for referral in referrals} - {""}
    elsewhere = set(
        Referral.objects.filter(case__victim_hash__in=hashes, status=ReferralStatus.OPEN)
        .exclude(pk__in=visible.values("pk"))
        .values_list("case__victim_hash", flat=True)
    )
    others = list(
        visible.filter(of_linked_cases(*(referral.case for referral in referrals)))
        .filter(Q(status=ReferralStatus.OPEN) | Q(closed_at__gte=now - ENDED_WITHIN))
        .select_related("case", "taken_by", "closed_by")
        .prefetch_related(Prefetch("attempts", standing_attempts()))
        .order_by("-made_at", "-pk")
    )
    return {
        referral.pk: _linked(referral, others, user, with_another_team=referral.case.victim_hash in elsewhere)
        for referral in referrals
    }


def _linked(referral: Referral, others: list[Referral], user: User, *, with_another_team: bool) -> Linked:
    shared = {other: _shared(referral, other) for other in others if other.pk != referral.pk}
    found = sorted(
        (other for other, what in shared.items() if what),
        key=lambda other: (
            shared[other] != "victim",
            ReferralStatus.values.index(other.status),
            other.taken_by_id in (None, user.pk),
        ),
    )
    told = [LinkedReferral(each.number, shared[each], _words(each, user)) for each in found[:MOST_TOLD]]
    return Linked(told, more=len(found) - len(told), with_another_team=with_another_team)


def _shared(referral: Referral, other: Referral) -> str:
    for what in ("victim", "incident"):
        key = getattr(referral.case, f"{what}_hash")
        if key and key == getattr(other.case, f"{what}_hash"):
            return what
    return ""


def _words(other: Referral, user: User) -> str:
    if other.status == ReferralStatus.COMPLETED:
        if other.closed_by == user:
            return f"You made contact, {_when(other.contacted_at)}."
        return f"{other.closed_by} made contact, {_when(other.contacted_at)}: speak with them first."
    if other.status == ReferralStatus.CLOSED:
        reason = other.get_close_reason_display().lower()
        return f"Closed without contact by {other.closed_by}, {_when(other.closed_at)}: {reason}."
    return f"{_holder(other, user)}{_last_try(other)}"


def _holder(other: Referral, user: User) -> str:
    if other.taken_by is None:
        return "Nobody has it yet: take both, so that one person calls."
    if other.taken_by == user:
        return "You have it too."
    return f"Speak first with {other.taken_by}, who has it."


def _last_try(other: Referral) -> str:
    tries = list(other.attempts.all())
    if not tries:
        return ""
    return f" Last tried {_when(tries[-1].made_at)}: {tries[-1].get_result_display().lower()}."


def _when(moment: datetime | None) -> str:
    assert moment is not None
    return weekday_moment(moment)
