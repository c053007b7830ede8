"""The team that somebody chose for a case, where its ward does not decide."""

from referrals.models import Case, Decision, Referral, Team


def chosen_team(case: Case, referral: Referral | None) -> Team | None:
    """The team that the HCOP chose by hand, if it was; of several choices the latest counts.

    With the decision, when the case was referred again, or by moving its referral.
    """
    if referral is not None:
        moved = referral.hand_overs.filter(by_hand=True).select_related("to_team").order_by("pk").last()
        order = referral.orders.select_related("team").order_by("pk").last()
        if moved is not None and (order is None or order.ordered_at <= moved.handed_at):
            return moved.to_team
        if order is not None:
            return order.team
    decision: Decision | None = getattr(case, "decision", None)
    return decision.team if decision is not None else None
