"""What somebody must act on, and what is done."""

from datetime import datetime

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
)

from referrals.cases.readers import standing_findings
from referrals.models import (
    ASKS_WHO_CONTACTS,
    RING_AGAIN,
    Case,
    ContactAttempt,
    Decision,
    FollowUp,
    FollowUpKind,
    Referral,
    ReferralStatus,
)
from referrals.rules.deadlines import UNDONE_WITHIN
from referrals.scope import follow_ups_visible_to
from src_app.accounts.models import User


def follow_ups_open(user: User) -> QuerySet[FollowUp]:
    """Follow-ups that are not done, whoever owns them, the oldest first."""
    return _follow_ups(user).filter(done_at__isnull=True).order_by("raised_at", "pk")


def follow_ups_late(user: User, at: datetime) -> QuerySet[FollowUp]:
    """Those that nobody has acknowledged in time."""
    return follow_ups_visible_to(user).filter(
        acknowledge_by__lt=at, acknowledged_at__isnull=True, done_at__isnull=True
    )


def follow_ups_done_since(user: User, since: datetime) -> QuerySet[FollowUp]:
    """Follow-ups that are done, the latest first."""
    return _follow_ups(user).filter(done_at__gte=since).order_by("-done_at", "-pk")


def to_ring_again(user: User, at: datetime) -> list[FollowUp]:
    """What the account's teams are asked to ring again: what is not done, and what it has just said is.

    Each with what :func:`ring_again_cards` shows of its referral.
    """
    own = Q(done_by=user, done_at__gt=at - UNDONE_WITHIN, dropped=False)
    return list(
        _follow_ups(user)
        .filter(Q(done_at__isnull=True) | own, kind__in=RING_AGAIN)
        .select_related("referral__case__decision", "referral__taken_by")
        .order_by(F("done_at").asc(nulls_first=True), "raised_at", "pk")
    )


def may_undo(follow_up: FollowUp, user: User, at: datetime) -> bool:
    """Whether the account itself said a moment ago that it is done, and can take that back."""
    done_at = follow_up.done_at
    is_own = follow_up.done_by_id == user.pk and not follow_up.dropped
    is_own &= follow_up.kind != FollowUpKind.UNSAFE
    return is_own and done_at is not None and done_at > at - UNDONE_WITHIN


def is_contact_decided_anew(follow_up: FollowUp, case: Case) -> bool:
    """Whether a task of the case that asks who contacts the victim has nothing more to ask.

    The case waits for its decision again or is suitable now, a team has it or has spoken with the victim, or
    another such task waits.
    """
    referrals = Referral.objects.filter(case=case).exclude(status=ReferralStatus.CLOSED)
    suitable_now = (
        follow_up.kind == FollowUpKind.CONTACT_ELSEWHERE
        and Decision.objects.filter(case=case, suitable=True).exists()
        and not standing_findings().filter(case=case).exists()
    )
    return case.decided_at is None or suitable_now or referrals.exists() or contact_tasks(case).exists()


def contact_tasks(*cases: Case) -> QuerySet[FollowUp]:
    """The tasks of the cases that ask who contacts the victim, and are not done."""
    of_cases = Q(case__in=cases) | Q(referral__case__in=cases)
    return FollowUp.objects.filter(of_cases, kind__in=ASKS_WHO_CONTACTS, done_at__isnull=True)


def ring_again_tasks(referral: Referral) -> QuerySet[FollowUp]:
    """The tasks to ring the referral's victim again that are not done."""
    return FollowUp.objects.filter(FollowUp.is_to_ring_again(), referral=referral)


def waiting_for(user: User, follow_ups: QuerySet[FollowUp]) -> QuerySet[FollowUp]:
    """Of these, what the account is to act on: what nobody owns yet, and its own that are not done."""
    return follow_ups.filter(Q(acknowledged_at__isnull=True) | Q(acknowledged_by=user), done_at__isnull=True)


def _follow_ups(user: User) -> QuerySet[FollowUp]:
    """Each with what may have settled it meanwhile, and why the case was referred outside any trial."""
    withdrawals = ContactAttempt.objects.filter(withdraws=OuterRef("attempt"))
    in_again = Q(
        kind__in=(FollowUpKind.TRANSFERRED, FollowUpKind.RULED_OUT), referral__ruled_out_since__isnull=True
    )
    return (
        follow_ups_visible_to(user)
        .select_related("referral__ward", "case__ward", "case__referral", "case__decision", "raised_by")
        .select_related("acknowledged_by", "done_by")
        .prefetch_related("case__found_not_suitable")
        .annotate(
            withdrawn=Exists(withdrawals),
            in_again=ExpressionWrapper(in_again, BooleanField()),
            reason=F("referral__case__decision__reason"),
        )
    )
