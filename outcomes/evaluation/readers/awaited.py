"""What the outcomes of a trial wait for before they can be locked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from referrals.models import Allocation, Arm, ControlCheck, Trial, TrialStatus
from src_app.templatetags.words import counted, moment


@dataclass(frozen=True)
class Awaited:
    """How far follow-up and the check of controls have come.

    ``over_at``: when the last unit's follow-up is, or was, over. ``controls`` is 0 while recruiting: the true
    number would reveal the next arms.
    """

    closed: bool
    units: int
    followed: int
    over_at: datetime | None
    controls: int
    checked: int

    @property
    def missing(self) -> list[str]:
        """Sentences, each saying what is missing, how many, and when it can be done; empty: lock."""
        found = []
        if not self.closed:
            found.append("Recruitment is not closed.")
        if self.followed < self.units:
            left = self.units - self.followed
            found.append(
                f"The follow-up of {left} of {counted(self.units, 'unit,units')} is not over: "
                f"the last one ends on {moment(self.over_at)}."
            )
        if self.checked < self.controls:
            left = self.controls - self.checked
            found.append(
                f"{left} of {counted(self.controls, 'control,controls')} {'is' if left == 1 else 'are'} not "
                "checked on the crime record for a contact: the hate crime officer can do it as soon as the "
                "follow-up of each is over."
            )
        return found


def awaited(trial: Trial, at: datetime) -> Awaited:
    """How the trial stands at a moment; no outcome is read for it."""
    follow_up = timedelta(days=trial.conduct.follow_up_days)
    units = Allocation.objects.filter(trial=trial, position__isnull=False).aggregate(
        all=Count("pk"),
        followed=Count("pk", filter=Q(allocated_at__lte=at - follow_up)),
        last=Max("allocated_at"),
        controls=Count("pk", filter=Q(arm=Arm.CONTROL)),
    )
    closed = trial.status in TrialStatus.since(TrialStatus.CLOSED)
    return Awaited(
        closed=closed,
        units=units["all"],
        followed=units["followed"],
        over_at=units["last"] + follow_up if units["last"] else None,
        controls=units["controls"] if closed else 0,
        checked=ControlCheck.objects.filter(allocation__trial=trial).count() if closed else 0,
    )
