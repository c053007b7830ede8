"""Looks by arm before the lock: which are planned and when, and what those that were not do to p-values."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from outcomes.models import Look
from referrals.models import Trial
from referrals.rules.trial.analysis import PlannedLook
from src_app.accounts.models import User
from src_app.templatetags.words import counted


@dataclass(frozen=True)
class Unadjusted:
    """How many looks were not planned, and the sentence that goes with every result."""

    looks: int

    @property
    def sentence(self) -> str:
        """Empty where every look was planned."""
        if not self.looks:
            return ""
        return f"p-values are unadjusted for {counted(self.looks, 'look,looks')} by group before the lock"


def unadjusted(trial: Trial) -> Unadjusted:
    """The looks of a trial that its protocol did not plan."""
    return Unadjusted(Look.objects.filter(trial=trial, planned_on__isnull=True).count())


def planned_look(trial: Trial, on: date) -> PlannedLook | None:
    """The look that the protocol plans for a day."""
    return next((look for look in trial.conduct.plan.looks if look.on == on), None)


@dataclass(frozen=True)
class LookRow:
    """A look of the protocol as an account meets it; ``opened``: somebody opened it already."""

    on: date
    reader: str
    is_reader: bool
    due: bool
    opened: bool

    @property
    def can_be_opened(self) -> bool:
        """By this account, now."""
        return self.is_reader and self.due and not self.opened


def planned_looks(trial: Trial, user: User, at: datetime) -> list[LookRow]:
    """The looks of the protocol in the order of their days; two queries."""
    looks = trial.conduct.plan.looks
    opened = set(Look.objects.filter(trial=trial).values_list("planned_on", flat=True))
    named = User.objects.filter(username__in={look.reader for look in looks})
    names = dict(named.values_list("username", "display_name"))
    return [
        LookRow(
            on=look.on,
            reader=names.get(look.reader, look.reader),
            is_reader=look.reader == user.username,
            due=timezone.localdate(at) >= look.on,
            opened=look.on in opened,
        )
        for look in looks
    ]
