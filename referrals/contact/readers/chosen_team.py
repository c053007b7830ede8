"""The team that somebody chose for a case, where its ward does not decide."""

from referrals.models import Case, Decision, HandOver, Referral, Team


def chosen_team(case: Case, referral: Referral | None) -> Team | None:
    """The team that the HCOP chose by hand, if it was; of several choices the latest counts.

    With the decision, when the case was referred again, or by moving its referral.
    """
    if referral is not None:
        if moved := last_moved_by_hand(referral):
            return moved.to_team
        if order := referral.orders.select_related("team").order_by("pk").last():
            return order.team
    decision: Decision | None = getattr(case, "decision", None)
    return decision.team if decision is not None else None


def last_moved_by_hand(referral: Referral) -> HandOver | None:
    """The last hand-over that somebody chose, unless it was referred again since."""
    moved = referral.hand_overs.filter(by_hand=True).select_related("to_team").order_by("pk").last()
    if moved is None or referral.orders.filter(ordered_at__gt=moved.handed_at).exists():
        return None
    return moved
