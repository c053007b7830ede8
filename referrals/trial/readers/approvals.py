"""Which approvals a trial still needs."""

from referrals.models import ApprovalKind, Trial


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
    return trial.stratified_by == "race" or any(factor.name == "race" for factor in trial.design.factors)
