"""What the page of one trial reads."""

from dataclasses import dataclass

from referrals.models import Approval, ApprovalKind, Pause, Registrar, Trial, TrialStatus, Ward
from referrals.scope import trials_visible_to
from referrals.trial.readers.approvals import lacking
from referrals.trial.readers.words import (
    Line,
    Taken,
    protocol_lines,
    steps_of,
)
from src_app.accounts.models import User


@dataclass(frozen=True)
class TrialPage:
    """A trial with all that its page shows.

    ``pause``: the one that lasts. ``lacking``: what a draft needs before it can be proposed.
    """

    trial: Trial
    lines: list[Line]
    steps: list[Taken]
    approvals: list[tuple[ApprovalKind, Approval | None]]
    registrars: list[Registrar]
    pause: Pause | None
    lacking: list[str]
    units: int
    proposed_by_reader: bool

    @property
    def is_draft(self) -> bool:
        return self.trial.status == TrialStatus.DRAFT


def trial_page(user: User, trial_id: int) -> TrialPage:
    """The page; raises ``Trial.DoesNotExist`` for a trial out of the account's sight."""
    people = [f"{name}_by" for name in ("proposed", "sealed", "opened", "closed", "locked", "revealed")]
    trial = trials_visible_to(user).select_related("bcu", *people).get(pk=trial_id)
    wards = Ward.objects.filter(code__in=trial.conduct.wards).select_related("borough")
    approvals = {approval.kind: approval for approval in trial.approvals.select_related("recorded_by")}
    is_draft = trial.status == TrialStatus.DRAFT
    return TrialPage(
        trial=trial,
        lines=protocol_lines(trial, {ward.code: ward for ward in wards}),
        steps=steps_of(trial),
        approvals=[(kind, approvals.get(kind)) for kind in ApprovalKind],
        registrars=list(trial.registrars.order_by("name", "pk")),
        pause=trial.pauses.filter(resumed_at__isnull=True).select_related("paused_by").first(),
        lacking=lacking(trial) if is_draft else [],
        units=trial.allocations.filter(position__isnull=False).count(),
        proposed_by_reader=trial.proposed_by == user,
    )
