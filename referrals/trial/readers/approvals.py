"""Which approvals a trial still needs, and who may seal it."""

from django.db.models import QuerySet

from referrals.models import ApprovalKind, BcuMembership, Trial
from referrals.rules.trial.protocol import parts_of
from referrals.scope import today
from src_app.accounts.models import User
from src_app.accounts.roles import PERMISSIONS, Permission


def approvers_of(trial_id: int, *, but: User) -> QuerySet[User]:
    """Who may seal the trial and has a work e-mail address, by name; not ``but``, who proposes it."""
    roles = [role for role, held in PERMISSIONS.items() if Permission.SEAL_TRIALS in held]
    members = BcuMembership.objects.filter(BcuMembership.current(today()), bcu__trials=trial_id)
    return (
        User.objects.filter(
            role__in=roles, is_active=True, email__isnull=False, pk__in=members.values("user")
        )
        .exclude(pk=but.pk)
        .order_by("display_name", "pk")
    )


def lacking(trial: Trial) -> list[str]:
    """What a draft still needs before it can be proposed and sealed; empty where it has everything."""
    approvals = {approval.kind: approval for approval in trial.approvals.all()}
    missing = [f"the approval “{kind.label}”" for kind in ApprovalKind if kind not in approvals]
    assessment = approvals.get(ApprovalKind.DATA_PROTECTION)
    if uses_strand(trial) and assessment is not None and not assessment.allows_strand:
        missing.append("a data protection assessment that allows the strand to be used")
    if not trial.registrars.exists():
        missing.append("a registrar outside the force")
    return missing


def uses_strand(trial: Trial) -> bool:
    """Whether "race: yes or no" is a stratum or a factor."""
    factors = [factor.name for factor in trial.design.factors]
    return "race" in (*parts_of(trial.stratified_by), *factors)
