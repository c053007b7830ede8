"""The days that were submitted, and what became of each case."""

from dataclasses import dataclass

from django.db.models import F, Prefetch, QuerySet

from referrals.models import Decision, MailKind, Notification, Referral, ReopenedDecision, Submission
from referrals.scope import submissions_visible_to
from src_app.accounts.models import User


@dataclass(frozen=True)
class DecisionResult:
    """What became of one submitted case. ``trial``: the name of the one that decided it, if one did."""

    decision: Decision
    referral: Referral | None
    trial: str


def decision_results(submission: Submission) -> list[DecisionResult]:
    """What became of each case of a submission, in order of report time, with the mail that told the team."""
    told = Notification.objects.filter(kind=MailKind.REFERRAL_MADE)
    decisions = (
        submission.decisions.select_related("case__ward", "case__referral__team", "case__referral__ward")
        .annotate(trial=F("case__allocation__trial__name"))
        .prefetch_related(Prefetch("case__referral__notifications", told))
        .order_by(F("case__reported_at"), "case__crime_reference")
    )
    return [
        DecisionResult(decision, _referral_of(decision, submission), trial=decision.trial or "")
        for decision in decisions
    ]


def reopened_of(submission: Submission) -> list[ReopenedDecision]:
    """Decisions of the submission that were taken back since, the first first."""
    return list(submission.reopened_decisions.select_related("case", "reopened_by").order_by("pk"))


def _referral_of(decision: Decision, submission: Submission) -> Referral | None:
    """The referral that the submission made; one that was ordered later is none of its."""
    referral: Referral | None = getattr(decision.case, "referral", None)
    return referral if referral and referral.made_at <= submission.submitted_at else None


def latest_submissions(user: User) -> QuerySet[Submission]:
    """The last five days submitted, the latest first."""
    return (
        submissions_visible_to(user)
        .select_related("bcu", "submitted_by")
        .order_by("-submitted_at", "-pk")[:5]
    )
