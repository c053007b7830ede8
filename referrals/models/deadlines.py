"""What a BCU asks of its teams and by when, bank holidays proclaimed late, and the clock of a referral."""

from datetime import time

import pghistory
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from referrals.models.places import Bcu
from referrals.models.referrals import Referral
from src_app.choices import NamedChoices
from src_app.database import AppendOnly, one_line, read_sql, refuse, together

# Hours after the due time at which somebody can be reminded; before it where they are negative.
REMINDER_HOURS = (-72, -48, -24, -12, -4, 0, 24, 48, 72, 168)
MOST_HOURS = 30 * 24
MOST_WORKING_DAYS = 30
MOST_ATTEMPTS = 10


def _window(name: str) -> list[models.BaseConstraint]:
    """Constraints that a window is of hours or of working days, and neither endless nor nothing."""
    hours, days = f"{name}_hours", f"{name}_working_days"
    by_hours = Q(**{f"{hours}__gte": 1, f"{hours}__lte": MOST_HOURS, f"{days}__isnull": True})
    by_days = Q(**{f"{days}__gte": 1, f"{days}__lte": MOST_WORKING_DAYS, f"{hours}__isnull": True})
    # An unknown half would let both be empty.
    given = Q(**{f"{hours}__isnull": False}) | Q(**{f"{days}__isnull": False})
    return [models.CheckConstraint(condition=given & (by_hours | by_days), name=f"policy_{name}_window")]


def _reminders(name: str) -> models.BaseConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{name}__contained_by": list(REMINDER_HOURS)}), name=f"policy_{name}_at_known_hours"
    )


def _hours() -> ArrayField:  # type: ignore[type-arg]
    return ArrayField(models.SmallIntegerField(), default=list)


@pghistory.track()
class DeadlinePolicy(models.Model):
    """What a BCU asks of its teams from a day on, until its next policy; before its first, the settings hold.

    ``remind_…``: hours after the due time at which these are reminded, negative before it. ``day_ends``: the
    hour at which a working day ends. ``decision_hours``: how long a report may wait for a decision before
    the inspector is told; empty, nobody is. Quiet hours: no reminder goes out in them.
    """

    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="deadline_policies")
    starts_on = models.DateField()
    contact_hours = models.PositiveSmallIntegerField(null=True)
    contact_working_days = models.PositiveSmallIntegerField(null=True)
    refer_now_hours = models.PositiveSmallIntegerField(null=True)
    refer_now_working_days = models.PositiveSmallIntegerField(null=True)
    day_ends = models.TimeField(default=time(17))
    attempts_no_reply = models.PositiveSmallIntegerField()
    attempts_wrong_details = models.PositiveSmallIntegerField()
    remind_taker = _hours()
    remind_mailbox = _hours()
    remind_supervisor = _hours()
    remind_hcop = _hours()
    digest_at = models.TimeField(default=time(7))
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    decision_hours = models.PositiveSmallIntegerField(null=True)
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bcu", "starts_on"], name="policy_one_a_day"),
            *_window("contact"),
            *_window("refer_now"),
            models.CheckConstraint(
                condition=Q(attempts_no_reply__range=(1, MOST_ATTEMPTS))
                & Q(attempts_wrong_details__range=(1, MOST_ATTEMPTS)),
                name="policy_attempts_are_some",
            ),
            *(_reminders(f"remind_{whom}") for whom in ("taker", "mailbox", "supervisor", "hcop")),
            models.CheckConstraint(
                condition=together("quiet_from", "quiet_until") & ~Q(quiet_from=F("quiet_until")),
                name="policy_quiet_hours_from_until",
            ),
            models.CheckConstraint(
                condition=Q(decision_hours__isnull=True) | Q(decision_hours__range=(1, MOST_HOURS)),
                name="policy_decision_hours_are_some",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bcu} from {self.starts_on}"


class BankHoliday(AppendOnly):
    """A bank holiday of England and Wales that the list of the package does not have yet."""

    day = models.DateField(unique=True)
    name = models.CharField(max_length=100)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            *one_line("bank_holiday", "name"),
            models.CheckConstraint(
                condition=~Q(day__iso_week_day__in=[6, 7]), name="bank_holiday_is_on_a_weekday"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.day}"


class StopReason(NamedChoices):
    """Why the clock of a referral stands."""

    VICTIM_ASKED = "victim_asked", "The victim asked for a later date"
    SAFEGUARDING = "safeguarding", "Safeguarding comes first"


class _TimeRange(models.Func):
    """PostgreSQL's ``tstzrange``, its end not included."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


@pghistory.track()
class ClockStop(models.Model):
    """A span in which the clock of a referral stands.

    It ends by itself; ``ended_by``: who ended it earlier.
    """

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="stops")
    reason = models.CharField(max_length=20, choices=StopReason.as_choices)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=StopReason.values), name="stop_reason_is_known"),
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("starts_at")), name="stop_ends_not_before_it_starts"
            ),
            ExclusionConstraint(
                name="stop_once_at_a_time",
                expressions=[
                    ("referral", RangeOperators.EQUAL),
                    (_TimeRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        triggers = [
            refuse(
                name="stopped_at_most_28_days",
                unless=read_sql("referrals/models/sql/stopped_at_most_28_days.sql"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.referral}: {self.get_reason_display()}"


class MoveReason(NamedChoices):
    """Why a due time was moved."""

    HOLIDAY = "holiday", "A bank holiday was proclaimed late"
    STOPPED = "stopped", "The clock was stopped"
    WENT_ON = "went_on", "The clock went on before its time"


class DueMove(AppendOnly):
    """That the due time of a referral was moved, and why."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="due_moves")
    reason = models.CharField(max_length=20, choices=MoveReason.as_choices)
    from_due_at = models.DateTimeField()
    to_due_at = models.DateTimeField()
    holiday = models.ForeignKey(BankHoliday, on_delete=models.PROTECT, null=True, related_name="moves")
    stop = models.ForeignKey(ClockStop, on_delete=models.PROTECT, null=True, related_name="moves")
    moved_at = models.DateTimeField()
    moved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(AppendOnly.Meta):
        constraints = [
            models.CheckConstraint(
                condition=(
                    # Later where a bank holiday has become known since it was counted.
                    (Q(reason=MoveReason.WENT_ON) & ~Q(to_due_at=F("from_due_at")))
                    | Q(
                        reason__in=[MoveReason.HOLIDAY, MoveReason.STOPPED],
                        to_due_at__gt=F("from_due_at"),
                    )
                ),
                name="due_move_is_later_or_back",
            ),
            models.CheckConstraint(
                condition=Q(reason=MoveReason.HOLIDAY, holiday__isnull=False, stop__isnull=True)
                | Q(
                    reason__in=[MoveReason.STOPPED, MoveReason.WENT_ON],
                    stop__isnull=False,
                    holiday__isnull=True,
                ),
                name="due_move_names_its_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referral}: {self.get_reason_display()}"


class LateDecision(AppendOnly):
    """That the inspector was told of a report which waits for its decision longer than it may.

    Once while it waits, and again where its decision is reopened and it waits too long again.
    """

    case = models.ForeignKey("referrals.Case", on_delete=models.PROTECT, related_name="late_decisions")
    told_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.case)
