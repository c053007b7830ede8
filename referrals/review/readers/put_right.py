"""What can still be put right of a case that was submitted, each as one sentence why not, or none."""

from referrals.cases.readers import standing_findings
from referrals.models import (
    Case,
    Decision,
    FoundNotSuitable,
    Referral,
    ReferralStatus,
    Trial,
    TrialStatus,
)
from src_app.templatetags.words import moment


def why_not_reopen(case: Case) -> str:
    """Why the decision cannot be made anew; empty where it can."""
    if case.decided_at is None:
        return "This case waits in the overnight review: decide it there."
    if referral := _referral(case):
        return f"It was referred ({referral.number}): say that it was not suitable, or move the referral."
    if getattr(case, "allocation", None) is not None:
        return "The case was decided by a trial, and stays there: say that it was not suitable."
    decision: Decision | None = getattr(case, "decision", None)
    assessed_for = decision.assessed_for_id if decision is not None else None
    trial = Trial.objects.only("name", "status").get(pk=assessed_for) if assessed_for else None
    if trial is not None and trial.status != TrialStatus.RECRUITING:
        return f"{trial.name} has closed, and counts the report as it was decided: refer now instead."
    return ""


def why_not_find_unsuitable(case: Case) -> str:
    """Why it cannot be recorded that the case was not suitable after all; empty where it can."""
    if not why_not_reopen(case):
        return "The decision can still be made anew: reopen it."
    if case.decided_at is None:
        return "This case waits in the overnight review: decide it there."
    if found := standing_finding(case):
        return f"{found.found_by} recorded on {moment(found.found_at)} that it was not suitable."
    return ""


def standing_finding(case: Case) -> FoundNotSuitable | None:
    """That the case was found not suitable after all, as it stands; None where it does not."""
    return standing_findings().select_related("found_by").filter(case=case).first()


def why_not_correct(case: Case) -> str:
    """Why it cannot be put right why the case was found not suitable; empty where it can."""
    if case.decided_at is not None and standing_finding(case) is not None:
        return ""
    return "It is not on record that this case was not suitable after all: there is nothing to put right."


def why_not_move(case: Case) -> str:
    """Why its referral cannot go to another team; empty where it can."""
    referral = _referral(case)
    if referral is None:
        return "The case has no referral that could be moved."
    if referral.status != ReferralStatus.OPEN:
        return f"{referral.number} has ended: there is nothing to move."
    return ""


def _referral(case: Case) -> Referral | None:
    referral: Referral | None = getattr(case, "referral", None)
    return referral
